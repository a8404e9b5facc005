import { expect, test } from 'vitest';
import { countedClient } from '../../src/freshness/counted-client.ts';
import type { Listing } from '../../src/registry/sources.ts';
import { createMetrics } from '../../src/telemetry/prometheus.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { accessTo } from '../registry/client-under-test.ts';

test('a listing that was sent again counts as a complete one, with its tags; one that was confirmed does not', async () => {
  const access = accessTo('https://registry.example.com');
  const { host } = access.endpoint;
  const metrics = createMetrics({ knownHosts: () => new Set([host]), version: '1' });
  const registry = new MemoryRegistry();
  const client = countedClient(registry, metrics, async () => 7);
  const listings: readonly Listing[] = [{ kind: 'unchanged', sent: true }, { kind: 'unchanged' }];
  for (const listing of listings) {
    registry.list = async () => listing;
    await client.list(access, {}, new AbortController().signal);
  }
  const text = await metrics.text();
  expect(text).toContain(`image_resolver_listings_total{host="${host}",result="complete"} 1`);
  expect(text).toContain(`image_resolver_listings_total{host="${host}",result="unchanged"} 1`);
  expect(text).toContain(`image_resolver_listing_tags_sum{host="${host}"} 7`);
});
