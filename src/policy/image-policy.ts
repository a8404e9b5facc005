import type { Digest, Repository, Tag } from '../image/reference.ts';
import type { CredentialName } from '../registry/access.ts';
import type { Selection } from '../strategy/selection.ts';

/** Where a policy was written: A over B over D (docs/policies.md). */
export interface Origin {
  readonly place: 'parameters' | 'file' | 'annotation';
  /** For messages: `parameter images[0]`, `.image-resolver.yaml:6:5`, `Deployment/web annotation image-resolver.io/app`. */
  readonly where: string;
}

/** What a policy wants done with its image. */
export type Choice =
  | { readonly kind: 'select'; readonly selection: Selection }
  /** Write just this, asking no registry. */
  | { readonly kind: 'pin'; readonly tag: Tag }
  | { readonly kind: 'pin'; readonly digest: Digest }
  /** Strategy `none`: the field stays as in Git. */
  | { readonly kind: 'none' }
  /** `ignore-tags: "*"`: the field stays as in Git, with a notice. */
  | { readonly kind: 'paused' };

export type Output = 'tag' | 'digest' | 'tag@digest';

/** Values to set before rendering. Dotted paths as argocd-image-updater has them (`foo[1].image.tag`). */
export type Target =
  | { readonly kind: 'helm'; readonly name?: string; readonly tag: string }
  | { readonly kind: 'helm-spec'; readonly spec: string }
  | { readonly kind: 'kustomize'; /** The name kustomize matches on, as in the base. */ readonly name: string };

/** How a chosen image is written. */
export interface WriteSpec {
  /** Absent: per strategy (tag for semver and alphabetical, tag@digest for digest and newest-build). */
  readonly output?: Output;
  readonly target?: Target;
}

/** Selects fields of one repository when several policies name it. All given parts must match; globs as Go's `filepath.Match`. */
export interface ImageMatch {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly container?: string;
}

/** Which tag in Git makes a field this policy's own, when several policies are about its repository. */
export type TagSelector =
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'constraint'; /** Masterminds' dialect. */ readonly constraint: string };

/** An image policy as a tenant wrote it, parsed and checked. What the operator allows of it is decided by the resolver. */
export interface ImagePolicy {
  /**
   * For messages and `explain`, unique in its place for one repository: the written repository where no alias was given, and
   * for annotations workload and container (`Deployment/web/app`), because two workloads may have containers of one name.
   */
  readonly alias: string;
  readonly repository: Repository;
  readonly writtenRepository: string;
  /** Empty: every field of the repository. */
  readonly match: readonly ImageMatch[];
  /** Kept for every choice: an image that is pinned or paused must still be told apart. Absent: the tag says nothing. */
  readonly tagSelector?: TagSelector;
  readonly choice: Choice;
  readonly write: WriteSpec;
  readonly optional: boolean;
  readonly onUnsatisfied: 'git' | 'error';
  readonly onRemoved: 'keep' | 'next-best';
  readonly pollIntervalMs?: number;
  readonly credential?: CredentialName;
  readonly origin: Origin;
  /** Where each filter of the selection is written, for messages: no part of what is asked. Empty without selection. */
  readonly filterPlaces: readonly string[];
}
