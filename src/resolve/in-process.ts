import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { RegistryClient } from '../registry/sources.ts';
import { sleepForReal, type Sleep } from '../registry/time.ts';
import type { Store } from '../store/store.ts';
import { selectByName } from '../strategy/by-name.ts';
import { placeOf } from './answers.ts';
import { startDeadline } from './deadline.ts';
import type { Ports, SelectByName, Settle } from './job.ts';
import { isGiven } from './preview.ts';
import { answerQuery } from './query.ts';
import type { Resolver } from './resolver.ts';
import { settlePatiently } from './settle-patiently.ts';

export interface InProcessOptions {
  readonly configuration: OperatorConfiguration;
  readonly broker: AccessBroker;
  readonly store: Store;
  /** Loads and makes the registry client; called when the first request is due, and once. */
  readonly registry: () => Promise<RegistryClient>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 0 up to 1, for jitter. */
  readonly random: () => number;
  /** Default: the machine's timers. */
  readonly sleep?: Sleep;
  /** Default: {@link selectByNameHere}. */
  readonly selectByName?: SelectByName;
}

/** Evaluates patterns in this process, which does nothing else meanwhile. */
export const selectByNameHere: SelectByName = async ({ selection }, tags, told) => ({
  kind: 'selected',
  ...(await selectByName(selection, tags, told)),
});

/** Answers asks in this process, from a store that others may share; registries are asked only for what is not known or too old. */
export function createInProcessResolver(options: InProcessOptions): Resolver {
  const { configuration, broker, store, now, random, sleep = sleepForReal } = options;
  const { selectByName: byName = selectByNameHere } = options;
  let client: Promise<RegistryClient> | undefined;
  const ports: Ports = {
    store,
    now,
    random,
    sleep,
    selectByName: byName,
    registry: () => (client ??= options.registry()),
  };
  return {
    async resolve(query, signal) {
      using budget = startDeadline(query.budgetMs, ports, signal);
      const settleHere: Settle = async (job, during) => settlePatiently(job, ports, during);
      const answering = {
        operator: { configuration, broker },
        ports,
        settle: settleHere,
        record: isGiven(query),
        place: query.source && placeOf(query.source),
      };
      return await answerQuery(query, answering, budget.signal);
    },
    async close() {
      await (await client)?.close();
      await store.close();
    },
  };
}
