import { UserError, type UserErrorData } from '../error/user-error.ts';
import type { Parsed } from '../error/parsed.ts';
import type { Repository } from '../image/reference.ts';
import type { Credential, CredentialProvider } from '../registry/access.ts';
import { bestKey, type DockerConfig, parseDockerAuth, parseDockerConfig } from './docker-config.ts';
import { credentialFrom, type ProviderContext } from './provider.ts';
import { createHelperProvider } from './program-provider.ts';

/** Where the operator's docker configuration has the credential for a repository. */
export type DockerBinding =
  | { readonly kind: 'entry'; readonly key: string }
  /** `named`: the configuration has an entry for the registry; else `credsStore` is merely asked for every one. */
  | { readonly kind: 'helper'; readonly name: string; readonly server: string; readonly named: boolean }
  | { readonly kind: 'none' };

/** What docker itself sends to a helper for Docker Hub. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/';

/** As docker looks: `credHelpers`, then an entry that holds something, then `credsStore`. */
export function bindDocker(config: DockerConfig, repository: Pick<Repository, 'host' | 'path'>): DockerBinding {
  const serverFor = (key: string): string =>
    repository.host === 'docker.io' ? DOCKER_HUB_SERVER : key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const helperKey = bestKey(config.helpers.keys(), repository);
  const helper = helperKey === undefined ? undefined : config.helpers.get(helperKey);
  if (helperKey !== undefined && helper !== undefined) {
    return { kind: 'helper', name: helper, server: serverFor(helperKey), named: true };
  }
  const key = bestKey(config.auths.keys(), repository);
  const entry = key === undefined ? undefined : parseDockerAuth(config.auths.get(key));
  const isEmpty = entry === undefined || (entry.ok && entry.value.kind === 'empty');
  if (config.store !== undefined && isEmpty) {
    return { kind: 'helper', name: config.store, server: serverFor(key ?? repository.host), named: key !== undefined };
  }
  return key === undefined ? { kind: 'none' } : { kind: 'entry', key };
}

/** The operator's docker configuration, read again when the file changes. */
export interface DockerCredentials {
  /** The configuration as it is now; one without entries when there is no file. */
  current():
    | { readonly ok: true; readonly config: DockerConfig }
    | { readonly ok: false; readonly error: UserErrorData };
  /** The provider for a binding of {@link bindDocker}; undefined for `none`. */
  provider(binding: DockerBinding, repository: Pick<Repository, 'host' | 'path'>): CredentialProvider | undefined;
}

const EMPTY: DockerConfig = { auths: new Map(), helpers: new Map() };

export function createDockerCredentials(path: string | undefined, context: ProviderContext): DockerCredentials {
  const { files } = context.ports;
  const helpers = new Map<string, CredentialProvider>();
  let known: { readonly stamp: string; readonly config: Parsed<DockerConfig> } | undefined;

  /** @param fresh reads the file even when it looks unchanged. */
  const read = (fresh: boolean): { readonly config: DockerConfig; readonly stamp: string } => {
    const stamp = path === undefined ? undefined : files.stamp(path);
    if (path === undefined || stamp === undefined) return { config: EMPTY, stamp: '' };
    if (fresh || known?.stamp !== stamp) {
      const found = files.read(path);
      if (found.kind === 'missing') return { config: EMPTY, stamp: '' };
      if (found.kind === 'unreadable') throw invalid(path, found.problem, 'make the file readable for the resolver');
      known = { stamp: found.stamp, config: parseDockerConfig(found.text) };
    }
    const { config } = known;
    if (!config.ok) throw invalid(path, config.problem, 'write the file with docker login, or correct it');
    return { config: config.value, stamp: known.stamp };
  };

  const fromEntry = (repository: Pick<Repository, 'host' | 'path'>, fresh: boolean): Credential => {
    const { config, stamp } = read(fresh);
    const key = bestKey(config.auths.keys(), repository);
    const auth = parseDockerAuth(key === undefined ? {} : config.auths.get(key));
    if (!auth.ok)
      throw invalid(path ?? '', `has an entry for ${repository.host} that ${auth.problem}`, 'correct the entry');
    return credentialFrom(auth.value, `${stamp}#${key ?? ''}`);
  };

  return {
    current() {
      try {
        return { ok: true, config: read(false).config };
      } catch (error) {
        if (error instanceof UserError) return { ok: false, error: error.toData() };
        throw error;
      }
    },
    provider(binding, repository) {
      if (binding.kind === 'none') return undefined;
      if (binding.kind === 'entry') {
        return { id: `docker-config:${path}#${binding.key}`, get: async ({ fresh }) => fromEntry(repository, fresh) };
      }
      const created = createHelperProvider(
        { name: binding.name, server: binding.server, expireMs: undefined },
        context,
      );
      return keepHelper(helpers, created);
    },
  };
}

/** Servers of `credsStore` are hosts of tenants' images, so there is no telling how many they are. */
const MAX_HELPERS = 1000;

/** One provider for one helper and server, because it holds what the helper answered. */
function keepHelper(helpers: Map<string, CredentialProvider>, created: CredentialProvider): CredentialProvider {
  const kept = helpers.get(created.id);
  if (kept !== undefined) return kept;
  if (helpers.size >= MAX_HELPERS) helpers.clear();
  helpers.set(created.id, created);
  return created;
}

function invalid(path: string, problem: string, fix: string): UserError {
  return new UserError('DOCKER_CONFIG_INVALID', { what: `the docker configuration ${problem}`, where: path, fix });
}
