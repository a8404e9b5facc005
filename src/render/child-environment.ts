import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface ChildEnvironmentOptions {
  /** The environment to pick from: the plugin's. */
  readonly parent: Readonly<NodeJS.ProcessEnv>;
  /** A private folder; HOME, TMPDIR and the rest go below it. */
  readonly temporary: string;
  /** Whether Argo CD's git credentials reach the child: `rendering.gitCredentials`. */
  readonly gitCredentials: boolean;
  /** The build variables (`ARGOCD_APP_NAME` …) for renderers that natively see them; none by default. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Further git settings; they win over the ones every child has. */
  readonly gitConfig?: readonly (readonly [key: string, value: string])[];
}

/** What a child sees of the plugin's own environment. Proxies and certificates it needs, secrets and Argo CD's variables not. */
const PASSED: readonly string[] = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
];

/**
 * What Argo CD's `provideGitCreds` adds for HTTPS, and the SSH command an operator may set.
 * @see https://argo-cd.readthedocs.io/en/stable/operator-manual/config-management-plugins/#using-a-cmp
 */
const GIT_CREDENTIALS: readonly string[] = [
  'GIT_ASKPASS',
  'GIT_SSH_COMMAND',
  'GIT_SSH',
  'SSH_AUTH_SOCK',
  'ARGOCD_BINARY_NAME',
  'ARGOCD_GIT_ASKPASS_NONCE',
  'ARGOCD_ASK_PASS_SOCK',
  'ARGOCD_GIT_AUTH_HEADER',
  'ARGOCD_GIT_BEARER_AUTH_HEADER',
];

/**
 * How much Go programs may grow between two collections, in percent. With Go's default of 100 `kustomize build` of 100 small
 * Deployments takes 49 ms instead of 39 and 21 MB instead of 30 (kustomize 5.8.1, 2 cores).
 */
const GOGC = '200';

/** git as it may run for a tenant: no local or external transports, no hooks, and a stalled transfer ends. */
const GIT_CONFIG: readonly (readonly [string, string])[] = [
  ['protocol.file.allow', 'never'],
  ['protocol.ext.allow', 'never'],
  ['protocol.http.allow', 'never'],
  ['protocol.git.allow', 'never'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '20'],
];

/**
 * The environment of a renderer, by allow-list: a fresh HOME, XDG and Helm home below `temporary`, no cluster, no plugins.
 * {@link prepareHome} creates the folders it names.
 */
export function childEnvironment(options: ChildEnvironmentOptions): Record<string, string> {
  const { temporary } = options;
  const home = join(temporary, 'home');
  return {
    ...options.variables,
    ...picked(options.parent, PASSED),
    HOME: home,
    TMPDIR: join(temporary, 'tmp'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
    HELM_CACHE_HOME: join(home, 'helm/cache'),
    HELM_CONFIG_HOME: join(home, 'helm/config'),
    HELM_DATA_HOME: join(home, 'helm/data'),
    HELM_PLUGINS: join(home, 'helm/plugins'),
    KUSTOMIZE_PLUGIN_HOME: join(home, 'kustomize/plugins'),
    KUBECONFIG: '/dev/null',
    GOGC,
    DOCKER_CONFIG: join(home, 'docker'),
    ...gitEnvironment([...GIT_CONFIG, ...(options.gitConfig ?? [])]),
    ...(options.gitCredentials ? picked(options.parent, GIT_CREDENTIALS) : {}),
  };
}

/** Creates HOME and TMPDIR below `temporary`; tools create the rest when they need it. */
export function prepareHome(temporary: string): void {
  mkdirSync(join(temporary, 'home'), { recursive: true });
  mkdirSync(join(temporary, 'tmp'), { recursive: true });
}

function gitEnvironment(config: readonly (readonly [string, string])[]): Record<string, string> {
  const environment: Record<string, string> = {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_COUNT: String(config.length),
  };
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}

function picked(from: Readonly<NodeJS.ProcessEnv>, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
