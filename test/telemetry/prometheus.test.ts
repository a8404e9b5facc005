import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createMetrics } from '../../src/telemetry/prometheus.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';

const make = (hosts: readonly string[] = ['ghcr.io']): Metrics =>
  createMetrics({ knownHosts: () => new Set(hosts), version: '1.2.3' });

/** `name{labels} value` of our own metrics. */
async function samples(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('image_resolver_'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('hosts', () => {
  test('that the operator configured have a series each, all others share one', async () => {
    const metrics = make();
    metrics.registryRequest('ghcr.io', 200, 0.2, 1000);
    metrics.registryRequest('evil-1.example.com', 200, 0.2, 30);
    metrics.registryRequest('evil-2.example.com', 200, 0.2, 12);
    const found = await samples(metrics);
    expect(found.get('image_resolver_registry_requests_total{host="ghcr.io",status="200"}')).toBe(1);
    expect(found.get('image_resolver_registry_requests_total{host="other",status="200"}')).toBe(2);
    expect(found.get('image_resolver_registry_received_bytes_total{host="ghcr.io"}')).toBe(1000);
    expect(found.get('image_resolver_registry_received_bytes_total{host="other"}')).toBe(42);
    expect(found.get('image_resolver_registry_request_duration_seconds_bucket{le="0.25",host="ghcr.io"}')).toBe(1);
    expect(found.get('image_resolver_registry_request_duration_seconds_bucket{le="0.1",host="ghcr.io"}')).toBe(0);
  });

  test('that are configured later count from then on', async () => {
    const hosts = new Set<string>();
    const metrics = createMetrics({ knownHosts: () => hosts, version: '1' });
    metrics.listing('new.example.com', 'complete', 5);
    hosts.add('new.example.com');
    metrics.listing('new.example.com', 'complete', 5);
    const found = await samples(metrics);
    expect(found.get('image_resolver_listings_total{host="other",result="complete"}')).toBe(1);
    expect(found.get('image_resolver_listings_total{host="new.example.com",result="complete"}')).toBe(1);
  });
});

test('statuses are a closed set: those that tell something, else the class, else the code of a fault', async () => {
  const metrics = make();
  const told: readonly (readonly [outcome: number | string, label: string])[] = [
    [429, '429'],
    [304, '304'],
    [418, '4xx'],
    [599, '5xx'],
    [999, 'other'],
    [Number.NaN, 'other'],
    ['REGISTRY_TIMEOUT', 'REGISTRY_TIMEOUT'],
    ['something "else"', 'other'],
    ['constructor', 'other'],
  ];
  for (const [outcome] of told) metrics.registryRequest('ghcr.io', outcome, 0, 0);
  const found = await samples(metrics);
  for (const [, label] of told) {
    const wanted = told.filter(([, other]) => other === label).length;
    expect(found.get(`image_resolver_registry_requests_total{host="ghcr.io",status="${label}"}`)).toBe(wanted);
  }
});

test('nothing that comes from outside adds more than a fixed number of series, or throws', async () => {
  const metrics = make();
  const anything = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(anything, anything, fc.double(), fc.integer(), (host, type, amount, status) => {
      metrics.registryRequest(host, status, amount, amount);
      metrics.registryRequest(host, type, amount, amount);
      metrics.listing(host, 'complete', amount);
      metrics.listing(host, 'failed', amount);
      metrics.resolveRequest('answered', amount);
      metrics.rolledOut(amount);
      metrics.webhook(type, 'unknown');
    }),
    { numRuns: 500 },
  );
  const series = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(series.length).toBeLessThan(300);
});

test('a counter of words stands at 0 before the first event, so that the first is seen as an increase', async () => {
  const metrics = make();
  expect((await samples(metrics)).get('image_resolver_refreshes_total{event="failed"}')).toBe(0);
  expect((await samples(metrics)).get('image_resolver_webhooks_total{type="harbor",result="accepted"}')).toBe(0);
  metrics.refresh('failed');
  metrics.webhook('harbor', 'accepted');
  metrics.decisionMoved('poll');
  metrics.fullSync('held');
  metrics.applicationEvent('written');
  metrics.resolveRequest('answered', 0.003);
  metrics.rolledOut(1.5);
  const found = await samples(metrics);
  const counted = [
    'image_resolver_refreshes_total{event="failed"}',
    'image_resolver_webhooks_total{type="harbor",result="accepted"}',
    'image_resolver_decisions_moved_total{cause="poll"}',
    'image_resolver_full_syncs_total{event="held"}',
    'image_resolver_application_events_total{result="written"}',
    'image_resolver_resolve_requests_total{outcome="answered"}',
    'image_resolver_resolve_duration_seconds_bucket{le="0.005",outcome="answered"}',
    'image_resolver_rollout_duration_seconds_bucket{le="2"}',
  ];
  expect(counted.filter((name) => found.get(name) !== 1)).toEqual([]);
});

describe('gauges', () => {
  test('are asked at each scrape, and absent when nobody gives them', async () => {
    const metrics = make();
    expect(
      [...(await samples(metrics)).keys()].filter((name) => name.startsWith('image_resolver_registrations')),
    ).toEqual([]);
    let registrations = 3;
    metrics.observe({ registrations: () => registrations });
    expect((await samples(metrics)).get('image_resolver_registrations')).toBe(3);
    registrations = 4;
    expect((await samples(metrics)).get('image_resolver_registrations')).toBe(4);
  });

  test('may come from several sources, objects with state included', async () => {
    class Queue {
      readonly #waiting = 7;
      refreshQueue(): { waiting: number; inFlight: number; oldestSeconds: number; givenUp: number } {
        return { waiting: this.#waiting, inFlight: 2, oldestSeconds: 9.5, givenUp: 1 };
      }
    }
    const metrics = make();
    metrics.observe(new Queue());
    metrics.observe({ storePersistent: () => false, storeBytes: () => 1024, kubernetesConnected: () => true });
    metrics.observe({
      configurationCurrent: () => true,
      decisions: () => ({ current: 5, stale: 1 }),
      applicationConditions: () => ({ 'self-heal-off': 1, 'last-sync-failed': 2, hooks: 3, stale: 4, failing: 5 }),
    });
    const found = await samples(metrics);
    expect(Object.fromEntries(found)).toMatchObject({
      'image_resolver_refresh_queue_applications{state="waiting"}': 7,
      'image_resolver_refresh_queue_applications{state="in-flight"}': 2,
      image_resolver_refresh_queue_oldest_seconds: 9.5,
      image_resolver_refresh_given_up_applications: 1,
      image_resolver_store_persistent: 0,
      image_resolver_store_size_bytes: 1024,
      image_resolver_kubernetes_connected: 1,
      image_resolver_configuration_current: 1,
      'image_resolver_decisions{state="current"}': 5,
      'image_resolver_decisions{state="stale"}': 1,
      'image_resolver_applications{condition="self-heal-off"}': 1,
      'image_resolver_applications{condition="last-sync-failed"}': 2,
      'image_resolver_applications{condition="hooks"}': 3,
      'image_resolver_applications{condition="stale"}': 4,
      'image_resolver_applications{condition="failing"}': 5,
    });
  });

  test('by host show the worst of those without a name of their own, and forget a host that is gone', async () => {
    const metrics = make();
    let ages = new Map([
      ['ghcr.io', 60],
      ['a.example.com', 5],
      ['b.example.com', 500],
    ]);
    metrics.observe({ listingAges: () => ages, pausedHosts: () => new Map([['ghcr.io', 30]]) });
    const before = await samples(metrics);
    expect(before.get('image_resolver_listing_age_seconds{host="ghcr.io"}')).toBe(60);
    expect(before.get('image_resolver_listing_age_seconds{host="other"}')).toBe(500);
    expect(before.get('image_resolver_registry_pause_seconds{host="ghcr.io"}')).toBe(30);
    ages = new Map();
    const after = await samples(metrics);
    expect([...after.keys()].filter((name) => name.startsWith('image_resolver_listing_age_seconds'))).toEqual([]);
  });

  test('one that cannot be read is left out and counted, and the others are there', async () => {
    const metrics = make();
    metrics.observe({
      registrations: () => {
        throw new Error('closed');
      },
      storeBytes: () => 5,
    });
    await metrics.text();
    const found = await samples(metrics);
    expect(found.has('image_resolver_registrations')).toBe(false);
    expect(found.get('image_resolver_store_size_bytes')).toBe(5);
    expect(found.get('image_resolver_metric_failures_total')).toBeGreaterThan(0);
  });
});

test('two controllers of one process count for themselves', async () => {
  const first = make();
  const second = make();
  first.decisionMoved('first');
  expect((await samples(second)).get('image_resolver_decisions_moved_total{cause="first"}')).toBe(0);
});

test('the version, and what the process uses, are there', async () => {
  const metrics = make();
  expect((await samples(metrics)).get('image_resolver_build_info{version="1.2.3"}')).toBe(1);
  const text = await metrics.text();
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    expect(text).toContain(`\n${name} `);
  }
  expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('the event loop is watched by a timer that hardly wakes an idle process', async () => {
  const metrics = make();
  const mean = async (): Promise<number> =>
    Number(/^nodejs_eventloop_lag_mean_seconds (.+)$/m.exec(await metrics.text())?.[1]);
  // Each reading begins the count anew.
  await vi.waitFor(async () => expect(await mean()).toBeGreaterThan(0.09), { interval: 250, timeout: 10_000 });
});
