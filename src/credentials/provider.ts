import type { Environment } from '../operator/load-operator-configuration.ts';
import type { FilePorts } from '../operator/files.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { Credential, CredentialProvider } from '../registry/access.ts';
import type { DockerAuth } from './docker-config.ts';

/** What providers read from. */
export interface CredentialPorts {
  readonly files: FilePorts;
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
