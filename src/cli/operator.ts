import { systemFiles } from '../operator/files.ts';
import {
  createOperatorConfigurationSource,
  type OperatorConfigurationSource,
} from '../operator/operator-configuration-source.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import type { RequestEvent } from '../registry/http.ts';
import { monotonicMs } from '../render/monotonic-clock.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { RegistryClient } from '../registry/sources.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { Throttle } from '../registry/throttle.ts';

/** The operator's configuration as this process sees it. */
export function operatorConfiguration(): OperatorConfigurationSource {
  return createOperatorConfigurationSource(process.env, { files: systemFiles });
}

/** The broker of this process: the operator's registries and credentials. */
export async function openBroker(configuration: OperatorConfiguration): Promise<AccessBroker> {
  const { createAccessBroker } = await import('../credentials/broker.ts');
  return createAccessBroker(configuration, process.env, { files: systemFiles, now: monotonicMs });
}

/** A registry client; loads what talks to networks. */
export async function openRegistry(
  options: { readonly throttle?: Throttle; readonly onRequest?: (event: RequestEvent) => void } = {},
): Promise<RegistryClient> {
  const { createRegistryClient } = await import('../registry/client.ts');
  return createRegistryClient({ clock: { now: Date.now }, environment: process.env, ...options });
}

/**
 * The resolver of this process, with the store in the operator's state folder.
 *
 * @param notices told what is wrong with the store.
 */
export async function openResolver(
  configuration: OperatorConfiguration,
  notices: (notice: Notice) => void,
): Promise<Resolver> {
  refuseController(configuration);
  const [{ createInProcessResolver }, { openStore }, broker] = await Promise.all([
    import('../resolve/in-process.ts'),
    import('../store/open-store.ts'),
    openBroker(configuration),
  ]);
  const store = await openStore({ directory: configuration.stateDirectory, now: Date.now, notices });
  return createInProcessResolver({
    configuration,
    broker,
    store,
    registry: async () => openRegistry({ throttle: store.pauses }),
    now: Date.now,
    random: Math.random,
  });
}

/**
 * @throws {UserError} `OPERATOR_CONFIG_INVALID` where a controller is configured: there is none yet, and resolving here all
 *   the same would be a second decision beside its own.
 */
export function refuseController({ controller }: OperatorConfiguration): void {
  if (controller === undefined) return;
  throw new UserError('OPERATOR_CONFIG_INVALID', {
    what: 'a controller is configured, and this version has none: the sidecar resolves by itself',
    where: 'operator configuration, controller',
    fix: 'remove controller from the configuration',
  });
}
