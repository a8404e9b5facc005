import type { Digest, Tag } from '../image/reference.ts';
import type { Fault } from '../registry/sources.ts';
import { rankerFor } from '../strategy/by-name.ts';
import type { Selection } from '../strategy/selection.ts';
import type { Candidate, Ranking, Selector } from '../strategy/strategy.ts';
import type { StoredDecision, Versioned } from '../store/store.ts';
import { dateByOrder, dateCandidates } from './build-dates.ts';
import type { Job, Ports, Settled } from './job.ts';
import { decisionAfter, planMove, tagAfter, type Evaluation, type Move } from './movement.ts';

/** Another process was quicker: look again. */
export type Overtaken = { readonly kind: 'overtaken' };

/** Makes the decision that a complete listing calls for, and keeps it. */
export async function evaluate(
  job: Job,
  fetchedAt: number,
  stored: Versioned<StoredDecision> | undefined,
  ports: Ports,
  signal: AbortSignal,
): Promise<Settled | Overtaken> {
  const tags = await ports.store.listings.tags(job.listing, fetchedAt);
  if (tags === undefined) return { kind: 'overtaken' };
  const names = await ports.selectByName(job, tags, 0, signal);
  if (names.kind === 'fault') return faultOf(names.fault, stored?.value);
  const ranker = await rankerFor(job.selection);
  const begun = stored === undefined ? await floorOf(job, tags, ports, signal) : undefined;
  if (begun?.kind === 'fault') return faultOf(begun.fault, undefined);
  const previous = stored?.value ?? begun?.floor;
  const ranked = await rank(job, { tags, kept: names.tags, fetchedAt }, ranker, ports, signal);
  if (ranked.kind === 'fault') return faultOf(ranked.fault, previous);

  const { best } = ranked;
  const standing = standingOf(previous, tags, ranked.ranked);
  const asked = job.onRemoved === 'keep' || standing !== 'missing' || best === undefined;
  const evaluation: Evaluation = {
    previous,
    best,
    standing,
    outranks: best === undefined || previous === undefined ? undefined : outranks(ranker, best, previous),
    manifest: asked || previous === undefined ? 'unknown' : await manifestOf(job, previous.tag, ports, signal),
    onRemoved: job.onRemoved,
    listedAt: fetchedAt,
  };
  const move = planMove(evaluation);
  if (move.kind === 'none') {
    const nearest = await newestOutside(job, tags, ports, signal);
    return { kind: 'nothing', tags: tags.length, label: names.label, ...(nearest === undefined ? {} : { nearest }) };
  }
  const digest = await digestAfter(job, move, previous, ports, signal);
  if (digest.kind === 'fault') return faultOf(digest.fault, previous);
  const decision = decisionAfter(move, previous, digest.digest, { listedAt: fetchedAt, now: ports.now() });
  if ((await ports.store.decisions.put(job.key, decision, stored?.version ?? null)) === undefined)
    return { kind: 'overtaken' };
  job.steps?.push(stepOf(move, previous));
  return { kind: 'decided', decision };
}

/**
 * What is known to be still the best, with what it points at now where that is wanted.
 *
 * @param listedAt the listing that it is the best of.
 */
export async function confirm(
  job: Job,
  stored: Versioned<StoredDecision>,
  listedAt: number,
  ports: Ports,
  signal: AbortSignal,
): Promise<Settled | Overtaken> {
  const { value } = stored;
  const head = job.wantsDigest ? await headOf(job, value.tag, ports, signal) : undefined;
  if (head?.kind === 'fault') return faultOf(head.fault, value);
  const digest = head?.digest ?? value.digest;
  const moved = value.digest !== undefined && value.digest !== digest;
  const decision: StoredDecision = {
    ...value,
    ...(digest === undefined ? {} : { digest }),
    movedAt: moved ? ports.now() : value.movedAt,
    confirmedAt: listedAt,
  };
  if (digest === value.digest && listedAt === value.confirmedAt) return { kind: 'decided', decision: value };
  const version = await ports.store.decisions.put(job.key, decision, stored.version);
  return version === undefined ? { kind: 'overtaken' } : { kind: 'decided', decision };
}

/** Asks what a tag points at, and keeps the answer. */
export async function headOf(
  job: Job,
  tag: Tag,
  ports: Ports,
  signal: AbortSignal,
): Promise<{ kind: 'digest'; digest: Digest; seenAt: number } | { kind: 'fault'; fault: Fault }> {
  const client = await ports.registry();
  const seenAt = ports.now();
  const head = await client.head(job.access, tag, signal);
  if (head.kind === 'failed') return { kind: 'fault', fault: head.fault };
  await ports.store.facts.putHead(job.listing, tag, { digest: head.digest, seenAt });
  job.steps?.push(`asked ${job.access.endpoint.host} what ${tag} points at`);
  return { kind: 'digest', digest: head.digest, seenAt };
}

type Ranker = Pick<Selector, 'needs' | 'rank'>;

/** A listing, and what names alone leave of it. */
interface Listed {
  readonly tags: readonly Tag[];
  readonly kept: readonly Tag[];
  readonly fetchedAt: number;
}

type Ranked =
  | { readonly kind: 'ranked'; readonly best: Candidate | undefined; readonly ranked: readonly Candidate[] }
  | { readonly kind: 'fault'; readonly fault: Fault };

async function rank(
  job: Job,
  { tags, kept, fetchedAt }: Listed,
  ranker: Ranker,
  ports: Ports,
  signal: AbortSignal,
): Promise<Ranked> {
  if (ranker.needs !== 'created') {
    const ranked = kept.map((tag) => ({ tag }));
    return { kind: 'ranked', best: ranked[0], ranked };
  }
  const order = job.access.endpoint.tagSortMode;
  if (order !== undefined) return withoutDates(ranker.rank(dateByOrder(kept, tags, order)));
  const dated = await dateCandidates(job, kept, ranker, fetchedAt, ports, signal);
  if (dated.kind === 'dated') return { kind: 'ranked', ...ranker.rank(dated.candidates) };
  return { kind: 'fault', fault: unreadable(dated.fault, dated.unread, kept.length) };
}

/** A place in one list says nothing beside a place in the next one, so it is not kept. */
function withoutDates({ best, ranked }: Ranking): Ranked {
  return {
    kind: 'ranked',
    best: best === undefined ? undefined : { tag: best.tag },
    ranked: ranked.map(({ tag }) => ({ tag })),
  };
}

type Floor =
  | { readonly kind: 'floor'; readonly floor: StoredDecision | undefined }
  | { readonly kind: 'fault'; readonly fault: Fault };

/**
 * What a first decision does not fall below: what runs already, unless the listing ranks it with the others, or the registry
 * does not have it (then nobody can say that it ever did). While the registry does not say, nothing is decided.
 */
async function floorOf(job: Job, tags: readonly Tag[], ports: Ports, signal: AbortSignal): Promise<Floor> {
  const { floor } = job;
  if (floor === undefined || tags.includes(floor.tag)) return { kind: 'floor', floor: undefined };
  const head = await headOf(job, floor.tag, ports, signal);
  if (head.kind === 'digest') return { kind: 'floor', floor: { ...floor, digest: head.digest } };
  return head.fault.kind === 'missing' ? { kind: 'floor', floor: undefined } : { kind: 'fault', fault: head.fault };
}

/** One unread date could be the newest, so the fault of one is the fault of all. */
function unreadable(fault: Fault, unread: readonly Tag[], of: number): Fault {
  const some = unread.length === 1 ? `tag ${unread[0]}` : `${unread.length} of ${of} tags`;
  return {
    ...fault,
    error: { ...fault.error, what: `the build date of ${some} could not be read: ${fault.error.what}` },
  };
}

function standingOf(
  previous: StoredDecision | undefined,
  tags: readonly Tag[],
  ranked: readonly Candidate[],
): Evaluation['standing'] {
  if (previous === undefined || ranked.some(({ tag }) => tag === previous.tag)) return 'ranked';
  return tags.includes(previous.tag) ? 'unfit' : 'missing';
}

function outranks(ranker: Ranker, best: Candidate, previous: StoredDecision): boolean | undefined {
  const { ranked } = ranker.rank([best, previous]);
  return ranked.length === 2 ? ranked[0]?.tag === best.tag : undefined;
}

async function manifestOf(job: Job, tag: Tag, ports: Ports, signal: AbortSignal): Promise<Evaluation['manifest']> {
  const client = await ports.registry();
  const head = await client.head(job.access, tag, signal);
  if (head.kind === 'found') return 'there';
  return head.fault.kind === 'missing' ? 'gone' : 'unknown';
}

/** A decision moves as a whole: where a digest belongs to it, the new tag's is asked for before anything is kept. */
async function digestAfter(
  job: Job,
  move: Move,
  previous: StoredDecision | undefined,
  ports: Ports,
  signal: AbortSignal,
): Promise<{ kind: 'digest'; digest: Digest | undefined } | { kind: 'fault'; fault: Fault }> {
  const target = tagAfter(move, previous);
  const moves = move.kind !== 'same';
  const wanted = job.wantsDigest || (moves && previous?.digest !== undefined);
  if (target === undefined || move.kind === 'keep' || !wanted || target.digest !== undefined) {
    return { kind: 'digest', digest: move.kind === 'keep' ? undefined : target?.digest };
  }
  return headOf(job, target.tag, ports, signal);
}

/** The highest version that passes the filters but not the constraint, for the error. */
async function newestOutside(
  job: Job,
  tags: readonly Tag[],
  ports: Ports,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (job.selection.strategy.kind !== 'semver') return undefined;
  for (const constraint of ['*', '>=0-0']) {
    const selection: Selection = { ...job.selection, strategy: { kind: 'semver', constraint } };
    const names = await ports.selectByName({ ...job, selection }, tags, 0, signal);
    if (names.kind === 'fault') return undefined;
    const [best] = names.tags;
    if (best !== undefined) return best;
  }
  return undefined;
}

function stepOf(move: Exclude<Move, { kind: 'none' }>, previous: StoredDecision | undefined): string {
  switch (move.kind) {
    case 'first':
      return `nothing was decided for this policy before: ${move.to.tag} is the best`;
    case 'better':
      return `${move.to.tag} is better than ${previous?.tag}`;
    case 'same':
      return `${move.to.tag} is still the best`;
    case 'fall':
      return `${previous?.tag} is gone for good, so the next best is taken: ${move.to.tag}`;
    case 'keep':
      return `${previous?.tag} is kept, although the registry no longer offers it`;
    default:
      return move satisfies never;
  }
}

function faultOf(fault: Fault, previous: StoredDecision | undefined): Settled {
  return previous === undefined ? { kind: 'fault', fault } : { kind: 'fault', fault, previous };
}
