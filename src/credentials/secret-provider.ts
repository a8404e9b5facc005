import { join } from 'node:path';
import type { Repository } from '../image/reference.ts';
import type { FilePorts } from '../operator/files.ts';
import type { Credential, CredentialProvider } from '../registry/access.ts';
import { credentialId, type CredentialSource } from '../operator/credential-name.ts';
import { bestKey, parseDockerAuth, parseDockerConfig, parseUserAndPassword } from './docker-config.ts';
import { credentialFrom, type ProviderContext, type SecretRead, type SecretSource } from './provider.ts';
import { unreadable } from './unreadable.ts';

/** Keys of pull secrets: the two Kubernetes types, and what `kubectl create secret generic --from-file` makes of a docker configuration. */
const PULL_SECRET_KEYS = ['.dockerconfigjson', '.dockercfg', 'config.json'];

/** A repository under the name references give it, and under its API's host. */
export type RepositoryNames = readonly Pick<Repository, 'host' | 'path'>[];

/**
 * A Kubernetes secret. It is read for every credential asked for, so that a renewed one is used at once.
 *
 * Of a pull secret only `auths` count: programs to run are the operator's to name.
 */
export function createSecretProvider(
  source: Extract<CredentialSource, { kind: 'pullsecret' | 'secret' }>,
  names: RepositoryNames,
  { configuration, ports }: ProviderContext,
): CredentialProvider {
  const id = credentialId(source);
  const secrets = ports.secrets ?? mountedSecrets(configuration.secretsDirectory, ports.files);
  return {
    id,
    get: async () => {
      const keys = source.kind === 'secret' ? [source.field] : PULL_SECRET_KEYS;
      const found = await secrets.read(source.namespace, source.name, keys);
      if (found.kind === 'unreadable') throw unreadable(id, found.problem, found.fix);
      return source.kind === 'secret' ? fromPair(id, found) : fromPullSecret(id, found, names);
    },
  };
}

/**
 * Secrets mounted at `<directory>/<namespace>/<name>/<key>`. A file of a Secret volume is small and in memory, so it is
 * read each time. The stamp is the file's identity (inode, times, size), so it is the same for every process.
 */
export function mountedSecrets(directory: string, files: FilePorts): SecretSource {
  const read = (namespace: string, name: string, keys: readonly string[]): SecretRead => {
    const fix = `mount the secret at <secretsDirectory>/${namespace}/${name}`;
    for (const key of keys) {
      const found = files.read(join(directory, namespace, name, key));
      if (found.kind === 'unreadable') return { kind: 'unreadable', problem: `is there, but ${found.problem}`, fix };
      if (found.kind === 'read') return found;
    }
    return { kind: 'unreadable', problem: `is not there (looked for ${keys.join(', ')})`, fix };
  };
  return { read: (namespace, name, keys) => Promise.resolve(read(namespace, name, keys)) };
}

type FileContent = Extract<SecretRead, { kind: 'read' }>;

function fromPair(id: string, { text, stamp }: FileContent): Credential {
  const auth = parseUserAndPassword(text);
  if (auth === undefined) throw unreadable(id, 'is not of the form user:password', 'correct the field of the secret');
  return credentialFrom(auth, stamp);
}

function fromPullSecret(id: string, { text, stamp }: FileContent, names: RepositoryNames): Credential {
  const config = parseDockerConfig(text);
  if (!config.ok)
    throw unreadable(id, config.problem, 'make the secret anew with kubectl create secret docker-registry');
  const key = names.map((name) => bestKey(config.value.auths.keys(), name)).find((found) => found !== undefined);
  if (key === undefined)
    throw unreadable(id, `has no entry for ${names[0]?.host}`, 'add the registry to the secret, or attach another');
  const auth = parseDockerAuth(config.value.auths.get(key));
  if (!auth.ok) throw unreadable(id, `has an entry for ${names[0]?.host} that ${auth.problem}`, 'correct the entry');
  if (auth.value.kind === 'empty') {
    throw unreadable(id, `has an empty entry for ${names[0]?.host}`, 'put username and password into the entry');
  }
  return credentialFrom(auth.value, `${stamp}#${key}`);
}
