import type { Platform } from '../image/platform.ts';
import type { Tag } from '../image/reference.ts';

/** A tag filter, checked where it was written. `allow` keeps what matches, `ignore` drops it. */
export type FilterSpec =
  | {
      readonly effect: 'allow' | 'ignore';
      readonly kind: 'regexp';
      /** RE2 syntax, unanchored. */ readonly pattern: string;
    }
  | {
      readonly effect: 'allow' | 'ignore';
      readonly kind: 'glob';
      /** Go's `filepath.Match`. */ readonly pattern: string;
    };

/** Which tag: the strategy as it was admitted, plain JSON. */
export type StrategySpec =
  | {
      readonly kind: 'semver';
      /** Masterminds' dialect, trimmed; `*` when nothing was written. */ readonly constraint: string;
    }
  | { readonly kind: 'newest-build' }
  | { readonly kind: 'alphabetical' }
  | { readonly kind: 'digest'; /** The tag to follow; absent: the tag of the field in Git. */ readonly tag?: Tag };

/** What makes one decision different from another. Only this (with access scope and repository) is part of a key. Plain JSON. */
export interface Selection {
  readonly strategy: StrategySpec;
  readonly filters: readonly FilterSpec[];
  readonly platforms: readonly Platform[];
}
