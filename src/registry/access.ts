import type { UserErrorData } from '../error/user-error.ts';
import type { Repository } from '../image/reference.ts';

import type { Secret } from './secret.ts';

/** What the asking process says of itself. A claim, never proof (docs/security.md). */
export interface CallerClaim {
  /** Argo CD's instance name: `<name>` or `<namespace>_<name>`; empty when unknown (a laptop). */
  readonly application: string;
  /** AppProject; absent = only what is open to every application. */
  readonly project?: string;
}

/** The name of a credential as a tenant or the operator writes it. */
export type CredentialName = string;

/** How one registry host is talked to; from the operator's configuration, never from a tenant. */
export interface RegistryEndpoint {
  /** Base URL of the API without trailing slash: `https://registry-1.docker.io`. */
  readonly apiUrl: string;
  /** The host as references write it, for messages: `docker.io`. */
  readonly host: string;
  /** Identity of everything here that changes what is talked to (API URL, TLS, CA): part of every key. Holds no secret. */
  readonly id: string;
  /** Plain http allowed and certificates unchecked. */
  readonly insecure: boolean;
  /** PEM certificates trusted besides the system's. */
  readonly ca?: string;
  /** The operator named this host: it may have a private address. */
  readonly privateAddressAllowed: boolean;
  /** Hosts besides the registry's own that may get the credential for a token. */
  readonly tokenHosts: readonly string[];
  readonly requestsPerSecond: number;
  readonly concurrency: number;
  readonly pageSize: number;
  /** How long an answer is fresh when no policy says so; absent: as for every registry. In no key. */
  readonly intervalMs?: number;
  /** registries.conf `tagsortmode`: dates from list order instead of metadata. */
  readonly tagSortMode?: 'latest-first' | 'latest-last';
}

/** What a provider hands out. `generation` changes when the secret does; it is no secret itself. */
export type Credential =
  | { readonly kind: 'anonymous'; readonly generation: string }
  | {
      readonly kind: 'basic';
      readonly username: string;
      readonly password: Secret;
      readonly generation: string;
      readonly expiresAt?: number;
    }
  /** docker config `identitytoken`: an OAuth2 refresh token. */
  | {
      readonly kind: 'identity-token';
      readonly token: Secret;
      readonly generation: string;
      readonly expiresAt?: number;
    }
  /** docker config `registrytoken`: sent as Bearer as it is. */
  | { readonly kind: 'registry-token'; readonly token: Secret; readonly generation: string };

/** A bound credential: where it comes from, and how to read it now. */
export interface CredentialProvider {
  /** The binding's identity (secret namespace/name/field, file entry, helper and server), never the secret's value; `anonymous` for none. */
  readonly id: string;
  /**
   * The credential as it is now. Files are re-read when they changed; `fresh` re-reads and re-runs whatever there is (once after a 401 or 403).
   *
   * @throws {UserError} `CREDENTIAL_UNREADABLE`.
   */
  get(options: { readonly fresh: boolean; readonly signal: AbortSignal }): Promise<Credential>;
}

declare const scopeBrand: unique symbol;
/** Registry configuration and credential identity: who may see an answer. Part of every key. */
export type AccessScope = string & { readonly [scopeBrand]: true };

/** The right to ask one repository's registry with one credential. Minted by the {@link AccessBroker} alone. */
export interface Access {
  readonly repository: Repository;
  readonly endpoint: RegistryEndpoint;
  readonly scope: AccessScope;
  readonly credential: CredentialProvider;
}

export type AccessAnswer =
  | {
      readonly kind: 'granted';
      readonly access: Access;
      /** An ungranted wish was replaced by the operator's own credential. */ readonly noticeWishReplaced?: true;
    }
  | { readonly kind: 'refused'; readonly error: UserErrorData };

/** The one place where hosts are allowed and credentials chosen. */
export interface AccessBroker {
  accessFor(repository: Repository, who: CallerClaim, wish?: CredentialName): AccessAnswer;
}
