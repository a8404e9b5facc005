import type { ErrorCode } from '../error/codes.ts';
import type { Digest, Tag } from '../image/reference.ts';
import type { Ask, GenerationClaim, Resolution, ResolveQuery, SourceClaim } from '../resolve/resolver.ts';

/** What an application was given for one image when it was last rendered. */
export type Given =
  | { readonly kind: 'image'; readonly tag?: Tag; readonly digest?: Digest }
  /** The field stayed as in Git. */
  | { readonly kind: 'as-in-git' }
  /** The generation failed for it. */
  | { readonly kind: 'error'; readonly code: ErrorCode };

export interface RegisteredAnswer {
  readonly ask: Ask;
  readonly given: Given;
}

/** One source of an application as its last generation used it. Plain JSON; kept in the store. */
export interface Registration {
  /** Argo CD's instance name. */
  readonly application: string;
  readonly project?: string;
  readonly source: SourceClaim;
  readonly revision: string;
  readonly parametersFingerprint: string;
  readonly sync?: 'full';
  /** What was rendered has hooks. */
  readonly hooks?: true;
  /** Of the generation that was answered last. */
  readonly generation: string;
  /** Milliseconds since the epoch, by our clock. */
  readonly answeredAt: number;
  /** {@link Application.specFingerprint} when it was answered; absent when the Application was not known. */
  readonly specFingerprint?: string;
  readonly answers: readonly RegisteredAnswer[];
  /** Revisions that were rendered before, the newest last; Argo CD may still hold their manifests. A bounded number. */
  readonly earlierRevisions: readonly string[];
  /** {@link Application.specFingerprint} of the specs that were rendered before, the newest last. A bounded number. */
  readonly earlierSpecs?: readonly string[];
}

/** A query that names the generation it belongs to. */
export type RegisteringQuery = ResolveQuery & { readonly generation: GenerationClaim };

/** Who uses what: one registration for each source of each application that renders with this plugin. */
export interface Registrations {
  /**
   * Takes down what a generation asked and was given; kept on disk before it returns. Queries of one generation add up, a
   * new generation replaces the one before.
   */
  record(query: RegisteringQuery, resolutions: readonly Resolution[]): Promise<void>;
  /**
   * Takes down what a generation was given by a sidecar that could not ask or did not hear the answer. It stands for that of
   * {@link record}, whichever comes first; not for a later generation's.
   *
   * @param given one for each ask, in the same order.
   * @param agoMs how long ago that was, in milliseconds.
   */
  recordUnheard(query: RegisteringQuery, given: readonly Given[], agoMs: number): Promise<void>;
  /** The sources of one application, by instance name. */
  of(application: string): readonly Registration[];
  all(): Iterable<Registration>;
  readonly count: number;
  /**
   * Takes note that Argo CD took over what was rendered for another revision or spec (it renamed its cache entry, or the
   * change was seen late). Kept on disk.
   */
  adopt(
    registration: Registration,
    to: { readonly revision?: string; readonly specFingerprint?: string },
  ): Promise<void>;
  /** Ends every registration whose Application no longer refers to it, once all Applications are known; till then nothing. */
  verify(): Promise<void>;
  /** Told of the instance name whose registrations were recorded (even unchanged) or ended. Answers how to stop. */
  onChange(listener: (application: string) => void): () => void;
}
