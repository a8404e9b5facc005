import { join } from 'node:path';
import type { Repository } from '../image/reference.ts';
import type { FileRead } from '../operator/files.ts';
import type { Credential, CredentialProvider } from '../registry/access.ts';
import { credentialId, type CredentialSource } from '../operator/credential-name.ts';
import { bestKey, parseDockerAuth, parseDockerConfig, parseUserAndPassword } from './docker-config.ts';
import { credentialFrom, type ProviderContext } from './provider.ts';
import { unreadable } from './unreadable.ts';

/** Keys of pull secrets: the two Kubernetes types, and what `kubectl create secret generic --from-file` makes of a docker configuration. */
const PULL_SECRET_KEYS = ['.dockerconfigjson', '.dockercfg', 'config.json'];

/** A repository under the name references give it, and under its API's host. */
export type RepositoryNames = readonly Pick<Repository, 'host' | 'path'>[];

/**
 * A Kubernetes secret mounted at `<secretsDirectory>/<namespace>/<name>/<key>`. It is read for every credential asked for:
 * a file of a Secret volume is small and in memory, and a renewed one is used at once. The generation is the file's
 * identity (inode, times, size), so it is the same for every process and says nothing of the content.
 *
 * Of a pull secret only `auths` count: programs to run are the operator's to name.
 */
export function createSecretProvider(
  source: Extract<CredentialSource, { kind: 'pullsecret' | 'secret' }>,
  names: RepositoryNames,
  { configuration, ports }: ProviderContext,
): CredentialProvider {
  const id = credentialId(source);
  const directory = join(configuration.secretsDirectory, source.namespace, source.name);
  const mount = `mount the secret at <secretsDirectory>/${source.namespace}/${source.name}`;
  const get = (): Credential => {
    const keys = source.kind === 'secret' ? [source.field] : PULL_SECRET_KEYS;
    const found = firstThere(keys.map((key) => () => ports.files.read(join(directory, key))));
    if (found.kind === 'missing') throw unreadable(id, `is not there (looked for ${keys.join(', ')})`, mount);
    if (found.kind === 'unreadable') throw unreadable(id, `is there, but ${found.problem}`, mount);
    return source.kind === 'secret' ? fromPair(id, found) : fromPullSecret(id, found, names);
  };
  // A promise also for what is thrown.
  return { id, get: async () => get() };
}

type FileContent = Extract<FileRead, { kind: 'read' }>;

function firstThere(reads: readonly (() => FileRead)[]): FileRead {
  for (const read of reads) {
    const found = read();
    if (found.kind !== 'missing') return found;
  }
  return { kind: 'missing' };
}

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
