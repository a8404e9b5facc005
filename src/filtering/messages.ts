import type { UserErrorData } from '../error/user-error.ts';
import type { Selection } from '../strategy/selection.ts';
import type { Rejected } from '../strategy/strategy.ts';

/** What a worker is asked. */
export interface FilterRequest {
  readonly selection: Selection;
  /** One tag a line: one text is copied in a quarter of the time that many are. */
  readonly tags: string;
  readonly count: number;
  /** How many rejected tags are wanted. */
  readonly told: number;
}

/** What a worker says. */
export type FilterReply =
  /** It has loaded what it needs. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'selected';
      readonly label: string;
      /** Places in the list of tags. */
      readonly places: Uint32Array<ArrayBuffer>;
      readonly rejected: readonly Rejected[];
      readonly rejectedTotal: number;
    }
  | { readonly kind: 'invalid'; readonly error: UserErrorData }
  /** The stack, or an array, became too large. */
  | { readonly kind: 'too large' }
  /** A bug of ours. */
  | { readonly kind: 'broken'; readonly stack: string };
