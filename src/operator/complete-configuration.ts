import { parseDuration } from '../text/duration.ts';
import type { ConfigurationFile, HostEntry } from './configuration-file.ts';
import { normaliseHost } from './host-name.ts';
import type { OperatorConfiguration, RegistryHost } from './operator-configuration.ts';
import { PRESET_HOSTS } from './presets.ts';
import { parsePrefixPath } from './repository-prefix.ts';

/** What the environment sets instead of the file. */
export interface EnvironmentOverrides {
  readonly intervalMs?: number;
  readonly stateDirectory?: string;
  readonly dockerConfig?: string;
  readonly controllerUrl?: string;
  /** This process is the controller. */
  readonly isController?: boolean;
}

const DEFAULTS = {
  interval: '30s',
  intervalWithController: '2m',
  minimumInterval: '30s',
  budget: '25s',
  state: '/var/lib/image-resolver',
  dockerConfig: '/etc/image-resolver/docker/config.json',
  secretsDirectory: '/etc/image-resolver/secrets',
  helperTimeout: '10s',
  refreshes: 10,
  refreshesPerRepository: 2,
  helperEnvironment: ['AWS_REGION', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'HOME', 'PATH'],
} as const;

/** The state directory when neither the environment nor the file names one. */
export const DEFAULT_STATE_DIRECTORY: string = DEFAULTS.state;

/**
 * The configuration with every default filled in: environment over file over defaults. The file and registries.conf were
 * checked when they were parsed.
 *
 * @param fromRegistriesConf entries of registries.conf; those of the file come first and win where both fit equally.
 */
export function completeConfiguration(
  file: Partial<ConfigurationFile>,
  fromRegistriesConf: readonly RegistryHost[],
  overrides: EnvironmentOverrides,
): OperatorConfiguration {
  const { rendering = {}, unmatchedPolicy = {}, credentialHelpers = {} } = file;
  const controllerUrl = overrides.controllerUrl ?? file.controller?.url;
  const hasController = controllerUrl !== undefined || overrides.isController === true;
  const defaultInterval = hasController ? DEFAULTS.intervalWithController : DEFAULTS.interval;
  return {
    intervalMs: overrides.intervalMs ?? milliseconds(file.interval ?? defaultInterval),
    minimumIntervalMs: milliseconds(file.minimumInterval ?? DEFAULTS.minimumInterval),
    budgetMs: milliseconds(file.budget ?? DEFAULTS.budget),
    stateDirectory: overrides.stateDirectory ?? file.state ?? DEFAULTS.state,
    dockerConfig: overrides.dockerConfig ?? file.dockerConfig ?? DEFAULTS.dockerConfig,
    secretsDirectory: file.secretsDirectory ?? DEFAULTS.secretsDirectory,
    allowedHosts: (file.registries?.allow ?? ['presets']).flatMap((entry) =>
      entry === 'presets' ? PRESET_HOSTS : [entry],
    ),
    hosts: [...(file.registries?.hosts ?? []).map(hostFrom), ...fromRegistriesConf],
    grants: file.grants ?? [],
    credentialHelpers: {
      environment: credentialHelpers.environment ?? DEFAULTS.helperEnvironment,
      timeoutMs: milliseconds(credentialHelpers.timeout ?? DEFAULTS.helperTimeout),
    },
    rendering: {
      kustomizeBuildOptions: (rendering.kustomizeBuildOptions ?? '').split(/\s+/).filter((option) => option !== ''),
      remoteHosts: rendering.remoteSources?.hosts ?? ['*'],
      gitCredentials: rendering.gitCredentials ?? false,
      ...(rendering.helmRepositories !== undefined && { helmRepositories: rendering.helmRepositories }),
      ...(rendering.helmRegistryConfig !== undefined && { helmRegistryConfig: rendering.helmRegistryConfig }),
    },
    unmatchedPolicy: { parameters: 'warn', file: 'error', annotations: 'error', ...unmatchedPolicy },
    modes: file.modes ?? [],
    controlPlaneNamespace: file.controlPlaneNamespace ?? 'argocd',
    ...(controllerUrl !== undefined && { controller: { ...file.controller, url: controllerUrl } }),
    webhooks: (file.webhooks ?? []).map(({ type, secret, unauthenticated = false, host }) => ({
      type,
      unauthenticated,
      ...(secret !== undefined && { secret }),
      ...(host !== undefined && { host: normaliseHost(host) }),
    })),
    refresh: {
      concurrency: file.refresh?.concurrency ?? DEFAULTS.refreshes,
      perRepository: file.refresh?.perRepository ?? DEFAULTS.refreshesPerRepository,
      fullSyncProjects: file.refresh?.fullSync?.projects ?? [],
    },
  };
}

function hostFrom(entry: HostEntry): RegistryHost {
  const path = entry.prefix === undefined ? undefined : parsePrefixPath(entry.prefix);
  return {
    host: normaliseHost(entry.host),
    ...(path?.ok && path.value !== '' && { prefix: `${path.value}/` }),
    ...(entry.apiUrl !== undefined && { apiUrl: entry.apiUrl.replace(/\/+$/, '') }),
    ...(entry.credentials !== undefined && { credentials: entry.credentials }),
    ...(entry.credentialsExpire !== undefined && { credentialsExpireMs: milliseconds(entry.credentialsExpire) }),
    ...(entry.projects !== undefined && { projects: entry.projects }),
    tokenHosts: entry.tokenHosts ?? [],
    ...(entry.caFile !== undefined && { caFile: entry.caFile }),
    insecure: entry.insecure ?? false,
    isDefault: false,
    ...(entry.rateLimit?.requestsPerSecond !== undefined && { requestsPerSecond: entry.rateLimit.requestsPerSecond }),
    ...(entry.rateLimit?.concurrency !== undefined && { concurrency: entry.rateLimit.concurrency }),
    ...(entry.pageSize !== undefined && { pageSize: entry.pageSize }),
    ...(entry.interval !== undefined && { intervalMs: milliseconds(entry.interval) }),
  };
}

function milliseconds(duration: string): number {
  const result = parseDuration(duration);
  if (!result.ok) throw new Error(`unchecked duration ${duration}`);
  return result.value;
}
