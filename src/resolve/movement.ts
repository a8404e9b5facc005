import type { Digest } from '../image/reference.ts';
import type { Sightings, StoredDecision } from '../store/store.ts';
import type { Candidate } from '../strategy/strategy.ts';
import type { Ask } from './resolver.ts';

// When a decision moves (docs/strategies.md). Within a key it moves to a better tag only, on a complete listing; a lower
// one is taken only when the chosen tag is proved to be gone and the policy opted in. Pure: everything that was asked of
// the registry comes in as facts.

/** How often, and over how long, a tag must be seen to be gone before `on-removed: next-best` falls to another. */
const REMOVED_TIMES = 3;
const REMOVED_OVER_MS: number = 10 * 60 * 1000;

/** What a complete listing says. */
export interface Evaluation {
  readonly previous: StoredDecision | undefined;
  /** The best of all candidates. */
  readonly best: Candidate | undefined;
  /**
   * The previous tag: ranked with the others; not in the listing any more; or listed but no candidate (its image lost the
   * platform, say).
   */
  readonly standing: 'ranked' | 'missing' | 'unfit';
  /** Whether `best` ranks above the previous tag, were it still there; undefined: they can't be compared. */
  readonly outranks: boolean | undefined;
  /** A missing tag's manifest: gone (404), there after all, or nobody could say. */
  readonly manifest: 'gone' | 'there' | 'unknown';
  readonly onRemoved: Ask['onRemoved'];
  /** When the listing was fetched. */
  readonly listedAt: number;
}

export type Move =
  /** No decision, and nothing to choose. */
  | { readonly kind: 'none' }
  /** The first decision of a key: evaluated afresh, whatever keys of other policies hold. */
  | { readonly kind: 'first'; readonly to: Candidate }
  | { readonly kind: 'better'; readonly to: Candidate }
  | { readonly kind: 'same'; readonly to: Candidate }
  /** `on-removed: next-best`, with everything proved. */
  | { readonly kind: 'fall'; readonly to: Candidate }
  /** The registry no longer shows the tag; the decision stays. */
  | { readonly kind: 'keep'; readonly missing: Sightings };

/** Where a decision goes. */
export function planMove(evaluation: Evaluation): Move {
  const { previous, best, standing, outranks } = evaluation;
  if (previous === undefined) return best === undefined ? { kind: 'none' } : { kind: 'first', to: best };
  if (best !== undefined) {
    if (best.tag === previous.tag) return { kind: 'same', to: best };
    if (standing === 'ranked' || outranks === true) return { kind: 'better', to: best };
  }
  const missing = sightingsOf(evaluation, previous.missing);
  const proved =
    evaluation.onRemoved === 'next-best' &&
    standing === 'missing' &&
    evaluation.manifest === 'gone' &&
    missing.times >= REMOVED_TIMES &&
    evaluation.listedAt - missing.since >= REMOVED_OVER_MS;
  return proved && best !== undefined ? { kind: 'fall', to: best } : { kind: 'keep', missing };
}

function sightingsOf({ standing, manifest, listedAt }: Evaluation, before: Sightings | undefined): Sightings {
  // Begun in the future: a clock was wrong, and what was counted with it proves nothing.
  const valid = before !== undefined && before.since <= listedAt ? before : undefined;
  if (standing === 'missing' && manifest === 'gone') {
    return valid === undefined || valid.times === 0
      ? { since: listedAt, times: 1 }
      : { since: valid.since, times: valid.times + 1 };
  }
  // A manifest that is there after all begins the count anew; an unanswered question neither counts nor forgives.
  return manifest === 'unknown' && valid !== undefined ? valid : { since: listedAt, times: 0 };
}

/** The tag a move leads to; undefined for none. */
export function tagAfter(move: Move, previous: StoredDecision | undefined): Candidate | undefined {
  switch (move.kind) {
    case 'none':
      return undefined;
    case 'keep':
      return previous;
    case 'first':
    case 'better':
    case 'same':
    case 'fall':
      return move.to;
    default:
      return move satisfies never;
  }
}

/**
 * The decision after a move. The digest of the same tag always follows the registry, up and down: re-pointing `production`
 * to an older build is someone's rollback.
 *
 * @param digest what the tag points at now; undefined when nobody asked.
 */
export function decisionAfter(
  move: Exclude<Move, { kind: 'none' }>,
  previous: StoredDecision | undefined,
  digest: Digest | undefined,
  times: { readonly listedAt: number; readonly now: number },
): StoredDecision {
  if (move.kind === 'keep') {
    if (previous === undefined) throw new Error('nothing there to keep');
    return { ...previous, confirmedAt: times.listedAt, missing: move.missing };
  }
  const { tag, createdMs } = move.to;
  const before = move.kind === 'same' ? previous : undefined;
  const kept = digest ?? before?.digest;
  const moved = before === undefined || (before.digest !== undefined && before.digest !== kept);
  return {
    tag,
    ...(kept === undefined ? {} : { digest: kept }),
    ...(createdMs === undefined ? {} : { createdMs }),
    movedAt: moved ? times.now : before.movedAt,
    confirmedAt: times.listedAt,
  };
}
