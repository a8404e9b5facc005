import type { Digest, Tag } from '../image/reference.ts';

/** A tag with what is known of it. `createdMs` is read only by strategies that need it. */
export interface Candidate {
  readonly tag: Tag;
  readonly digest?: Digest;
  /** Milliseconds since the epoch. */
  readonly createdMs?: number;
}

/** Which rule dropped a tag: `ignore-tags "*-rc*"`, `constraint ~1.0`, `not a version`. */
export interface Rejected {
  readonly tag: string;
  readonly rule: string;
}

/** What a strategy says of the candidates. */
export interface Ranking {
  readonly best: Candidate | undefined;
  /** Best first. */
  readonly ranked: readonly Candidate[];
  readonly rejected: readonly Rejected[];
}

/** Which tag? Pure; one file per strategy; `from-spec.ts` is the only place that knows all of them. */
export interface Strategy {
  /** What the user wrote, for messages: `semver ~1.4`. */
  readonly label: string;
  /** Facts beyond the name that ranking reads; the caller fetches exactly these. */
  readonly needs: 'tags' | 'created' | 'digest';
  /** Best first, and why each of the rest was rejected. Input order never matters and `candidates` is never mutated. */
  rank(candidates: readonly Candidate[]): Ranking;
}

/**
 * A whole selection made ready: filters, then strategy. cosign's `sha256-….sig|.att|.sbom` are never candidates.
 * `preselect` applies everything that needs names only, so that the caller fetches facts for as few tags as possible.
 */
export interface Selector {
  readonly label: string;
  readonly needs: Strategy['needs'];
  preselect(tags: readonly Tag[]): { readonly kept: readonly Tag[]; readonly rejected: readonly Rejected[] };
  rank(candidates: readonly Candidate[]): Ranking;
}
