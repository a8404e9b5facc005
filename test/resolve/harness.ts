import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notice, UserErrorData } from '../../src/error/user-error.ts';
import { parseRepository, type Repository, type Tag } from '../../src/image/reference.ts';
import type { ModeRule, OperatorConfiguration } from '../../src/operator/operator-configuration.ts';
import type { Selection, StrategySpec } from '../../src/strategy/selection.ts';
import type { Access, AccessBroker, AccessScope, RegistryEndpoint } from '../../src/registry/access.ts';
import { createInProcessResolver } from '../../src/resolve/in-process.ts';
import type { SelectByName } from '../../src/resolve/job.ts';
import type { Ask, Resolution, Resolver, SourceClaim } from '../../src/resolve/resolver.ts';
import type { CallerClaim } from '../../src/registry/access.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../support/clock.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';

export const API = 'registry.example.com/acme/api';

export function repository(name: string = API): Repository {
  const result = parseRepository(name);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

export function selection(strategy: StrategySpec, rest: Partial<Selection> = {}): Selection {
  return { strategy, filters: [], platforms: [{ os: 'linux', architecture: 'amd64' }], ...rest };
}

export function semver(constraint: string, rest: Partial<Selection> = {}): Selection {
  return selection({ kind: 'semver', constraint }, rest);
}

export function following(tag: string): Selection {
  return selection({ kind: 'digest', tag: tag as Tag });
}

export const newestBuild: Selection = selection({ kind: 'newest-build' });

export function ask(selected: Selection, rest: Partial<Ask> = {}): Ask {
  const of = rest.repository ?? repository();
  return {
    image: `${of.name}|api`,
    label: 'api',
    where: 'parameter images[0]',
    repository: of,
    choice: { kind: 'select', selection: selected },
    onUnsatisfied: 'git',
    onRemoved: 'keep',
    ...rest,
  };
}

export function endpoint(rest: Partial<RegistryEndpoint> = {}): RegistryEndpoint {
  return {
    apiUrl: 'https://registry.example.com',
    host: 'registry.example.com',
    id: 'registry.example.com',
    insecure: false,
    privateAddressAllowed: false,
    tokenHosts: [],
    requestsPerSecond: 100,
    concurrency: 10,
    pageSize: 1000,
    ...rest,
  };
}

/** Access to anything; the scope is the project, so that tenants are told apart by it. */
export function accessOf(of: Repository, who: CallerClaim, rest: Partial<RegistryEndpoint> = {}): Access {
  const scope = `scope:${who.project ?? 'everybody'}` as AccessScope;
  return {
    repository: of,
    endpoint: endpoint({ apiUrl: `https://${of.host}`, host: of.host, id: of.host, ...rest }),
    scope,
    credential: { id: scope, get: async () => ({ kind: 'anonymous', generation: '' }) },
  };
}

export interface World extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly registry: MemoryRegistry;
  readonly notices: readonly Notice[];
  readonly directory: string;
  /** How often the registry client was loaded. */
  readonly loaded: number;
  store: Store;
  /** What the operator configured; read at every resolution. */
  modes: readonly ModeRule[];
  intervalMs: number;
  minimumIntervalMs: number;
  endpoint: Partial<RegistryEndpoint>;
  /** What the broker refuses every ask with; undefined: it grants all. */
  refuse: UserErrorData | undefined;
  /** Evaluates patterns; undefined: the resolver's process does. */
  selectByName: SelectByName | undefined;
  /** Asks one thing as one application, as a new process with the same store would, letting the time pass that it takes. */
  resolve(one: Ask, options?: AskOptions): Promise<Resolution>;
  resolveAll(asks: readonly Ask[], options?: AskOptions): Promise<readonly Resolution[]>;
  /** A resolver of its own, for things that happen at the same time. */
  resolver(): Resolver;
  /** Ends every process and starts again with what is on the disk. */
  restart(): Promise<void>;
}

export interface AskOptions {
  readonly application?: string;
  readonly project?: string;
  readonly budgetMs?: number;
  readonly explain?: boolean;
  readonly preview?: boolean;
  readonly source?: SourceClaim;
  readonly signal?: AbortSignal;
}

/** A registry, a store on a real disk, a clock, and an operator's configuration. */
export async function world(): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), 'resolve-'));
  const clock = new FakeClock();
  const registry = new MemoryRegistry(clock);
  const notices: Notice[] = [];
  const open = (): Promise<Store> =>
    openStore({ directory, now: clock.now, notices: (notice) => notices.push(notice) });
  let loaded = 0;
  const self: World = {
    clock,
    registry,
    notices,
    directory,
    get loaded() {
      return loaded;
    },
    store: await open(),
    modes: [],
    intervalMs: 30_000,
    minimumIntervalMs: 30_000,
    endpoint: {},
    refuse: undefined,
    selectByName: undefined,
    resolver: () =>
      createInProcessResolver({
        configuration: configurationOf(self),
        broker: brokerOf(self),
        store: self.store,
        registry: async () => {
          loaded += 1;
          return registry;
        },
        now: clock.now,
        random: () => 0.5,
        sleep: clock.sleep,
        ...(self.selectByName === undefined ? {} : { selectByName: self.selectByName }),
      }),
    async resolve(one, options) {
      const [resolution] = await self.resolveAll([one], options);
      if (resolution === undefined) throw new Error('no resolution');
      return resolution;
    },
    async resolveAll(asks, { application = 'shop', project, budgetMs = 25_000, signal, ...rest } = {}) {
      const who = { application, ...(project === undefined ? {} : { project }) };
      const query = { v: 1, who, budgetMs, asks, ...rest } as const;
      return clock.run(self.resolver().resolve(query, signal ?? new AbortController().signal));
    },
    async restart() {
      await self.store.close();
      self.store = await open();
    },
    async [Symbol.asyncDispose]() {
      await self.store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return self;
}

function brokerOf(self: World): AccessBroker {
  return {
    accessFor: (of, who) =>
      self.refuse === undefined
        ? { kind: 'granted', access: accessOf(of, who, self.endpoint) }
        : { kind: 'refused', error: self.refuse },
  };
}

function configurationOf(self: World): OperatorConfiguration {
  return {
    intervalMs: self.intervalMs,
    minimumIntervalMs: self.minimumIntervalMs,
    budgetMs: 25_000,
    stateDirectory: self.directory,
    secretsDirectory: '/nowhere',
    allowedHosts: ['*'],
    hosts: [],
    grants: [],
    credentialHelpers: { environment: [], timeoutMs: 10_000 },
    rendering: { kustomizeBuildOptions: [], remoteSourceHosts: ['*'], gitCredentials: false } as never,
    unmatchedPolicy: { parameters: 'warn', file: 'error', annotations: 'error' },
    modes: self.modes,
    webhooks: [],
    refresh: { concurrency: 10, perRepository: 2, fullSyncProjects: [] },
  };
}

/** `1.0.6`, `stale 1.0.6`, `as-in-git unsatisfied`, `failed REGISTRY_DENIED`: a resolution in short. */
export function inShort(resolution: Resolution): string {
  switch (resolution.kind) {
    case 'decided':
      return resolution.decision.tag;
    case 'stale':
    case 'held':
      return `${resolution.kind} ${resolution.decision.tag}`;
    case 'pinned':
      return `pinned ${'tag' in resolution ? resolution.tag : resolution.digest}`;
    case 'as-in-git':
      return `as-in-git ${resolution.reason}${resolution.would === undefined ? '' : ` would ${resolution.would.tag}`}`;
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return `${resolution.kind} ${resolution.error.code}`;
    default:
      return resolution satisfies never;
  }
}

export function codes(resolution: Resolution): readonly string[] {
  return resolution.notices.map(({ code }) => code);
}
