import type { ErrorCode } from '../error/codes.ts';
import type { Decision } from '../store/store.ts';

// What `image-resolver status` shows of an application. Plain JSON; times are milliseconds since the epoch.

/** How one image of an application stands. */
export interface ImageStatus {
  /** Stable within the application; beside the label, because two labels may be equal. */
  readonly image: string;
  readonly label: string;
  /** Normal form: `docker.io/library/nginx`. */
  readonly repository: string;
  /** `semver ~1.0, allow-tags "regexp:^v"`. */
  readonly policy: string;
  /** What the last generation was given. */
  readonly given:
    | { readonly kind: 'image'; readonly tag?: string; readonly digest?: string }
    | { readonly kind: 'as-in-git' }
    | { readonly kind: 'error'; readonly code: ErrorCode };
  /** What is kept for the application; its `movedAt` and `confirmedAt` tell its age. */
  readonly decision?: Decision;
  /** The last complete look at the registry. */
  readonly lastCompleteAt?: number;
  readonly nextLookAt?: number;
  readonly intervalMs?: number;
  /** Since when the registry fails, and how. */
  readonly failing?: { readonly since: number; readonly code: ErrorCode; readonly what: string };
}

/** One source of an application as it was rendered last. */
export interface SourceStatus {
  readonly repoURL: string;
  readonly path: string;
  readonly targetRevision: string;
  readonly revision: string;
  readonly answeredAt: number;
  readonly images: readonly ImageStatus[];
}

export interface ApplicationStatus {
  /** `namespace/name`. */
  readonly application: string;
  readonly project?: string;
  /** Empty: it was not rendered by this plugin since the controller knows it. */
  readonly sources: readonly SourceStatus[];
  readonly refresh: {
    readonly kind: 'idle' | 'waiting' | 'asked' | 'given-up';
    readonly since?: number;
    readonly attempts: number;
    /** A sentence. */
    readonly why?: string;
  };
  /** What people should know, because Argo CD will not simply roll its images out: `self-heal-off`. */
  readonly conditions: readonly string[];
}
