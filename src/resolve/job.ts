import type { Tag } from '../image/reference.ts';
import type { Selection } from '../strategy/selection.ts';
import type { Access } from '../registry/access.ts';
import type { Fault, RegistryClient } from '../registry/sources.ts';
import type { DecisionKey, ListingKey, Store, StoredDecision } from '../store/store.ts';
import { isFresh, isSince } from '../store/freshness.ts';
import type { Time } from './deadline.ts';
import { headLease, listingLease } from './keys.ts';
import type { Ask } from './resolver.ts';

/** What the resolver works with. */
export interface Ports extends Time {
  readonly store: Store;
  /** The registry client, loaded when the first request is due: loading it costs more than everything else here. */
  readonly registry: () => Promise<RegistryClient>;
  /** 0 up to 1, for jitter. */
  readonly random: () => number;
}

/** One decision that is wanted: all asks of a query that share a key. */
export interface Job {
  readonly key: DecisionKey;
  readonly listing: ListingKey;
  readonly access: Access;
  readonly selection: Selection;
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
  /** Sentences for `explain`, in the order things happened. */
  readonly steps: string[];
}

/** How a job ended. */
export type Settled =
  | { readonly kind: 'decided'; readonly decision: StoredDecision }
  /** Everything was read, and nothing satisfies the policy. */
  | { readonly kind: 'nothing'; readonly tags: number; readonly label: string; readonly nearest?: string }
  /** The registry could not be asked, with the decision that was there before. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly previous?: StoredDecision };

/** Decides a job. */
export type Settle = (job: Job, signal: AbortSignal) => Promise<Settled>;

/** Whether something learnt at `at` is new enough for this job. */
export function isNewEnough(job: Job, at: number, now: number): boolean {
  return isFresh(at, job.intervalMs, now) || isSince(at, job.startedAt, now);
}

/** What the job's work is leased (and its faults kept) under. */
export function leaseOf(job: Job): string {
  return job.followed === undefined ? listingLease(job.listing) : headLease(job.listing, job.followed);
}

/** Where a fault concerns more than one repository: the resolver's own pauses, longer than the registry client's. */
export function pauseKeys(access: Access): { readonly host: string; readonly credential: string } {
  const host = `renew ${access.endpoint.apiUrl}`;
  return { host, credential: `${host} as ${access.scope}` };
}
