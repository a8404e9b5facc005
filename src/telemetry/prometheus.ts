import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { WEBHOOK_TYPES } from '../operator/webhook-types.ts';
import { addGauges } from './gauges.ts';
import { listed, statusLabel } from './labels.ts';
import type { GaugeSource, Metrics } from './metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';

export interface MetricsOptions {
  /** Registry hosts that get series of their own: those the operator configured. Asked each time: files are reloaded. */
  readonly knownHosts: () => ReadonlySet<string>;
  /** Of this program. */
  readonly version: string;
}

/** Seconds. A registry near by answers in 10 ms, a request is given up after some 30 s. */
const REGISTRY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Seconds. Warm answers take 1 to 5 ms; a first resolution waits 10 s at most. */
const RESOLVE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
/** Seconds. Argo CD takes half a second at best, and minutes when its queue is long. */
const ROLLOUT_SECONDS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
/** The listing's own limit is 100,000. */
const LISTING_TAGS = [10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000];

/** Every word a label may have. A series begins at 0, not with its first event, or `increase()` would miss that one. */
const WORDS = {
  resolve: ['answered', 'refused', 'invalid', 'unauthorized', 'overloaded', 'failed'],
  moved: ['poll', 'webhook', 'first'],
  refresh: ['asked', 'confirmed', 'retried', 'failed', 'dropped'],
  sync: ['started', 'held', 'failed'],
  event: ['written', 'failed', 'dropped'],
  webhook: ['accepted', 'ignored', 'unauthorized', 'invalid', 'unknown', 'throttled', 'unavailable'],
} as const;

/**
 * {@link Metrics} for Prometheus, in a registry of their own. Counting never throws and costs a few microseconds.
 */
export function createMetrics({ knownHosts, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: readonly string[]): Counter =>
    new Counter({ name: `image_resolver_${name}`, help, labelNames: [...labelNames], registers });
  const histogram = (
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly string[],
  ): Histogram =>
    new Histogram({
      name: `image_resolver_${name}`,
      help,
      buckets: [...buckets],
      labelNames: [...labelNames],
      registers,
    });

  const requests = counter(
    'registry_requests_total',
    'Attempts at registries and their token servers, by what came of them.',
    ['host', 'status'],
  );
  const requestSeconds = histogram(
    'registry_request_duration_seconds',
    'How long attempts at registries took.',
    REGISTRY_SECONDS,
    ['host'],
  );
  const receivedBytes = counter('registry_received_bytes_total', 'Bytes of the answers of registries.', ['host']);
  const listings = counter('listings_total', 'Listings of tags: complete, confirmed as unchanged, or failed.', [
    'host',
    'result',
  ]);
  const listingTags = histogram('listing_tags', 'Tags in complete listings.', LISTING_TAGS, ['host']);
  const resolves = counter('resolve_requests_total', 'Requests of sidecars, by outcome.', ['outcome']);
  const resolveSeconds = histogram('resolve_duration_seconds', 'How long requests of sidecars took.', RESOLVE_SECONDS, [
    'outcome',
  ]);
  const moves = counter('decisions_moved_total', 'Decisions that moved, by what made the registry be looked at.', [
    'cause',
  ]);
  const rollouts = histogram(
    'rollout_duration_seconds',
    'From the listing that showed a new image to the rendering that had it.',
    ROLLOUT_SECONDS,
    [],
  );
  const refreshes = counter('refreshes_total', 'Refreshes of Applications, by step.', ['event']);
  const syncs = counter('full_syncs_total', 'Full syncs for Applications with sync: full.', ['event']);
  const events = counter('application_events_total', 'Kubernetes Events about Applications.', ['result']);
  const webhooks = counter('webhooks_total', 'Requests to /webhook/<type>, by result.', ['type', 'result']);
  const failures = counter('metric_failures_total', 'Gauges that could not be read when they were scraped.', []);
  new Gauge({
    name: 'image_resolver_build_info',
    help: 'Always 1; the label is the version of this program.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);

  const sources: GaugeSource[] = [];
  addGauges(registry, { sources, knownHosts, failed: () => failures.inc() });
  addProcessMetrics(registry);

  for (const outcome of WORDS.resolve) resolves.inc({ outcome }, 0);
  for (const cause of WORDS.moved) moves.inc({ cause }, 0);
  for (const event of WORDS.refresh) refreshes.inc({ event }, 0);
  for (const event of WORDS.sync) syncs.inc({ event }, 0);
  for (const result of WORDS.event) events.inc({ result }, 0);
  const types = new Set<string>(WEBHOOK_TYPES);
  for (const type of types) for (const result of WORDS.webhook) webhooks.inc({ type, result }, 0);

  return {
    registryRequest: (name, outcome, seconds, bytes) => {
      const host = listed(name, knownHosts());
      requests.inc({ host, status: statusLabel(outcome) });
      requestSeconds.observe({ host }, countable(seconds));
      receivedBytes.inc({ host }, countable(bytes));
    },
    listing: (name, result, tags) => {
      const host = listed(name, knownHosts());
      listings.inc({ host, result });
      if (result === 'complete') listingTags.observe({ host }, countable(tags));
    },
    resolveRequest: (outcome, seconds) => {
      resolves.inc({ outcome });
      resolveSeconds.observe({ outcome }, countable(seconds));
    },
    decisionMoved: (cause) => moves.inc({ cause }),
    rolledOut: (seconds) => rollouts.observe(countable(seconds)),
    refresh: (event) => refreshes.inc({ event }),
    fullSync: (event) => syncs.inc({ event }),
    applicationEvent: (result) => events.inc({ result }),
    webhook: (type, result) => webhooks.inc({ type: listed(type, types), result }),
    observe: (gauges) => {
      sources.push(gauges);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** A clock that was set back gives a negative time, for which a counter would throw. */
function countable(value: number): number {
  return value > 0 && Number.isFinite(value) ? value : 0;
}
