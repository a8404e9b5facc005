import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Application } from '../../src/applications/application.ts';
import { startController, type Controller, type Outside } from '../../src/controller/controller.ts';
import type { ServerPorts } from '../../src/controller/servers.ts';
import type { FilePorts } from '../../src/operator/files.ts';
import { loadOperatorConfiguration } from '../../src/operator/load-operator-configuration.ts';
import { createAccessBroker } from '../../src/credentials/broker.ts';
import { givenOf } from '../../src/registrations/given.ts';
import { keptFrom, type KeptResolution } from '../../src/remote/kept-answer.ts';
import { PATHS, type ReportAnswer, type ReportBody, type Unheard } from '../../src/remote/protocol.ts';
import { readResolutions } from '../../src/remote/read-resolutions.ts';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import type { Ask, GenerationClaim, Resolution, ResolveQuery } from '../../src/resolve/resolver.ts';
import type { Route } from '../../src/service/exchange.ts';
import { reportEndpoint } from '../../src/service/report-endpoint.ts';
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
  /** The controller was heard; else they are what the sidecar had kept. */
  readonly isHeard: boolean;
}

export interface SimulationOptions {
  /** The operator's configuration; `apiVersion`, `kind` and `state` need not be said. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Told of every rendering, before Argo CD has it. */
  readonly rendered: (rendering: Rendering) => void;
}

/** How long a sidecar waits, with an answer for every image, without, and for a report; in milliseconds. */
const SIDECAR = { knownMs: 2_000, newMs: 12_000, reportMs: 1_000 } as const;

/** The container of a repo-server: what it was answered, and what it has to tell. */
class Sidecar {
  readonly kept: Map<string, KeptResolution> = new Map();
  readonly unheard: Map<string, Omit<Unheard, 'agoMs'> & { readonly at: number }> = new Map();
}

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
  readonly #sidecars = [new Sidecar(), new Sidecar()];
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
    const generation = this.#generationOf(application);
    const sidecar = this.#sidecars[this.#generations % this.#sidecars.length] as Sidecar;
    const heard = await this.#resolve(sidecar, application, generation, asks);
    const keyOf = (ask: Ask): string => `${instanceName} ${JSON.stringify(ask)}`;
    const answers = asks.map((ask, index) => {
      const resolution = heard?.[index];
      const kept = resolution === undefined ? undefined : keptFrom(resolution);
      if (kept !== undefined) sidecar.kept.set(keyOf(ask), kept);
      return { ask, resolution: resolution ?? sidecar.kept.get(keyOf(ask)) ?? UNREACHABLE };
    });
    this.#options.rendered({ application: instanceName, project, answers, isHeard: heard !== undefined });
    const images: string[] = [];
    for (const { ask, resolution } of answers) {
      if ('error' in resolution) return { error: `${resolution.error.code} ${resolution.error.what}` };
      images.push(`${ask.repository.name}${tagged(resolution)}`);
    }
    const who = { application: instanceName, project };
    if (heard === undefined) {
      const given = answers.map(({ ask, resolution }) => givenOf(ask, resolution));
      sidecar.unheard.set(instanceName, { who, generation, asks, given, at: this.clock.now() });
    } else if (sidecar.unheard.size > 0) {
      await this.#tell(sidecar, { v: 1, who, generation, notices: [], asked: true });
    }
    return { manifests: images.join('\n') };
  }

  #generationOf({ sources: [source], revisions }: Application): GenerationClaim {
    return {
      id: `g${++this.#generations}`,
      source: {
        repoURL: source?.repoURL ?? '',
        path: source?.path ?? '',
        targetRevision: source?.targetRevision ?? '',
      },
      revision: revisions[0] ?? '',
      parametersFingerprint: 'p',
    };
  }

  /** The controller's answer; undefined: it did not come in time. */
  async #resolve(
    { kept }: Sidecar,
    { instanceName, project }: Application,
    generation: GenerationClaim,
    asks: readonly Ask[],
  ): Promise<readonly Resolution[] | undefined> {
    const isKnown = asks.every((ask) => kept.has(`${instanceName} ${JSON.stringify(ask)}`));
    const who = { application: instanceName, project };
    const query: ResolveQuery = { v: 1, who, generation, budgetMs: SIDECAR.newMs, asks };
    const answer = await this.#post(resolveEndpoint, query, isKnown ? SIDECAR.knownMs : SIDECAR.newMs);
    return answer === undefined ? undefined : readResolutions(answer, asks.length);
  }

  /** What was rendered without the controller. */
  async #tell(sidecar: Sidecar, report: Omit<ReportBody, 'unheard'>): Promise<void> {
    const told = [...sidecar.unheard];
    const now = this.clock.now();
    const unheard = told.map(([, { at, ...one }]) => ({ ...one, agoMs: Math.max(0, now - at) }));
    const answer = await this.#post(reportEndpoint, { ...report, unheard }, SIDECAR.reportMs);
    const { taken = 0 } = (answer ?? {}) as ReportAnswer;
    for (const [name, one] of told.slice(0, taken)) if (sidecar.unheard.get(name) === one) sidecar.unheard.delete(name);
  }

  /** One request to a process that may end at any moment; undefined: no answer in time. */
  async #post(
    endpoint: (ports: ServerPorts) => Route,
    body: ResolveQuery | ReportBody,
    patienceMs: number,
  ): Promise<unknown> {
    const patience = new AbortController();
    const gone = new AbortController();
    const late = this.clock
      .sleep(patienceMs, patience.signal)
      .then(() => gone.abort())
      .catch(() => undefined);
    const answer = await Promise.race([this.#exchange(endpoint, body, gone.signal), late]);
    patience.abort();
    return answer ?? undefined;
  }

  async #exchange(
    endpoint: (ports: ServerPorts) => Route,
    body: ResolveQuery | ReportBody,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (this.ports === undefined || this.#life.isOver) return undefined;
    const head = {
      method: 'POST',
      path: PATHS.resolve,
      query: new URLSearchParams(),
      headers: { authorization: `Bearer ${SIDECAR_TOKEN}` },
    };
    try {
      const opened = await endpoint(this.ports).open(head, signal);
      const answer = typeof opened === 'function' ? await opened(Buffer.from(JSON.stringify(body)), signal) : opened;
      return answer.status < 300 ? JSON.parse(answer.body) : undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
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
