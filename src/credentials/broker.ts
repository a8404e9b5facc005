import { parsed, type Parsed } from '../error/parsed.ts';
import type { UserErrorData } from '../error/user-error.ts';
import type { Repository } from '../image/reference.ts';
import { compileHostPattern, normaliseHost } from '../operator/host-name.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import type { OperatorConfiguration, RegistryHost } from '../operator/operator-configuration.ts';
import type {
  Access,
  AccessAnswer,
  AccessBroker,
  AccessScope,
  CallerClaim,
  CredentialName,
  CredentialProvider,
  RegistryEndpoint,
} from '../registry/access.ts';
import { credentialId, type CredentialSource, parseCredentialName } from '../operator/credential-name.ts';
import { bestKey, type DockerConfig, hostsIn } from './docker-config.ts';
import { bindDocker, createDockerCredentials } from './docker-credentials.ts';
import { endpointFor } from './endpoint.ts';
import { createEnvironmentProvider } from './environment-provider.ts';
import { isGranted } from './grants.ts';
import { createScriptProvider } from './program-provider.ts';
import { ANONYMOUS, type CredentialPorts, type ProviderContext } from './provider.ts';
import { readAtOnce } from './read-at-once.ts';
import { hostNotAllowed, notGranted, unusableEntry } from './refusals.ts';
import { entriesFor, isOpenTo } from './registry-entry.ts';
import { createSecretProvider, type RepositoryNames } from './secret-provider.ts';

interface NamedEndpoint {
  readonly endpoint: RegistryEndpoint;
  /** The host of its API, in normal form. */
  readonly apiHost: string;
}

interface Granted {
  /** The docker configuration; undefined: it is not valid. */
  readonly config: DockerConfig | undefined;
  readonly project: string | undefined;
  readonly wish: string | undefined;
  readonly answer: AccessAnswer;
}

/** Hosts that the operator did not name are of tenants' images, so there is no telling how many they are. */
const MAX_ENDPOINTS = 1000;

/**
 * The one place where hosts are allowed and credentials are chosen; it asks no registry and looks up no name.
 *
 * - A host is allowed when the operator allows it (`registries.allow`), configured it, or has a docker configuration entry
 *   for it; a private address only for one that is configured.
 * - The credential is that of the configured entry with the longest fitting prefix which has one and is open to the
 *   caller's project, else the docker configuration's, else none. It never falls back from one to another.
 * - A tenant's wish counts when a grant covers project, credential and repository. An ungranted one is answered alike
 *   whether the credential exists or not: refused, or, where the operator's own credential covers the registry, replaced
 *   by that.
 *
 * The scope is `<endpoint id> as <credential id>`: where it was asked, and on whose behalf.
 */
export function createAccessBroker(
  configuration: OperatorConfiguration,
  environment: Environment,
  ports: CredentialPorts,
): AccessBroker {
  const context: ProviderContext = { configuration, environment, ports };
  const files = readAtOnce(ports.files);
  const docker = createDockerCredentials(configuration.dockerConfig, { ...context, ports: { ...ports, files } });
  const allowedHosts = configuration.allowedHosts.map((pattern) => compileHostPattern(pattern));
  const scripts = new Map<string, CredentialProvider>();
  const endpoints = new Map<RegistryHost | string, Parsed<NamedEndpoint>>();
  /** What those who ask again were granted last, with all that can change about it. */
  const granteds = new WeakMap<Repository, Granted>();

  const providerFor = (
    source: CredentialSource,
    names: RepositoryNames,
    expireMs: number | undefined,
  ): CredentialProvider => {
    switch (source.kind) {
      case 'env':
        return createEnvironmentProvider(source.variable, context);
      case 'ext': {
        // One for each program and lifetime, because it holds what the program answered.
        const key = `${expireMs} ${source.path}`;
        const script = scripts.get(key) ?? createScriptProvider(source.path, expireMs, context);
        scripts.set(key, script);
        return script;
      }
      case 'pullsecret':
      case 'secret':
        return createSecretProvider(source, names, context);
      default:
        return source satisfies never;
    }
  };

  const isAllowed = (host: string): UserErrorData | boolean => {
    if (configuration.hosts.some((entry) => entry.host === host)) return true;
    if (allowedHosts.some((pattern) => pattern.ok && pattern.value(host))) return true;
    const answer = docker.current();
    if (!answer.ok) return answer.error;
    return bestKey(hostsIn(answer.config), { host, path: '' }) !== undefined;
  };

  /** The operator's own credential for a caller, or none. */
  const operatorsOwn = (
    entries: readonly RegistryHost[],
    names: RepositoryNames,
    project: string | undefined,
  ): OperatorsOwn => {
    const entry = entries.find((candidate) => candidate.credentials !== undefined && isOpenTo(candidate, project));
    if (entry?.credentials !== undefined) {
      const source = parseCredentialName(entry.credentials);
      if (!source.ok) throw new Error(`unchecked credential name in the entry for ${entry.host}`);
      return { kind: 'bound', provider: providerFor(source.value, names, entry.credentialsExpireMs), covers: true };
    }
    const answer = docker.current();
    if (!answer.ok) return { kind: 'refused', error: answer.error };
    for (const name of names) {
      const binding = bindDocker(answer.config, name);
      const provider = docker.provider(binding, name);
      if (provider !== undefined)
        return { kind: 'bound', provider, covers: binding.kind !== 'helper' || binding.named };
    }
    return { kind: 'bound', provider: ANONYMOUS, covers: false };
  };

  /** How a host is talked to by its entry, or without one. What hangs on a file is read each time, all else stays as it is. */
  const endpointOf = (host: string, entry: RegistryHost | undefined): Parsed<NamedEndpoint> => {
    const key = entry ?? host;
    const known = endpoints.get(key);
    if (known !== undefined) return known;
    const isNamed = configuration.hosts.some((candidate) => candidate.host === host);
    const found = endpointFor(host, entry, { isNamed, files });
    if (!found.ok) return found;
    const endpoint = parsed({ endpoint: found.value, apiHost: normaliseHost(new URL(found.value.apiUrl).host) });
    if (entry?.caFile !== undefined) return endpoint;
    if (endpoints.size >= MAX_ENDPOINTS) endpoints.clear();
    endpoints.set(key, endpoint);
    return endpoint;
  };

  const choose = (asked: Repository, who: CallerClaim, wish: CredentialName | undefined): AccessAnswer => {
    const project = who.project === '' ? undefined : who.project;
    const allowed = isAllowed(asked.host);
    if (allowed === false) return refused(hostNotAllowed(asked));
    if (allowed !== true) return refused(allowed);

    const entries = entriesFor(configuration.hosts, asked);
    const entry = entries.find((candidate) => isOpenTo(candidate, project)) ?? entries[0];
    const found = endpointOf(asked.host, entry);
    if (!found.ok) return refused(unusableEntry(asked, found.problem));
    const { endpoint, apiHost } = found.value;
    const repository = inDefaultNamespace(asked, entry);
    const names = namesOf(repository, apiHost);

    if (wish === undefined) {
      const own = operatorsOwn(entries, names, project);
      return own.kind === 'refused' ? refused(own.error) : granted(repository, endpoint, own.provider);
    }
    const source = parseCredentialName(wish);
    // Programs and variables are the operator's: no grant and no replacement.
    if (!source.ok || source.value.kind === 'env' || source.value.kind === 'ext')
      return refused(notGranted(wish, asked, who));
    const id = credentialId(source.value);
    if (isGranted(configuration.grants, { project, credential: id, repository })) {
      return granted(repository, endpoint, providerFor(source.value, names, undefined));
    }
    const own = operatorsOwn(entries, names, project);
    if (own.kind === 'refused') return refused(own.error);
    if (!own.covers) return refused(notGranted(wish, asked, who));
    const answer = granted(repository, endpoint, own.provider);
    return own.provider.id === id ? answer : { ...answer, noticeWishReplaced: true };
  };

  return {
    accessFor(asked, who, wish) {
      const { project } = who;
      const read = docker.current();
      const config = read.ok ? read.config : undefined;
      const before = granteds.get(asked);
      const isSame = before?.config === config && before?.project === project && before?.wish === wish;
      if (before !== undefined && isSame) return before.answer;
      const answer = choose(asked, who, wish);
      const hangsOnNoFile = answer.kind === 'granted' && answer.access.endpoint.ca === undefined;
      if (hangsOnNoFile) granteds.set(asked, { config, project, wish, answer });
      return answer;
    },
  };
}

type OperatorsOwn =
  /** `covers`: the operator has a credential for this registry, and does not merely ask a store for every one. */
  | { readonly kind: 'bound'; readonly provider: CredentialProvider; readonly covers: boolean }
  | { readonly kind: 'refused'; readonly error: UserErrorData };

function granted(
  repository: Repository,
  endpoint: RegistryEndpoint,
  credential: CredentialProvider,
): Extract<AccessAnswer, { kind: 'granted' }> {
  const scope = `${endpoint.id} as ${credential.id}` as AccessScope;
  const access: Access = { repository, endpoint, scope, credential };
  return { kind: 'granted', access };
}

function refused(error: UserErrorData): AccessAnswer {
  return { kind: 'refused', error };
}

/** registries.conf `defaultns`: where images without a folder are. Docker Hub's is in the normal form already. */
function inDefaultNamespace(repository: Repository, entry: RegistryHost | undefined): Repository {
  if (entry?.defaultNamespace === undefined || repository.path.includes('/')) return repository;
  const path = `${entry.defaultNamespace}/${repository.path}`;
  return { host: repository.host, path, name: `${repository.host}/${path}` };
}

/** argocd-image-updater finds docker entries by the API's host, everybody else by that of the reference. */
function namesOf(repository: Repository, apiHost: string): RepositoryNames {
  return apiHost === repository.host ? [repository] : [repository, { host: apiHost, path: repository.path }];
}
