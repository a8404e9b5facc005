import type { Fault, PreviousListing } from '../registry/sources.ts';
import type { ListingRecord } from '../store/store.ts';
import type { Job, Ports } from './job.ts';
import { judgeListing } from './suspect-listing.ts';

export type Renewed =
  | { readonly kind: 'listed'; readonly fetchedAt: number }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** Lists a repository's tags and keeps the answer if it is complete and believable. */
export async function renewListing(
  job: Job,
  previous: ListingRecord | undefined,
  ports: Ports,
  signal: AbortSignal,
): Promise<Renewed> {
  const { store } = ports;
  const client = await ports.registry();
  // The time before asking: what is pushed while the pages come may not be in them.
  const fetchedAt = ports.now();
  const answer = await client.list(job.access, previous && knownOf(previous), signal);
  switch (answer.kind) {
    case 'failed':
      return answer;
    case 'unchanged': {
      if (previous === undefined) return failed(job, 'the registry says that a listing it never gave has not changed');
      await store.listings.update(job.listing, { fetchedAt, suspect: undefined });
      job.steps?.push(`asked ${job.access.endpoint.host}: the ${previous.count} tags are unchanged`);
      return { kind: 'listed', fetchedAt };
    }
    case 'complete': {
      const { tags, validators, fingerprint } = answer;
      const judgement = judgeListing(previous, tags.length, fetchedAt);
      if (judgement.kind === 'suspect') {
        await store.listings.update(job.listing, { suspect: judgement.suspect });
        return failed(
          job,
          `the registry lists ${tags.length} tags where it listed ${previous?.count} before; that is taken for a fault until it persists`,
        );
      }
      await store.listings.put(job.listing, {
        fetchedAt,
        tags,
        ...(validators === undefined ? {} : { validators }),
        ...(fingerprint === undefined ? {} : { fingerprint }),
      });
      job.steps?.push(`asked ${job.access.endpoint.host}: it lists ${tags.length} tags`);
      return { kind: 'listed', fetchedAt };
    }
    default:
      return answer satisfies never;
  }
}

function knownOf({ validators, fingerprint }: ListingRecord): PreviousListing {
  return { ...validators, ...(fingerprint === undefined ? {} : { fingerprint }) };
}

function failed(job: Job, problem: string): Renewed {
  const error = {
    code: 'REGISTRY_INVALID',
    what: `${problem} (${job.access.repository.name})`,
    where: job.access.endpoint.host,
    fix: 'look at the repository in the registry; a clean-up is believed after three listings over ten minutes',
  } as const;
  return { kind: 'failed', fault: { kind: 'outage', error } };
}
