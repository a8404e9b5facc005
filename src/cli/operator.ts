import { systemFiles } from '../operator/files.ts';
import {
  createOperatorConfigurationSource,
  type OperatorConfigurationSource,
} from '../operator/operator-configuration-source.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { Notice } from '../error/user-error.ts';
import type { RequestEvent } from '../registry/http.ts';
import { monotonicMs } from '../render/monotonic-clock.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { RegistryClient } from '../registry/sources.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { Store } from '../store/store.ts';
import type { Throttle } from '../registry/throttle.ts';

/** The operator's configuration as the environment names it. */
export function operatorConfiguration(environment: Environment = process.env): OperatorConfigurationSource {
  return createOperatorConfigurationSource(environment, { files: systemFiles });
}

/** The operator's registries and credentials. */
export async function openBroker(
  configuration: OperatorConfiguration,
  environment: Environment = process.env,
): Promise<AccessBroker> {
  const { createAccessBroker } = await import('../credentials/broker.ts');
  return createAccessBroker(configuration, environment, { files: systemFiles, now: monotonicMs });
}

/** A registry client; loads what talks to networks. */
export async function openRegistry(
  options: {
    readonly throttle?: Throttle;
    readonly onRequest?: (event: RequestEvent) => void;
    readonly environment?: Environment;
  } = {},
): Promise<RegistryClient> {
  const { createRegistryClient } = await import('../registry/client.ts');
  return createRegistryClient({ clock: { now: Date.now }, environment: process.env, ...options });
}

export interface ResolverSettings {
  readonly configuration: OperatorConfiguration;
  readonly environment: Environment;
  /** Told what is wrong with the store. */
  readonly notices: (notice: Notice) => void;
  /** How a person asks the controller; absent: as the sidecar does, by its own token. */
  readonly person: ControllerAccess | undefined;
}

/**
 * What resolves here: the controller where the operator names one, else this process itself, with the store in the operator's
 * state folder.
 */
export async function openResolver(settings: ResolverSettings): Promise<Resolver> {
  const { configuration, environment, notices, person } = settings;
  const openStoreHere = async (): Promise<Store> => {
    const { openStore } = await import('../store/open-store.ts');
    return openStore({ directory: configuration.stateDirectory, now: Date.now, notices });
  };
  const controller = person?.controller ?? configuration.controller;
  if (controller !== undefined) {
    const [{ createRemoteResolver }, { DEFAULT_TOKEN_FILE, tokenFrom }] = await Promise.all([
      import('../remote/remote-resolver.ts'),
      import('../remote/controller-client.ts'),
    ]);
    const token = person?.token ?? tokenFrom(environment['IMAGE_RESOLVER_TOKEN_FILE'] ?? DEFAULT_TOKEN_FILE);
    const cure = person === undefined ? {} : { cure: (await import('./person-cure.ts')).cureForPerson };
    return createRemoteResolver({ controller, token, store: openStoreHere, configuration, now: Date.now, ...cure });
  }
  const [{ createInProcessResolver }, broker, store] = await Promise.all([
    import('../resolve/in-process.ts'),
    openBroker(configuration, environment),
    openStoreHere(),
  ]);
  return createInProcessResolver({
    configuration,
    broker,
    store,
    registry: async () => openRegistry({ throttle: store.pauses, environment }),
    now: Date.now,
    random: Math.random,
  });
}

/** Where the controller is, and what proves who asks. */
export interface ControllerAccess {
  readonly controller: { readonly url: string; readonly caFile?: string };
  readonly token: () => string;
}
