import type { Fault } from '../registry/sources.ts';
import { isFresh, isSince } from '../store/freshness.ts';
import type { Lease, ListingRecord, SeenDigest, StoredDecision, Versioned } from '../store/store.ts';
import type { Tag } from '../image/reference.ts';
import type { Selection } from '../strategy/selection.ts';
import { rest, startDeadline } from './deadline.ts';
import { decisionOf } from './decision-of.ts';
import { confirm, evaluate, headOf, type Overtaken } from './evaluate.ts';
import {
  clearFaults,
  faultOf,
  isNewEnough,
  keepFault,
  leaseOf,
  pauseKeys,
  type Job,
  type Ports,
  type Settled,
} from './job.ts';
import { renewListing } from './renew-listing.ts';
import { isOfPolicy, troubleOf } from './trouble.ts';

/** A lease is extended three times in this time; one that was not belongs to a process that is gone. */
const LEASE_MS = 8_000;
const WAIT_FIRST_MS = 25;
const WAIT_LONGEST_MS = 400;
/** Being overtaken this often means that something is broken. */
const MAX_OVERTAKEN = 20;

/** What the store says at one moment. */
interface Known {
  readonly stored: Versioned<StoredDecision> | undefined;
  readonly listing: ListingRecord | undefined;
  readonly head: SeenDigest | undefined;
  /** The decision is as new as wanted. */
  readonly current: boolean;
}

/**
 * Answers a job: from the store when that is new enough, else by asking the registry, or by waiting for the process that
 * does so already. Somebody with a decision waits `job.patienceMs` at most; a first resolution as long as `signal` lets it.
 */
export async function settle(job: Job, ports: Ports, signal: AbortSignal): Promise<Settled> {
  const first = await look(job, ports);
  if (first.current && first.stored !== undefined) return decided(job, first.stored.value);
  if (first.stored !== undefined) {
    const fault = await restingFault(job, ports);
    if (fault !== undefined) return { kind: 'fault', fault, previous: first.stored.value };
    using patience = startDeadline(job.patienceMs, ports, signal);
    return await work(job, ports, patience.signal, signal);
  }
  return work(job, ports, signal, signal);
}

/** Looks, and works or waits, until there is an answer or the patience ends. */
async function work(job: Job, ports: Ports, patience: AbortSignal, caller: AbortSignal): Promise<Settled> {
  const lease = leaseOf(job);
  let waitMs = WAIT_FIRST_MS;
  for (let overtaken = 0; overtaken < MAX_OVERTAKEN;) {
    const known = await look(job, ports);
    if (known.current && known.stored !== undefined) return decided(job, known.stored.value);
    if (patience.aborted) return { kind: 'fault', fault: outOfTime(job), ...previousOf(known) };
    const fault = await faultSinceStart(job, known, ports);
    if (fault !== undefined) return { kind: 'fault', fault, ...previousOf(known) };

    const held = needsRegistry(job, known, ports) ? await ports.store.leases.acquire(lease, LEASE_MS) : 'not needed';
    if (held === undefined) {
      job.steps?.push('waited for who asks the same already');
      await rest(waitMs * (0.5 + ports.random()), ports, patience);
      waitMs = Math.min(waitMs * 2, WAIT_LONGEST_MS);
      continue;
    }
    const outcome =
      held === 'not needed'
        ? await improveAndClear(job, known, ports, patience)
        : await underLease(held, job, ports, patience, caller);
    if (outcome.kind === 'overtaken') {
      overtaken += 1;
      continue;
    }
    return outcome;
  }
  throw new Error(`decision overtaken ${MAX_OVERTAKEN} times: ${job.access.repository.name}`);
}

/** Works while the lease is kept alive. */
async function underLease(
  lease: Lease,
  job: Job,
  ports: Ports,
  patience: AbortSignal,
  caller: AbortSignal,
): Promise<Settled | Overtaken> {
  const alive = keptAlive(lease, ports);
  try {
    // Who held it before may have done the work, or found out that it can't be done.
    const known = await look(job, ports);
    if (known.current && known.stored !== undefined) return decided(job, known.stored.value);
    const fault = await faultSinceStart(job, known, ports);
    if (fault !== undefined) return { kind: 'fault', fault, ...previousOf(known) };
    const outcome = await withReason(await improveAndClear(job, known, ports, patience), job, ports);
    // Kept before the lease ends, so that those who wait for it find it. When the caller went away or its time is over,
    // that says nothing of the registry.
    if (outcome.kind === 'fault' && !caller.aborted && !isOfPolicy(outcome.fault))
      await remember(job, outcome.fault, known, ports);
    return outcome;
  } finally {
    await alive?.end();
    await lease.release();
  }
}

/** Extends a lease that would end by itself. */
function keptAlive(lease: Lease, ports: Ports): { end(): Promise<void> } | undefined {
  if (lease.extend === undefined) return undefined;
  const done = new AbortController();
  const extend = async (): Promise<void> => {
    for (;;) {
      await rest(LEASE_MS / 4, ports, done.signal);
      if (done.signal.aborted || (await lease.extend?.()) !== true) return;
    }
  };
  const extending = extend();
  return {
    async end() {
      done.abort('over');
      await extending;
    },
  };
}

/**
 * A registry that rests is not asked again. What made it rest says more than that it does, and a person who tries twice
 * reads the same twice.
 */
async function withReason(outcome: Settled | Overtaken, job: Job, ports: Ports): Promise<Settled | Overtaken> {
  if (outcome.kind !== 'fault' || outcome.fault.resting !== true) return outcome;
  const kept = (await faultOf(job, ports))?.fault;
  if (kept?.kind !== outcome.fault.kind) return outcome;
  const { retryAfterMs } = outcome.fault;
  return { ...outcome, fault: { ...kept, ...(retryAfterMs !== undefined && { retryAfterMs }), resting: true } };
}

/** What succeeds ends the faults that were kept of it. */
async function improveAndClear(
  job: Job,
  known: Known,
  ports: Ports,
  signal: AbortSignal,
): Promise<Settled | Overtaken> {
  const outcome = await improve(job, known, ports, signal);
  if (outcome.kind === 'decided' || outcome.kind === 'nothing') await clearFaults(job, ports);
  return outcome;
}

/** Brings the decision up to date: the listing, what is decided from it, and the digest of what was decided. */
async function improve(job: Job, known: Known, ports: Ports, signal: AbortSignal): Promise<Settled | Overtaken> {
  const { stored } = known;
  if (job.followed !== undefined) return improveFollowed(job, job.followed, known, ports, signal);

  let { listing } = known;
  if (listing === undefined || !isNewEnough(job, listing.fetchedAt, ports.now())) {
    const renewed = await renewListing(job, listing, ports, signal);
    if (renewed.kind === 'failed') return { kind: 'fault', fault: renewed.fault, ...previousOf(known) };
    // Whatever becomes of this policy: for the others on the listing the registry answered.
    await ports.store.faults.clear(leaseOf(job));
    listing = await ports.store.listings.get(job.listing);
    if (listing === undefined) return { kind: 'overtaken' };
  }
  const { fetchedAt } = listing;
  if (stored === undefined || !isStillBest(job, stored.value, listing))
    return evaluate(job, fetchedAt, stored, ports, signal);
  if (stored.value.confirmedAt !== fetchedAt)
    job.steps?.push(`${stored.value.tag} is still the best: the tags are the same`);
  return confirm(job, stored, fetchedAt, ports, signal);
}

/** Whether a decision was made from the very tags that are listed now, and by them alone. */
function isStillBest({ selection }: Job, decision: StoredDecision, { fetchedAt, sameSince }: ListingRecord): boolean {
  if (decision.confirmedAt === fetchedAt) return true;
  if (sameSince === undefined || decision.missing !== undefined || !isByName(selection)) return false;
  return sameSince <= decision.confirmedAt && decision.confirmedAt <= fetchedAt;
}

/** Strategy digest: no listing, only what the tag points at. */
async function improveFollowed(
  job: Job,
  tag: Tag,
  known: Known,
  ports: Ports,
  signal: AbortSignal,
): Promise<Settled | Overtaken> {
  const { stored } = known;
  if (stored === undefined) {
    const names = await ports.selectByName(job, [tag], 0, signal);
    if (names.kind === 'fault') return { kind: 'fault', fault: names.fault };
    if (names.tags.length === 0) return { kind: 'nothing', tags: 1, label: names.label };
  }
  const seen = known.head;
  const head =
    seen !== undefined && isNewEnough(job, seen.seenAt, ports.now())
      ? { kind: 'digest' as const, ...seen }
      : await headOf(job, tag, ports, signal);
  if (head.kind === 'fault') return { kind: 'fault', fault: head.fault, ...previousOf(known) };
  const before = stored?.value;
  const movedAt = before?.digest === head.digest ? before.movedAt : ports.now();
  const decision: StoredDecision = { tag, digest: head.digest, movedAt, confirmedAt: head.seenAt };
  const version = await ports.store.decisions.put(job.key, decision, stored?.version ?? null);
  return version === undefined ? { kind: 'overtaken' } : { kind: 'decided', decision };
}

async function look(job: Job, ports: Ports): Promise<Known> {
  const { store } = ports;
  const now = ports.now();
  const stored = await decisionOf(job, ports);
  const tag = job.followed ?? stored?.value.tag;
  const head = tag === undefined || !job.wantsDigest ? undefined : await store.facts.head(job.listing, tag);
  const headIsNew = head !== undefined && isNewEnough(job, head.seenAt, now);
  if (job.followed !== undefined) {
    return { stored, listing: undefined, head, current: headIsNew && stored?.value.digest === head.digest };
  }
  const listing = await store.listings.get(job.listing);
  const evaluated =
    listing !== undefined &&
    isNewEnough(job, listing.fetchedAt, now) &&
    stored?.value.confirmedAt === listing.fetchedAt;
  // What the registry no longer shows can't be asked for its digest.
  const digestIsNew =
    !job.wantsDigest || stored?.value.missing !== undefined || (headIsNew && stored?.value.digest === head.digest);
  return { stored, listing, head, current: evaluated && digestIsNew };
}

/** A fresh listing and a strategy that reads names only: nothing to ask anybody. */
function needsRegistry(job: Job, { stored, listing }: Known, ports: Ports): boolean {
  const isListed = listing !== undefined && isNewEnough(job, listing.fetchedAt, ports.now());
  const maybeDigest = job.wantsDigest || stored?.value.digest !== undefined;
  return !isByName(job.selection) || !isListed || maybeDigest || job.onRemoved === 'next-best';
}

/** What the tags are called decides, and nothing else. */
function isByName({ strategy }: Selection): boolean {
  return strategy.kind === 'semver' || strategy.kind === 'alphabetical';
}

/**
 * A fault of this very question since the query began: found by whoever held the lease. That somebody with a decision ran
 * out of patience is no reason for a first resolution to give up too.
 */
async function faultSinceStart(job: Job, known: Known, ports: Ports): Promise<Fault | undefined> {
  const kept = await faultOf(job, ports);
  // Strictly after: a fault of the same millisecond is one that this query was started to get past.
  if (kept === undefined || !isSince(kept.at, job.startedAt + 1, ports.now())) return undefined;
  return kept.fault.kind === 'cancelled' && known.stored === undefined ? undefined : kept.fault;
}

/** Why the registry is left alone for now by those who have a decision: this question failed, or its host did. */
async function restingFault(job: Job, ports: Ports): Promise<Fault | undefined> {
  const kept = await faultOf(job, ports);
  if (kept !== undefined && isFresh(kept.at, job.intervalMs, ports.now())) return kept.fault;
  const keys = pauseKeys(job.access);
  const { pauses } = ports.store;
  const isPaused = (key: string): boolean => (pauses.pausedUntil(key) ?? 0) > ports.now();
  if (isPaused(keys.host)) return restingHost(job, 'outage');
  return isPaused(keys.credential) ? restingHost(job, 'throttled') : undefined;
}

/** Keeps a fault, so that the same is not asked again at once. */
async function remember(job: Job, fault: Fault, known: Known, ports: Ports): Promise<void> {
  if (fault.resting === true) return;
  const now = ports.now();
  await keepFault(job, fault, ports);
  // A first resolution asks again at the next opportunity; those with something to serve leave the registry in peace.
  if (known.stored === undefined) return;
  const listing = await ports.store.listings.get(job.listing);
  const wasRead = job.followed === undefined && listing !== undefined && isSince(listing.fetchedAt, job.startedAt, now);
  const trouble = troubleOf(fault, wasRead);
  if (trouble === undefined) return;
  const keys = pauseKeys(job.access);
  const until = now + Math.max(job.intervalMs, fault.retryAfterMs ?? 0);
  ports.store.pauses.pause(trouble === 'outage' ? keys.host : keys.credential, until);
}

/** Says nothing of the request that failed: it may have been another tenant's. */
function restingHost(job: Job, kind: 'outage' | 'throttled'): Fault {
  const { host } = job.access.endpoint;
  return {
    kind,
    error: {
      code: kind === 'outage' ? 'REGISTRY_UNAVAILABLE' : 'REGISTRY_THROTTLED',
      what: kind === 'outage' ? `${host} failed and is left alone for an interval` : `${host} asked to slow down`,
      where: job.access.repository.name,
      fix: 'see whether the registry is up; it is asked again by itself',
    },
  };
}

function outOfTime(job: Job): Fault {
  return {
    kind: 'cancelled',
    error: {
      code: 'REGISTRY_TIMEOUT',
      what: `${job.access.endpoint.host} did not answer in time for ${job.access.repository.name}`,
      where: job.access.repository.name,
      fix: 'see whether the registry is slow or throttles',
    },
  };
}

function decided(job: Job, decision: StoredDecision): Settled {
  job.steps?.push(`${decision.tag} was decided before, and that is new enough`);
  return { kind: 'decided', decision };
}

function previousOf({ stored }: Known): { readonly previous?: StoredDecision } {
  return stored === undefined ? {} : { previous: stored.value };
}
