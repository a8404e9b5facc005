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
  /** Of the generation that was answered last. */
  readonly generation: string;
  /** Milliseconds since the epoch, by our clock. */
  readonly answeredAt: number;
  /** {@link Application.specFingerprint} when it was answered; absent when the Application was not known. */
  readonly specFingerprint?: string;
  readonly answers: readonly RegisteredAnswer[];
  /** Revisions that were rendered before, the newest last; Argo CD may still hold their manifests. A bounded number. */
  readonly earlierRevisions: readonly string[];
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
  /** The sources of one application, by instance name. */
  of(application: string): readonly Registration[];
  all(): Iterable<Registration>;
  readonly count: number;
  /** Told of the instance name whose registrations changed or ended. Answers how to stop. */
  onChange(listener: (application: string) => void): () => void;
}
