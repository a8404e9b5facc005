import type { UserErrorData } from '../error/user-error.ts';
import type { Digest, Tag } from '../image/reference.ts';
import type { Platform } from '../image/platform.ts';
import type { Access } from './access.ts';

/** A registry request that did not give an answer. */
export interface Fault {
  readonly error: UserErrorData;
  /**
   * - `outage`: connection, DNS, TLS, timeout, 5xx, not the registry API: concerns the host.
   * - `throttled`: 429: concerns host and credential.
   * - `denied`: 401, 403 after the credential was read again: no outage.
   * - `missing`: 404.
   * - `refused`: a rule of ours (address, redirect, realm, limits) stopped it.
   * - `cancelled`: the budget passed or the caller went away.
   */
  readonly kind: 'outage' | 'throttled' | 'denied' | 'missing' | 'refused' | 'cancelled';
  /** From `Retry-After`, milliseconds from now. */
  readonly retryAfterMs?: number;
  /** Nothing was asked, because host or credential rests after an earlier fault; that one says why. */
  readonly resting?: true;
}

/** ETag and Last-Modified of a listing, where the registry offers them. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

/** What may be known of the listing before, so that one that is the same need not be sent, or read, again. */
export interface PreviousListing extends Validators {
  readonly fingerprint?: string;
}

/** A tag listing. Complete or nothing: no variant carries part of a list. */
export type Listing =
  | {
      readonly kind: 'complete';
      /** Legal tags, each once, in the registry's order. */
      readonly tags: readonly Tag[];
      readonly validators?: Validators;
      /** Of what was asked for and the bytes that were sent. For who lists again, and where they came in one page. */
      readonly fingerprint?: string;
    }
  | {
      readonly kind: 'unchanged';
      /** The registry did not say so: it sent the very same bytes. */
      readonly sent?: true;
    }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** Lists tags. Other APIs (Docker Hub, Harbor, Quay) become other sources. */
export interface TagSource {
  list(access: Access, previous: PreviousListing | undefined, signal: AbortSignal): Promise<Listing>;
}

export type HeadFact =
  | { readonly kind: 'found'; readonly digest: Digest }
  | { readonly kind: 'failed'; readonly fault: Fault };

/**
 * When the image behind a digest was built: the newest `created` of the wanted platforms' configs.
 * `no-platform`: an index without a wanted platform. `undated`: no readable `created`.
 */
export type BuildFact =
  | { readonly kind: 'built'; /** Milliseconds since the epoch. */ readonly createdMs: number }
  | { readonly kind: 'no-platform' }
  | { readonly kind: 'undated' }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** Facts about single tags and digests. */
export interface FactSource {
  /** The digest a tag names now, by HEAD (GET where HEAD is not offered). */
  head(access: Access, tag: Tag, signal: AbortSignal): Promise<HeadFact>;
  /** The build date behind a digest. What a digest names never changes, so callers keep the answer. */
  built(access: Access, digest: Digest, platforms: readonly Platform[], signal: AbortSignal): Promise<BuildFact>;
  /** Digest and build date of a tag at once: one GET of the manifest and the config blobs; for a cold newest-build. */
  inspect(
    access: Access,
    tag: Tag,
    platforms: readonly Platform[],
    signal: AbortSignal,
  ): Promise<{ readonly head: HeadFact; readonly built?: BuildFact }>;
}

/** The registry client as the resolver sees it. */
export interface RegistryClient extends TagSource, FactSource {
  close(): Promise<void>;
}
