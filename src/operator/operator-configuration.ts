import type { CredentialName } from '../registry/access.ts';
import type { RenderingPolicy } from '../render/render-spec.ts';

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
  readonly tagSortMode?: 'latest-first' | 'latest-last';
}

export interface Grant {
  readonly projects: readonly string[];
  /** Globs of credential names: `pullsecret:team-b/*`. */
  readonly credentials: readonly string[];
  /** `host/prefix` on a `/` boundary: `ghcr.io/team-b/`. */
  readonly hosts: readonly string[];
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
  readonly controller?: { readonly url: string; readonly caFile?: string };
}
