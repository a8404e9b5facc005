import type { OnUnmatched, ModeRule } from './operator-configuration.ts';
import type { WebhookType } from './webhook-types.ts';

/** The operator's configuration file as written; what is absent has a default. Plain JSON. */
export interface ConfigurationFile {
  readonly apiVersion: 'image-resolver.io/v1alpha1';
  readonly kind: 'ResolverConfiguration';
  readonly interval?: string;
  readonly minimumInterval?: string;
  readonly budget?: string;
  readonly state?: string;
  readonly registriesFile?: string;
  readonly dockerConfig?: string;
  readonly secretsDirectory?: string;
  readonly controlPlaneNamespace?: string;
  readonly registries?: {
    readonly allow?: readonly string[];
    readonly hosts?: readonly HostEntry[];
  };
  readonly grants?: readonly {
    readonly projects: readonly string[];
    readonly credentials: readonly string[];
    readonly hosts: readonly string[];
  }[];
  readonly credentialHelpers?: { readonly environment?: readonly string[]; readonly timeout?: string };
  readonly rendering?: {
    readonly kustomizeBuildOptions?: string;
    readonly remoteSources?: { readonly hosts?: readonly string[] };
    readonly gitCredentials?: boolean;
    readonly helmRepositories?: string;
    readonly helmRegistryConfig?: string;
  };
  readonly unmatchedPolicy?: {
    readonly parameters?: OnUnmatched;
    readonly file?: OnUnmatched;
    readonly annotations?: OnUnmatched;
  };
  readonly modes?: readonly ModeRule[];
  readonly controller?: { readonly url: string; readonly caFile?: string };
  readonly webhooks?: readonly {
    readonly type: WebhookType;
    readonly secret?: string;
    readonly unauthenticated?: boolean;
    readonly host?: string;
  }[];
  readonly refresh?: {
    readonly concurrency?: number;
    readonly perRepository?: number;
    readonly fullSync?: { readonly projects: readonly string[] };
  };
}

/** An entry of `registries.hosts`. */
export interface HostEntry {
  readonly host: string;
  readonly prefix?: string;
  readonly apiUrl?: string;
  readonly credentials?: string;
  readonly credentialsExpire?: string;
  readonly projects?: readonly string[];
  readonly tokenHosts?: readonly string[];
  readonly caFile?: string;
  readonly insecure?: boolean;
  readonly rateLimit?: { readonly requestsPerSecond?: number; readonly concurrency?: number };
  readonly pageSize?: number;
  readonly interval?: string;
}
