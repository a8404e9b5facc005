import { WEBHOOK_TYPES } from '../../src/operator/webhook-types.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import { createMetrics } from '../../src/telemetry/prometheus.ts';

/** A metric as Prometheus sees it. */
export interface KnownMetric {
  readonly type: string;
  /** The values of each label that were seen; closed sets are seen whole. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Every metric there is, by name, read from what is scraped after each was used once. */
export async function knownMetrics(): Promise<ReadonlyMap<string, KnownMetric>> {
  const metrics = createMetrics({ knownHosts: () => new Set(['ghcr.io']), version: '0.0.0' });
  useAll(metrics);
  return parse(await metrics.text());
}

function useAll(metrics: Metrics): void {
  const host = 'ghcr.io';
  for (const outcome of [200, 226, 304, 418, 429, 500, 503, 599, 'REGISTRY_TIMEOUT'])
    metrics.registryRequest(host, outcome, 1, 1);
  for (const result of ['complete', 'unchanged', 'failed'] as const) metrics.listing(host, result, 1);
  for (const outcome of ['answered', 'refused', 'invalid', 'unauthorized', 'overloaded', 'failed'] as const) {
    metrics.resolveRequest(outcome, 1);
  }
  metrics.rolledOut(1);
  for (const type of WEBHOOK_TYPES) metrics.webhook(type, 'accepted');
  metrics.observe({
    decisions: () => ({ current: 1, stale: 1 }),
    registrations: () => 1,
    listingAges: () => new Map([[host, 1]]),
    pausedHosts: () => new Map([[host, 1]]),
    refreshQueue: () => ({ waiting: 1, inFlight: 1, oldestSeconds: 1, givenUp: 1 }),
    applicationConditions: () => ({ 'self-heal-off': 1, 'last-sync-failed': 1, hooks: 1, stale: 1, failing: 1 }),
    storeBytes: () => 1,
    storePersistent: () => true,
    configurationCurrent: () => true,
    kubernetesConnected: () => true,
  });
}

function parse(text: string): ReadonlyMap<string, KnownMetric> {
  const found = new Map<string, { type: string; labels: Map<string, Set<string>> }>();
  let current: { type: string; labels: Map<string, Set<string>> } | undefined;
  for (const line of text.split('\n')) {
    const [, name = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== '') {
      current = { type, labels: new Map() };
      found.set(name, current);
    } else if (!line.startsWith('#')) {
      for (const [, label = '', value = ''] of line.matchAll(/(\w+)="([^"]*)"/g)) {
        // The bound of a histogram's bucket is Prometheus' own.
        if (label !== 'le') current?.labels.set(label, (current.labels.get(label) ?? new Set()).add(value));
      }
    }
  }
  return found;
}

/** Labels that Prometheus adds to everything of a PodMonitor. */
const OF_PROMETHEUS: ReadonlySet<string> = new Set(['namespace', 'pod', 'le']);
/** Labels whose values are not a closed set. */
const OPEN: ReadonlySet<string> = new Set(['host', 'version', 'namespace', 'pod']);
/** Functions that look like the name of a metric. */
const FUNCTIONS: ReadonlySet<string> = new Set(['histogram_quantile', 'label_values']);

/**
 * What is wrong with an expression: names of metrics that do not exist, labels that they do not have, values that a label
 * never takes, parentheses that do not close.
 */
export function problemsOf(expression: string, known: ReadonlyMap<string, KnownMetric>): readonly string[] {
  const problems: string[] = [];
  const used: KnownMetric[] = [];
  const selectors = /([a-z][a-z0-9_]*(?:_[a-z0-9]+)+)(?:\{([^}]*)\})?/g;
  for (const [, written = '', matchers = ''] of expression.replaceAll('$__rate_interval', '5m').matchAll(selectors)) {
    if (FUNCTIONS.has(written)) continue;
    const metric = known.get(written) ?? histogramOf(written, known);
    if (metric === undefined) {
      problems.push(`no metric ${written}`);
      continue;
    }
    used.push(metric);
    for (const [, label = '', operator = '', value = ''] of matchers.matchAll(/(\w+)(=~|!=|!~|=)"([^"]*)"/g)) {
      problems.push(...problemsOfMatcher(written, metric, { label, operator, value }));
    }
  }
  if (used.length === 0) problems.push('no metric at all');
  for (const [, labels = ''] of expression.matchAll(/\b(?:by|on) ?\(([^)]*)\)/g)) {
    for (const label of labels.split(',').map((one) => one.trim())) {
      if (!OF_PROMETHEUS.has(label) && !used.some((metric) => metric.labels.has(label)))
        problems.push(`no label ${label}`);
    }
  }
  let depth = 0;
  for (const character of expression) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth < 0) break;
  }
  if (depth !== 0) problems.push('parentheses');
  return problems;
}

function histogramOf(name: string, known: ReadonlyMap<string, KnownMetric>): KnownMetric | undefined {
  const metric = known.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  return metric?.type === 'histogram' && !known.has(name) && /_(?:bucket|sum|count)$/.test(name) ? metric : undefined;
}

function problemsOfMatcher(
  name: string,
  metric: KnownMetric,
  { label, operator, value }: { readonly label: string; readonly operator: string; readonly value: string },
): readonly string[] {
  if (OF_PROMETHEUS.has(label)) return [];
  const values = metric.labels.get(label);
  if (values === undefined) return [`${name} has no label ${label}`];
  if (OPEN.has(label)) return [];
  const wanted = operator.includes('~') ? value.split('|') : [value];
  // Each alternative of an expression must find something.
  const fits = (one: string): boolean =>
    operator.includes('~') ? [...values].some((each) => new RegExp(`^(?:${one})$`).test(each)) : values.has(one);
  return wanted.filter((one) => !fits(one)).map((one) => `${name}: ${label} is never ${one}`);
}
