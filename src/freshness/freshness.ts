import type { Repository, Tag } from '../image/reference.ts';
import type { Fault } from '../registry/sources.ts';
import type { Settle } from '../resolve/job.ts';
import type { DecisionMove } from '../store/observed-store.ts';

/** A reason to look at a registry before its time. */
export type Hint =
  | { readonly cause: 'webhook'; readonly repository: Repository; readonly tag?: Tag }
  /** Somebody asked for a hard refresh of this application (instance name). */
  | { readonly cause: 'user'; readonly application: string };

export type MoveCause = 'poll' | 'webhook' | 'user' | 'first';

/** A decision moved, and who uses it. */
export interface Moved {
  readonly move: DecisionMove;
  readonly cause: MoveCause;
  /** Instance names. */
  readonly applications: readonly string[];
}

/** How one image of an application stands with its registry. For `status`. Times are milliseconds since the epoch. */
export interface Standing {
  readonly lastCompleteAt?: number;
  readonly nextLookAt?: number;
  readonly intervalMs: number;
  readonly failing?: Failure;
}

/** Since when an image fails, and how. */
export interface Failure {
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly fault: Fault;
}

/** Keeps decisions fresh: the only part that talks to registries. */
export interface Freshness {
  /** How a job of a query is answered: what is decided at once; a first decision after a bounded wait. */
  readonly settle: Settle;
  /** Looks at what is due until the signal aborts; comes back when everything it began has ended. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks soon. Answers how many repositories that concerns; 0: nobody uses it. */
  look(hint: Hint): number;
  /** By image (`Ask.image`) of the application. */
  standings(application: string): ReadonlyMap<string, Standing>;
  /** The same, of images that fail alone: quick for the many applications that have none. */
  failures(application: string): ReadonlyMap<string, Failure>;
  onMoved(listener: (moved: Moved) => void): () => void;
  /** An image that had no answer (or a fault) settled again without moving: who failed for it may be refreshed. */
  onRecovered(listener: (applications: readonly string[]) => void): () => void;
}
