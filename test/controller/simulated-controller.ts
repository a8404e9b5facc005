import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Application } from '../../src/applications/application.ts';
import { startController, type Controller, type Outside } from '../../src/controller/controller.ts';
import type { ServerPorts } from '../../src/controller/servers.ts';
import type { FilePorts } from '../../src/operator/files.ts';
import { loadOperatorConfiguration } from '../../src/operator/load-operator-configuration.ts';
import { createAccessBroker } from '../../src/credentials/broker.ts';
import { keptFrom, type KeptResolution } from '../../src/remote/kept-answer.ts';
import { PATHS } from '../../src/remote/protocol.ts';
import { readResolutions } from '../../src/remote/read-resolutions.ts';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import type { Ask, Resolution, ResolveQuery } from '../../src/resolve/resolver.ts';
import { resolveEndpoint } from '../../src/service/resolve-endpoint.ts';
import { openStore } from '../../src/store/open-store.ts';
import { repository } from '../resolve/harness.ts';
import { KeptLog } from '../service/ports.ts';
import { FakeClock } from '../support/clock.ts';
import { FakeArgoCd, type Rendered } from '../support/fake-argo-cd.ts';
import { MemoryRegistry } from '../support/memory-registry.ts';
import { FakeKubernetes, SIDECAR_TOKEN } from './fake-kubernetes.ts';
import { Life } from './life.ts';

/** One rendering of an application: what each of its images was answered with. */
export interface Rendering {
  readonly application: string;
  readonly project: string;
  readonly answers: readonly { readonly ask: Ask; readonly resolution: Resolution }[];
}

export interface SimulationOptions {
  /** The operator's configuration; `apiVersion`, `kind` and `state` need not be said. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of every rendering, before Argo CD has it. */
  readonly rendered: (rendering: Rendering) => void;
}

/** How long a sidecar waits, with an answer for every image, and without; in milliseconds. */
const SIDECAR = { knownMs: 2_000, newMs: 12_000 } as const;

/** Reads one file, and none else is there. */
function filesOf(path: string, text: string): FilePorts {
  return {
    stamp: (asked) => (asked === path ? '1' : undefined),
    read: (asked) => (asked === path ? { kind: 'read', text, stamp: '1' } : { kind: 'missing' }),
    readPrivate: () => ({ kind: 'missing' }),
    replacePrivate: () => false,
  };
}

/** A whole controller in this process with Argo CD, registry, Kubernetes API and sidecars around it, in time that a test moves. */
export class SimulatedController {
  readonly clock: FakeClock = new FakeClock();
  readonly registry: MemoryRegistry = new MemoryRegistry(this.clock);
  readonly argo: FakeArgoCd = new FakeArgoCd(this.clock, (application) => this.#render(application));
  readonly kubernetes: FakeKubernetes = new FakeKubernetes(this.argo);
  readonly log: KeptLog = new KeptLog();
  /** What each application asks, by instance name. */
  readonly asks: Map<string, readonly Ask[]> = new Map();
  ports: ServerPorts | undefined;
  /** Processes that were started. */
  starts = 0;
  readonly #options: SimulationOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), 'simulation-'));
  readonly #kept = new Map<string, KeptResolution>();
  readonly #random = generator();
  #life = new Life();
  #controller: Controller | undefined;
  #store: { close(): Promise<void> } | undefined;
  #beforeFull: string | undefined;
  #isStarting = false;
  #generations = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return !this.#life.isOver && this.ports !== undefined;
  }

  /** The access scope that an application of a project asks with. */
  async scopeOf(image: string, project: string): Promise<string> {
    const { environment, files } = this.#operator();
    const configuration = await loadOperatorConfiguration(environment, { files, isController: true });
    const broker = createAccessBroker(configuration, environment, { files, now: this.clock.now });
    const answer = broker.accessFor(repository(image), { application: 'any', project });
    if (answer.kind === 'refused') throw new Error(answer.error.what);
    return answer.access.scope;
  }

  /** A process starts with what is on the disk. */
  async start(): Promise<void> {
    this.#isStarting = true;
    this.starts += 1;
    if (this.#beforeFull !== undefined) {
      rmSync(this.#state, { recursive: true, force: true });
      cpSync(this.#beforeFull, this.#state, { recursive: true });
      this.#beforeFull = undefined;
    }
    const life = new Life();
    this.#life = life;
    const { environment, files } = this.#operator();
    const outside: Outside = {
      registryClient: () => life.guard(this.registry),
      filterPool: () => ({ selectByName: selectByNameHere, killed: 0, close: async () => undefined }),
      openStore: async (options) => {
        const store = await openStore(options);
        this.#store = store;
        return life.guard(store);
      },
      serve: async (_, ports) => {
        this.ports = ports;
        return {
          listening: { resolvePort: 0, webhookPort: 0, metricsPort: 0, healthPort: 0 },
          close: async () => undefined,
        };
      },
    };
    const starting = startController({
      environment,
      files,
      kubernetes: this.kubernetes.of(life),
      servers: { address: '', resolvePort: 0, webhookPort: 0, metricsPort: 0, healthPort: 0 },
      sidecarAccounts: [],
      namespaces: [],
      log: this.log,
      version: '0.0.0',
      now: this.clock.now,
      monotonicNow: this.clock.now,
      sleep: life.sleep(this.clock.sleep),
      random: this.#random,
      outside,
    });
    this.#controller = await this.clock.run(starting);
    this.#isStarting = false;
  }

  /** Ends it at one of its next effects, as by `kill -9`. */
  killAfter(effects: number): void {
    this.#life.endAfter(effects);
  }

  /** Ends it now, if it lives, and begins another. */
  async restart(): Promise<void> {
    if (this.#isStarting) return;
    this.#life.end();
    this.ports = undefined;
    await this.#store?.close();
    await this.start();
  }

  /** Ends it as SIGTERM does; whether it let go of its files. */
  async stop(): Promise<boolean> {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#store = undefined;
    if (controller !== undefined) await this.clock.run(controller.stop());
    return !readdirSync(this.#state).some((name) => name.endsWith('-wal'));
  }

  /** The next process begins with an empty volume. */
  loseDisk(): void {
    this.#beforeFull ??= join(this.#directory, `before-${this.starts}`);
    rmSync(this.#beforeFull, { recursive: true, force: true });
    mkdirSync(this.#beforeFull);
  }

  get isDiskFull(): boolean {
    return this.#beforeFull !== undefined;
  }

  /** From now on nothing is kept beyond the process that runs. */
  fillDisk(): void {
    if (this.#beforeFull !== undefined) return;
    this.#beforeFull = join(this.#directory, `before-${this.starts}`);
    cpSync(this.#state, this.#beforeFull, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.argo.close();
    if (!this.#life.isOver && this.#controller !== undefined) await this.clock.run(this.#controller.stop());
    else await this.#store?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #state(): string {
    return join(this.#directory, 'state');
  }

  #operator(): { readonly environment: Readonly<Record<string, string>>; readonly files: FilePorts } {
    const path = '/etc/image-resolver/config.yaml';
    const head = { apiVersion: 'image-resolver.io/v1alpha1', kind: 'ResolverConfiguration', state: this.#state };
    return {
      environment: { IMAGE_RESOLVER_CONFIG: path, ...this.#options.environment },
      files: filesOf(path, JSON.stringify({ ...head, ...this.#options.configuration })),
    };
  }

  async #render(application: Application): Promise<Rendered> {
    const { instanceName, project } = application;
    const asks = this.asks.get(instanceName) ?? [];
    const resolutions = await this.#resolve(application, asks);
    const answers = asks.map((ask, index) => ({ ask, resolution: resolutions[index] as Resolution }));
    this.#options.rendered({ application: instanceName, project, answers });
    const images: string[] = [];
    for (const { ask, resolution } of answers) {
      if ('error' in resolution) return { error: `${resolution.error.code} ${resolution.error.what}` };
      images.push(`${ask.repository.name}${tagged(resolution)}`);
    }
    return { manifests: images.join('\n') };
  }

  /** As a sidecar does: the controller's answer, or the last one of it. */
  async #resolve(application: Application, asks: readonly Ask[]): Promise<readonly Resolution[]> {
    const keyOf = (ask: Ask): string => `${application.instanceName} ${JSON.stringify(ask)}`;
    const known = asks.every((ask) => this.#kept.has(keyOf(ask)));
    const patience = new AbortController();
    const late = this.clock
      .sleep(known ? SIDECAR.knownMs : SIDECAR.newMs, patience.signal)
      .then(() => undefined)
      .catch(() => undefined);
    const answer = await Promise.race([this.#post(application, asks), late]);
    patience.abort();
    return asks.map((ask, index) => {
      const resolution = answer?.[index];
      const kept = resolution === undefined ? undefined : keptFrom(resolution);
      if (kept !== undefined) this.#kept.set(keyOf(ask), kept);
      return resolution ?? this.#kept.get(keyOf(ask)) ?? UNREACHABLE;
    });
  }

  async #post(application: Application, asks: readonly Ask[]): Promise<readonly Resolution[] | undefined> {
    if (this.ports === undefined || this.#life.isOver) return undefined;
    const { sources, revisions, project, instanceName } = application;
    const [source] = sources;
    const query: ResolveQuery = {
      v: 1,
      who: { application: instanceName, project },
      generation: {
        id: `g${++this.#generations}`,
        source: {
          repoURL: source?.repoURL ?? '',
          path: source?.path ?? '',
          targetRevision: source?.targetRevision ?? '',
        },
        revision: revisions[0] ?? '',
        parametersFingerprint: 'p',
      },
      budgetMs: SIDECAR.newMs,
      asks,
    };
    const { signal } = new AbortController();
    const head = {
      method: 'POST',
      path: PATHS.resolve,
      query: new URLSearchParams(),
      headers: { authorization: `Bearer ${SIDECAR_TOKEN}` },
    };
    const opened = await resolveEndpoint(this.ports).open(head, signal);
    const answer = typeof opened === 'function' ? await opened(Buffer.from(JSON.stringify(query)), signal) : opened;
    return answer.status === 200 ? readResolutions(JSON.parse(answer.body), asks.length) : undefined;
  }
}

const UNREACHABLE: Resolution = {
  kind: 'failed',
  error: { code: 'CONTROLLER_UNREACHABLE', what: 'the controller is away', where: 'controller', fix: 'start it' },
  why: 'the controller is away',
  notices: [],
};

function tagged(resolution: Resolution): string {
  if (!('decision' in resolution)) return ':as-in-git';
  const { tag, digest } = resolution.decision;
  return digest === undefined ? `:${tag}` : `:${tag}@${digest}`;
}

/** The same numbers in every run. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
