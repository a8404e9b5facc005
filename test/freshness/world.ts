import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFreshness, type ObservableFreshness } from '../../src/freshness/create-freshness.ts';
import type { Moved } from '../../src/freshness/freshness.ts';
import type { ModeRule, OperatorConfiguration } from '../../src/operator/operator-configuration.ts';
import type { Comparison } from '../../src/registrations/comparison.ts';
import { createComparison } from '../../src/registrations/create-comparison.ts';
import { createRegistrations } from '../../src/registrations/create-registrations.ts';
import type { RegisteringQuery, Registrations } from '../../src/registrations/registration.ts';
import { isBeingSynced } from '../../src/registrations/running-sync.ts';
import { placeAmong } from '../../src/registrations/sources.ts';
import type { AccessBroker } from '../../src/registry/access.ts';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import { answerQuery } from '../../src/resolve/query.ts';
import type { Ask, GenerationClaim, Resolution } from '../../src/resolve/resolver.ts';
import { cachedStore } from '../../src/store/cached-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { Log, LogFields } from '../../src/telemetry/log.ts';
import type { Metrics } from '../../src/telemetry/metrics.ts';
import { KnownApplications, SOURCE } from '../registrations/known-applications.ts';
import { accessOf } from '../resolve/harness.ts';
import { FakeClock } from '../support/clock.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';

export interface GenerateOptions {
  readonly project?: string;
  readonly generation?: Partial<GenerationClaim>;
  readonly signal?: AbortSignal;
}

/** A controller's heart: a registry, a store on a real disk, applications, and a clock that the test moves. */
export interface FreshWorld extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly registry: MemoryRegistry;
  readonly applications: KnownApplications;
  readonly events: { readonly event: string; readonly fields: LogFields | undefined }[];
  readonly moved: Moved[];
  readonly recovered: string[];
  readonly overdue: string[];
  store: Store;
  registrations: Registrations;
  comparison: Comparison;
  freshness: ObservableFreshness;
  intervalMs: number;
  modes: readonly ModeRule[];
  /** The operator's configuration changed. */
  reconfigured(): void;
  /** A generation asks, is answered, and is registered; without letting time pass. */
  generate(application: string, asks: readonly Ask[], options?: GenerateOptions): Promise<readonly Resolution[]>;
  /** Begins to poll. */
  start(): void;
  /** Ends the process (nothing is said to the store) and starts another with what is on the disk; `start` it. */
  restart(options?: { readonly lose?: boolean }): Promise<void>;
}

let generations = 0;

export async function freshWorld(options: { readonly random?: () => number } = {}): Promise<FreshWorld> {
  let directory = mkdtempSync(join(tmpdir(), 'freshness-'));
  const clock = new FakeClock();
  const registry = new MemoryRegistry(clock);
  const applications = new KnownApplications();
  const listeners = new Set<() => void>();
  let running: { readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;
  const { random = generator() } = options;
  const events: FreshWorld['events'] = [];
  const broker: AccessBroker = { accessFor: (of, who) => ({ kind: 'granted', access: accessOf(of, who) }) };
  const operator = (): { configuration: OperatorConfiguration; broker: AccessBroker } => ({
    configuration: {
      intervalMs: self.intervalMs,
      minimumIntervalMs: 10_000,
      modes: self.modes,
    } as OperatorConfiguration,
    broker,
  });
  const open = async (): Promise<Pick<FreshWorld, 'store' | 'registrations' | 'comparison' | 'freshness'>> => {
    const store = cachedStore(
      await openStore({ directory, now: clock.now, notices: () => undefined }),
      {
        decisions: 10_000,
        answers: 10_000,
        listings: 10_000,
        tagBytes: 10_000_000,
      },
      clock.now,
    );
    const { now, sleep } = clock;
    const registrations = await createRegistrations({ store, applications, now });
    const shared = { store, registrations, applications, operator, now, sleep, selectByName: selectByNameHere };
    const comparison = createComparison(shared);
    const freshness = createFreshness({
      ...shared,
      random,
      registry: async () => registry,
      onOperatorChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      log: recordingLog(events),
      metrics: NO_METRICS,
    });
    freshness.onMoved((one) => self.moved.push(one));
    freshness.onRecovered((names) => self.recovered.push(...names));
    comparison.onOverdue((name) => self.overdue.push(name));
    return { store, registrations, comparison, freshness };
  };
  const stop = async (): Promise<void> => {
    running?.stop.abort();
    await running?.ended;
    running = undefined;
    await self.store.close();
  };
  const self = {
    clock,
    registry,
    applications,
    events,
    moved: [],
    recovered: [],
    overdue: [],
    intervalMs: 120_000,
    modes: [],
    reconfigured: () => {
      for (const listener of listeners) listener();
    },
    async generate(application, asks, { project, generation, signal = new AbortController().signal } = {}) {
      const query: RegisteringQuery = {
        v: 1,
        who: { application, ...(project === undefined ? {} : { project }) },
        generation: {
          id: `g${++generations}`,
          source: SOURCE,
          revision: 'r1',
          parametersFingerprint: 'p',
          ...generation,
        },
        budgetMs: 25_000,
        asks,
      };
      const { store } = self;
      const ports = {
        store,
        now: clock.now,
        sleep: clock.sleep,
        random,
        selectByName: selectByNameHere,
        registry: async () => registry,
      };
      const { source, parametersFingerprint } = query.generation;
      const known = applications.byInstanceName(application);
      const place = placeAmong(known, source, parametersFingerprint);
      const isSyncing = isBeingSynced(query.generation, known, self.registrations.of(application));
      const { settle } = self.freshness;
      const answering = { operator: operator(), ports, settle, record: true, place, isSyncing };
      const resolutions = await answerQuery(query, answering, signal);
      await self.registrations.record(query, resolutions);
      return resolutions;
    },
    start() {
      const abort = new AbortController();
      const ended = Promise.all([self.freshness.run(abort.signal), self.comparison.run(abort.signal)]);
      running = { stop: abort, ended };
    },
    async restart({ lose = false } = {}) {
      await stop();
      listeners.clear();
      if (lose) {
        rmSync(directory, { recursive: true, force: true });
        directory = mkdtempSync(join(tmpdir(), 'freshness-'));
      }
      Object.assign(self, await open());
    },
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  } satisfies Partial<FreshWorld> as Partial<FreshWorld> as FreshWorld;
  return Object.assign(self, await open());
}

/** The same numbers in every run. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function recordingLog(events: FreshWorld['events']): Log {
  const take = (event: string, fields?: LogFields): void => {
    events.push({ event, fields });
  };
  return { debug: take, info: take, warning: take, error: take };
}

const nothing = (): undefined => undefined;
const NO_METRICS: Metrics = {
  registryRequest: nothing,
  listing: nothing,
  resolveRequest: nothing,
  decisionMoved: nothing,
  rolledOut: nothing,
  refresh: nothing,
  fullSync: nothing,
  applicationEvent: nothing,
  webhook: nothing,
  observe: nothing,
  text: async () => '',
  contentType: 'text/plain',
};
