import type { Access } from '../registry/access.ts';
import type { Listing, RegistryClient } from '../registry/sources.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/**
 * A client whose listings are counted.
 *
 * @param known how many tags the listing has that an unchanged one confirms.
 */
export function countedClient(
  client: RegistryClient,
  metrics: Metrics,
  known: (access: Access) => Promise<number>,
): RegistryClient {
  const tagsOf = async (listing: Listing, access: Access): Promise<number> => {
    switch (listing.kind) {
      case 'complete':
        return listing.tags.length;
      case 'unchanged':
        return known(access);
      case 'failed':
        return 0;
      default:
        return listing satisfies never;
    }
  };
  return {
    async list(access, previous, signal) {
      const listing = await client.list(access, previous, signal);
      // Whoever sends everything again did not confirm it.
      const result = listing.kind === 'unchanged' && listing.sent === true ? 'complete' : listing.kind;
      metrics.listing(access.endpoint.host, result, await tagsOf(listing, access));
      return listing;
    },
    head: (access, tag, signal) => client.head(access, tag, signal),
    built: (access, digest, platforms, signal) => client.built(access, digest, platforms, signal),
    inspect: (access, tag, platforms, signal) => client.inspect(access, tag, platforms, signal),
    close: () => client.close(),
  };
}
