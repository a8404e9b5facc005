import type { Failure } from './freshness.ts';
import type { Tag } from '../image/reference.ts';
import type { Access } from '../registry/access.ts';
import type { Ask } from '../resolve/resolver.ts';
import type { DecisionKey, ListingKey } from '../store/store.ts';
import type { Selection } from '../strategy/selection.ts';

/** One decision that is kept fresh, for all who use it. */
export interface Followed {
  readonly key: DecisionKey;
  readonly target: Target;
  access: Access;
  readonly selection: Selection;
  readonly onRemoved: Ask['onRemoved'];
  readonly uses: Set<Use>;
  /** There is a decision. */
  decided: boolean;
  /** The listing was read, and this could not be decided from it. */
  failing?: Failure;
}

/** One image of one application. */
export interface Use {
  readonly application: string;
  readonly project?: string;
  /** The very object that the registration holds. */
  readonly ask: Ask;
  readonly intervalMs: number;
  readonly wantsDigest: boolean;
  readonly followed: Followed;
}

/** What was seen of a tag before a hint was followed. */
export interface TagSeen {
  readonly listed: boolean;
  readonly digest: string | undefined;
}

/** A tag that somebody said was pushed, and that was not seen yet. */
export interface Awaited {
  readonly before: TagSeen;
  /** When it is looked for again, in steady time. */
  readonly due: number[];
}

/** What one look looks at: a listing with all decisions from it, or what a followed tag points at. */
export interface Target {
  /** The name of its lease in the store. */
  readonly id: string;
  readonly listing: ListingKey;
  /** Strategy digest: nothing is listed. */
  readonly tag?: Tag;
  access: Access;
  /** As policies and as the registry name it; normal form. */
  readonly repositories: Set<string>;
  readonly decisions: Map<DecisionKey, Followed>;
  /** The shortest that is asked for. */
  intervalMs: number;
  /** In steady time: when the last look began. */
  startedAt?: number;
  looking: boolean;
  /** Milliseconds since the epoch. */
  lastCompleteAt?: number;
  /** It could not be read, which concerns every decision. */
  failing?: Failure;
  /** Looks that failed in a row. */
  failures: number;
  /** In steady time. */
  faultAt?: number;
  hint?: { cause: 'webhook' | 'user'; readonly tags: Set<Tag> };
  readonly awaited: Map<Tag, Awaited>;
}

export function isUsed({ decisions }: Target): boolean {
  for (const { uses } of decisions.values()) if (uses.size > 0) return true;
  return false;
}

/** Why a decision is not as new as it should be. */
export function failingOf({ target, failing }: Followed): Failure | undefined {
  return target.failing ?? failing;
}

/** The first that is told of a target. */
export function anyFailing(target: Target): Failure | undefined {
  if (target.failing !== undefined) return target.failing;
  for (const { failing } of target.decisions.values()) if (failing !== undefined) return failing;
  return undefined;
}

/** As jobs say it. */
export function followedOf({ tag }: Target): { readonly followed?: Tag } {
  return tag === undefined ? {} : { followed: tag };
}
