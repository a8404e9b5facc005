import type { CredentialName } from '../registry/access.ts';
import type { RenderingPolicy } from '../render/render-spec.ts';
import type { WebhookType } from './webhook-types.ts';

export type Mode = 'enforce' | 'observe' | 'freeze';

/** First match wins; a rule matches when all its given globs do. */
export interface ModeRule {
  readonly project?: string;
  /** `namespace/name`. */
  readonly application?: string;
  /** Normal form: `docker.io/library/*`. */
  readonly repository?: string;
  readonly mode: Mode;
}

/** One entry of `registries.hosts`, or of registries.conf turned into the same shape. */
export interface RegistryHost {
  /** The host as references write it. */
  readonly host: string;
  /** On a `/` boundary, without leading slash: `team-a/`. */
  readonly prefix?: string;
  readonly apiUrl?: string;
  readonly credentials?: CredentialName;
  /** Seconds are milliseconds here: how long a fetched credential is used (`credsexpire`). */
  readonly credentialsExpireMs?: number;
  readonly projects?: readonly string[];
  readonly tokenHosts: readonly string[];
  readonly caFile?: string;
  readonly caData?: string;
  readonly insecure: boolean;
  readonly defaultNamespace?: string;
  readonly isDefault: boolean;
  readonly requestsPerSecond?: number;
  readonly concurrency?: number;
  readonly pageSize?: number;
  /** In place of {@link OperatorConfiguration.intervalMs}. */
  readonly intervalMs?: number;
  readonly tagSortMode?: 'latest-first' | 'latest-last';
}

export interface Grant {
  readonly projects: readonly string[];
  /** Globs of credential names: `pullsecret:team-b/*`. */
  readonly credentials: readonly string[];
  /** `host/prefix` on a `/` boundary: `ghcr.io/team-b/`. */
  readonly hosts: readonly string[];
}

/** One sender of registry events (`/webhook/<type>`). */
export interface WebhookEntry {
  readonly type: WebhookType;
  /** `secret:ns/name#field` or `env:NAME`; absent only with {@link unauthenticated}. */
  readonly secret?: CredentialName;
  readonly unauthenticated: boolean;
  /** Registry host for senders that do not name it. */
  readonly host?: string;
}

/** How hard Argo CD may be worked, and who may ask for whole syncs. */
export interface RefreshLimits {
  /** Hard refreshes in flight. */
  readonly concurrency: number;
  /** Of one source repository. */
  readonly perRepository: number;
  /** AppProjects (globs) whose applications may set `sync: full`. */
  readonly fullSyncProjects: readonly string[];
}

export type OnUnmatched = 'error' | 'warn' | 'ignore';

/** The operator's configuration, checked, with every default filled in. */
export interface OperatorConfiguration {
  readonly intervalMs: number;
  readonly minimumIntervalMs: number;
  readonly budgetMs: number;
  readonly stateDirectory: string;
  readonly dockerConfig?: string;
  readonly secretsDirectory: string;
  /** Presets are expanded: globs of host names; `*` = any public host. */
  readonly allowedHosts: readonly string[];
  readonly hosts: readonly RegistryHost[];
  readonly grants: readonly Grant[];
  readonly credentialHelpers: { readonly environment: readonly string[]; readonly timeoutMs: number };
  readonly rendering: RenderingPolicy;
  readonly unmatchedPolicy: {
    readonly parameters: OnUnmatched;
    readonly file: OnUnmatched;
    readonly annotations: OnUnmatched;
  };
  readonly modes: readonly ModeRule[];
  /** The namespace of Applications whose instance name has none. Absent: `argocd`. */
  readonly controlPlaneNamespace?: string;
  /** Where the sidecar asks; absent: it resolves by itself. */
  readonly controller?: { readonly url: string; readonly caFile?: string };
  readonly webhooks: readonly WebhookEntry[];
  readonly refresh: RefreshLimits;
}
