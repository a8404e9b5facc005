import { systemFiles } from '../operator/files.ts';
import {
  createOperatorConfigurationSource,
  type OperatorConfigurationSource,
} from '../operator/operator-configuration-source.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { Notice } from '../error/user-error.ts';
import type { RequestEvent } from '../registry/http.ts';
import { monotonicMs } from '../render/monotonic-clock.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { RegistryClient } from '../registry/sources.ts';
import type { Resolver } from '../resolve/resolver.ts';
import type { Store } from '../store/store.ts';
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
 * The resolver of this process: the controller where the operator names one, else this process itself, with the store in the
 * operator's state folder.
 *
 * @param notices told what is wrong with the store.
 * @param person how a person asks the controller; absent: as the sidecar does, by its own token.
 */
export async function openResolver(
  configuration: OperatorConfiguration,
  notices: (notice: Notice) => void,
  person?: ControllerAccess,
): Promise<Resolver> {
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
    const token = person?.token ?? tokenFrom(process.env['IMAGE_RESOLVER_TOKEN_FILE'] ?? DEFAULT_TOKEN_FILE);
    const cure = person === undefined ? {} : { cure: (await import('./person-cure.ts')).cureForPerson };
    return createRemoteResolver({ controller, token, store: openStoreHere, configuration, now: Date.now, ...cure });
  }
  const [{ createInProcessResolver }, broker, store] = await Promise.all([
    import('../resolve/in-process.ts'),
    openBroker(configuration),
    openStoreHere(),
  ]);
  return createInProcessResolver({
    configuration,
    broker,
    store,
    registry: async () => openRegistry({ throttle: store.pauses }),
    now: Date.now,
    random: Math.random,
  });
}

/** Where the controller is, and what proves who asks. */
export interface ControllerAccess {
  readonly controller: { readonly url: string; readonly caFile?: string };
  readonly token: () => string;
}
