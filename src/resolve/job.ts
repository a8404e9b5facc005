import type { Tag } from '../image/reference.ts';
import type { ByName } from '../strategy/by-name.ts';
import type { Selection } from '../strategy/selection.ts';
import type { Access, CallerClaim } from '../registry/access.ts';
import type { Fault, RegistryClient } from '../registry/sources.ts';
import type { DecisionKey, KeptFault, ListingKey, Store, StoredDecision } from '../store/store.ts';
import { isFresh, isSince } from '../store/freshness.ts';
import type { Soon } from '../store/soon.ts';
import type { Time } from './deadline.ts';
import { headLease, listingLease } from './keys.ts';
import type { Ask } from './resolver.ts';

/** What the resolver works with. */
export interface Ports extends Time {
  readonly store: Store;
  /** The registry client, loaded when the first request is due: loading it costs more than everything else here. */
  readonly registry: () => Promise<RegistryClient>;
  /** Where patterns are evaluated. */
  readonly selectByName: SelectByName;
  /** 0 up to 1, for jitter. */
  readonly random: () => number;
}

/** Which tags, by whose policy. A {@link Job} is one. */
export interface NamesWanted {
  readonly listing: ListingKey;
  readonly selection: Selection;
  /** For fairness among projects. */
  readonly project?: string;
}

/**
 * Filters tags by name, and ranks them where names are enough; in this process, or where patterns cannot stall it.
 *
 * @param told how many rejected tags are wanted.
 * @param signal absent: who asks needs the answer, whatever its time.
 * @throws {UserError} in this process, `CONSTRAINT_INVALID` or `FILTER_INVALID`: `generate` tells them at their place.
 */
export type SelectByName = (
  wanted: NamesWanted,
  tags: readonly Tag[],
  told: number,
  signal?: AbortSignal,
) => Promise<SelectedByName>;

export type SelectedByName =
  | ({ readonly kind: 'selected' } & ByName)
  /** The policy could not be evaluated. It says nothing of the registry. */
  | { readonly kind: 'fault'; readonly fault: Fault };

/** One decision that is wanted: all asks of a query that share a key. */
export interface Job {
  readonly key: DecisionKey;
  readonly listing: ListingKey;
  readonly access: Access;
  readonly selection: Selection;
  /** Of one that asks; for fairness only. */
  readonly project?: string;
  /** The tag a digest strategy follows. */
  readonly followed?: Tag;
  readonly onRemoved: Ask['onRemoved'];
  readonly wantsDigest: boolean;
  /** The shortest of the asks. */
  readonly intervalMs: number;
  /** When the query began, milliseconds since the epoch: what was learnt since then is new enough for it. */
  readonly startedAt: number;
  /** How long a newer answer is waited for when there is one already, in milliseconds. */
  readonly patienceMs: number;
  /**
   * What runs already, for a first decision: it does not begin below a tag that the registry has and only its listing does
   * not show.
   */
  readonly floor?: StoredDecision;
  /** Sentences for `explain`, in the order things happened; absent: nobody reads them. */
  readonly steps?: string[];
}

/** How a job ended. */
export type Settled =
  | { readonly kind: 'decided'; readonly decision: StoredDecision }
  /** Everything was read, and nothing satisfies the policy. */
  | { readonly kind: 'nothing'; readonly tags: number; readonly label: string; readonly nearest?: string }
  /** The registry could not be asked, with the decision that was there before. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly previous?: StoredDecision };

/** Decides a job. `who` is the first of those who ask. */
export type Settle = (job: Job, signal: AbortSignal, who: CallerClaim) => Soon<Settled>;

/** Whether something learnt at `at` is new enough for this job. */
export function isNewEnough(job: Job, at: number, now: number): boolean {
  return isFresh(at, job.intervalMs, now) || isSince(at, job.startedAt, now);
}

/** What the job's work is leased (and its faults kept) under. */
export function leaseOf(job: Job): string {
  return job.followed === undefined ? listingLease(job.listing) : headLease(job.listing, job.followed);
}

/** What a fault is kept under that is about this decision alone: the listing was read, and something of a tag could not be. */
function decisionFault(job: Job): string {
  return `decide ${job.key}`;
}

/** The last fault that stands in the way of this job. */
export function faultOf(job: Job, { store: { faults } }: Ports): Soon<KeptFault | undefined> {
  const shared = faults.get(leaseOf(job));
  const own = faults.get(decisionFault(job));
  if (shared instanceof Promise || own instanceof Promise)
    return Promise.all([shared, own]).then((both) => newerOf(...both));
  return newerOf(shared, own);
}

function newerOf(shared: KeptFault | undefined, own: KeptFault | undefined): KeptFault | undefined {
  if (shared === undefined || own === undefined) return shared ?? own;
  return own.at > shared.at ? own : shared;
}

/** Keeps a fault for those it concerns: who shares the listing, or this decision alone when that could be read. */
export async function keepFault(job: Job, fault: Fault, { store, now }: Ports): Promise<void> {
  const listing = job.followed === undefined ? await store.listings.get(job.listing) : undefined;
  const isListed = listing !== undefined && isNewEnough(job, listing.fetchedAt, now());
  await store.faults.put(isListed ? decisionFault(job) : leaseOf(job), { at: now(), fault });
}

/** The job succeeded. */
export async function clearFaults(job: Job, { store }: Ports): Promise<void> {
  await store.faults.clear(leaseOf(job));
  await store.faults.clear(decisionFault(job));
}

/** Where a fault concerns more than one repository: the resolver's own pauses, longer than the registry client's. */
export function pauseKeys(access: Access): { readonly host: string; readonly credential: string } {
  const host = `renew ${access.endpoint.apiUrl}`;
  return { host, credential: `${host} as ${access.scope}` };
}
