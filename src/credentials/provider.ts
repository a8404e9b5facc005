import type { Environment } from '../operator/load-operator-configuration.ts';
import type { FilePorts, FileRead } from '../operator/files.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { Credential, CredentialProvider } from '../registry/access.ts';
import type { DockerAuth } from './docker-config.ts';

/** One value of a Kubernetes secret. */
export type SecretRead =
  | Extract<FileRead, { kind: 'read' }>
  | {
      readonly kind: 'unreadable';
      /** A clause: "is not there". Holds nothing of the secret. */ readonly problem: string;
      /** What somebody has to do. */ readonly fix: string;
    };

/** Where `pullsecret:` and `secret:` are read. */
export interface SecretSource {
  /** The first of the keys that is there, as it is now. The stamp changes with the content and says nothing of it. */
  read(namespace: string, name: string, keys: readonly string[]): Promise<SecretRead>;
}

/** What providers read from. */
export interface CredentialPorts {
  readonly files: FilePorts;
  /** Default: the secrets mounted at `secretsDirectory`. */
  readonly secrets?: SecretSource;
  /** Milliseconds; any clock that only goes forward. */
  now(): number;
}

export interface ProviderContext {
  readonly configuration: Pick<OperatorConfiguration, 'secretsDirectory' | 'credentialHelpers'>;
  readonly environment: Environment;
  readonly ports: CredentialPorts;
}

/** No credential: asks as everybody may. */
export const ANONYMOUS: CredentialProvider = {
  id: 'anonymous',
  get: () => Promise.resolve({ kind: 'anonymous', generation: '' }),
};

/** The credential in an entry; an empty one is none. */
export function credentialFrom(auth: DockerAuth, generation: string): Credential {
  return auth.kind === 'empty' ? { kind: 'anonymous', generation } : { ...auth, generation };
}
