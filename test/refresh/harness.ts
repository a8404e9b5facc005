import type { Application } from '../../src/applications/application.ts';
import type { RefreshLimits } from '../../src/operator/operator-configuration.ts';
import { createRefresher, type ObservedRefresher, type RefresherParts } from '../../src/refresh/create-refresher.ts';
import type { RefreshCause } from '../../src/refresh/refresher.ts';
import type { Comparison, Outdated } from '../../src/registrations/comparison.ts';
import type { Registration, Registrations } from '../../src/registrations/registration.ts';
import type { DocumentStore } from '../../src/store/store.ts';
import type { LogFields } from '../../src/telemetry/log.ts';
import { FakeClock } from '../support/clock.ts';
import { FakeArgoCd, type Behaviour, type NewApplication, type Rendered } from '../support/fake-argo-cd.ts';

export const SECOND = 1000;
export const MINUTE = 60_000;

interface Given {
  readonly registration: Registration;
  readonly tag: string;
  readonly revision: string;
}

/** Ends a process: from then on nothing it does has an effect, and nothing reaches it. */
class Life {
  isOver = false;
  steps = 0;
  readonly #endsAt: number;

  /** @param endsAt the effect before (odd) or after (even) which it ends. */
  constructor(endsAt: number) {
    this.#endsAt = endsAt;
  }

  async effect<T>(work: () => Promise<T>): Promise<T> {
    await this.#step();
    const result = await work();
    await this.#step();
    return result;
  }

  async #step(): Promise<void> {
    this.steps += 1;
    if (this.steps === this.#endsAt) this.isOver = true;
    if (this.isOver) await new Promise<never>(() => {});
  }
}

/** Argo CD, a registry's decisions, what was rendered with them, and a refresher between them. */
export class World {
  readonly clock: FakeClock = new FakeClock();
  readonly argo: FakeArgoCd = new FakeArgoCd(this.clock, (application) => this.#render(application));
  readonly limits: { -readonly [K in keyof RefreshLimits]: RefreshLimits[K] } = {
    concurrency: 10,
    perRepository: 2,
    fullSyncProjects: [],
  };
  /** What is decided, by image; undefined: nothing can be. */
  readonly decisions: Map<string, string | undefined> = new Map();
  /** Which image each application uses. */
  readonly uses: Map<string, string> = new Map();
  readonly events: string[] = [];
  readonly logged: { readonly event: string; readonly fields: LogFields | undefined }[] = [];
  readonly counted: string[] = [];
  readonly rolledOut: number[] = [];
  readonly userRefreshes: string[] = [];
  readonly full: Set<string> = new Set();
  /** Whose sidecar does not reach this controller. */
  readonly unreached: Set<string> = new Set();
  /** Applications whose renderings have hooks. */
  readonly hooks: Set<string> = new Set();
  readonly compared: string[] = [];
  /** While a sync runs, all of it gets the same images. */
  holdsSyncing = false;
  window: 'allowed' | 'blocked' = 'allowed';
  /** How long a comparison takes after it looked. */
  compareMs = 0;
  /** How long the comparison lets Argo CD show what it rendered. */
  followsMs = 0;
  /** What happens when this is written to disk. */
  onPut: (text: string) => void = () => undefined;
  renderings: string[] = [];
  refresher!: ObservedRefresher;
  life: Life = new Life(0);
  readonly #documents = new Map<string, string>();
  readonly #given = new Map<string, Given>();
  readonly #registrationListeners = new Set<(application: string) => void>();
  readonly #overdue = new Set<(application: string) => void>();
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Makes an application that is rendered with the image as it is decided. */
  add(application: NewApplication, image: string, behaviour: Partial<Behaviour> = {}): Promise<Application> {
    const namespace = application.namespace ?? 'argocd';
    this.uses.set(namespace === 'argocd' ? application.name : `${namespace}_${application.name}`, image);
    return this.argo.add(application, behaviour);
  }

  /** A process starts. */
  async start(endsAt = 0): Promise<void> {
    const life = new Life(endsAt);
    this.life = life;
    this.#stop = new AbortController();
    // A process may end while it starts: then this never goes on.
    void this.#begin(life);
    await this.clock.advance(0);
  }

  async #begin(life: Life): Promise<void> {
    this.refresher = await createRefresher(this.#parts(life));
    this.#running = this.refresher.run(this.#stop.signal);
  }

  /** It ends at once, as by `kill -9`. */
  kill(): void {
    this.life.isOver = true;
  }

  /** It is asked to end, and does. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.kill();
  }

  /** A decision moves, and who uses it is told. */
  move(image: string, tag: string | undefined, cause: RefreshCause = 'poll'): void {
    this.decisions.set(image, tag);
    if (!this.life.isOver) this.refresher.check(this.usersOf(image), cause, this.clock.now());
  }

  usersOf(image: string): readonly string[] {
    return [...this.uses].filter(([, used]) => used === image).map(([name]) => name);
  }

  /** Somebody else has it rendered: a person, a commit, an operation of another revision. */
  async render(name: string, revision?: string): Promise<void> {
    const application = this.argo.byInstanceName(name);
    if (application === undefined) return;
    await this.#render(revision === undefined ? application : { ...application, revisions: [revision] });
  }

  overdue(name: string): void {
    for (const listener of this.#overdue) listener(name);
  }

  get patched(): readonly string[] {
    return this.argo.patches
      .filter(({ body }) => JSON.stringify(body).includes('"hard"'))
      .map(({ application }) => application);
  }

  get operations(): readonly unknown[] {
    return this.argo.patches.map(({ body }) => body).filter((body) => 'operation' in (body as object));
  }

  count(event: string): number {
    return this.counted.filter((one) => one === event).length;
  }

  get outdated(): readonly string[] {
    return [...this.uses.keys()].filter(
      (name) => this.argo.byInstanceName(name) !== undefined && this.#outdated(name) !== undefined,
    );
  }

  async #render(application: Application): Promise<Rendered> {
    const name = application.instanceName;
    const image = this.uses.get(name) ?? '';
    const held = this.holdsSyncing && application.operating ? this.#given.get(name)?.tag : undefined;
    const tag = held ?? this.decisions.get(image);
    this.renderings.push(name);
    if (this.unreached.has(name)) return { manifests: `${image}:as the sidecar thinks` };
    const [source] = application.sources;
    const registration: Registration = {
      application: name,
      source: {
        repoURL: source?.repoURL ?? '',
        path: source?.path ?? '',
        targetRevision: source?.targetRevision ?? '',
      },
      revision: application.revisions[0] ?? '',
      parametersFingerprint: 'p',
      ...(this.full.has(name) && { sync: 'full' }),
      ...(this.hooks.has(name) && { hooks: true as const }),
      generation: `g${this.renderings.length}`,
      answeredAt: this.clock.now(),
      answers: [],
      earlierRevisions: [],
    };
    this.#given.set(name, { registration, tag: tag ?? 'none', revision: application.revisions.join() });
    for (const listener of this.#registrationListeners) listener(name);
    return tag === undefined ? { error: `nothing is known of ${image}` } : { manifests: `${image}:${tag}` };
  }

  #outdated(name: string): Outdated | undefined {
    const given = this.#given.get(name);
    if (given === undefined) return { kind: 'unknown' };
    const image = this.uses.get(name) ?? '';
    const to = this.decisions.get(image);
    if (to !== undefined && to !== given.tag)
      return { kind: 'image', images: [{ label: image, from: given.tag, to, policy: 'semver ~1.0' }] };
    const isFollowed = this.clock.now() >= given.registration.answeredAt + this.followsMs;
    return this.argo.byInstanceName(name)?.revisions.join() === given.revision || !isFollowed
      ? undefined
      : { kind: 'cached-manifest' };
  }

  #parts(life: Life): RefresherParts {
    const heard =
      <T>(listener: (value: T) => void) =>
      (value: T): void => {
        if (!life.isOver) listener(value);
      };
    const registrations: Pick<Registrations, 'of' | 'all' | 'onChange'> = {
      of: (name) => [this.#given.get(name)?.registration].filter((one) => one !== undefined),
      all: () => [...this.#given.values()].map(({ registration }) => registration),
      onChange: (listener) => listening(this.#registrationListeners, heard(listener)),
    };
    const comparison: Pick<Comparison, 'outdated'> = {
      outdated: (name) =>
        life.effect(async () => {
          this.compared.push(name);
          const outdated = this.#outdated(name);
          if (this.compareMs > 0) await clock.sleep(this.compareMs, new AbortController().signal);
          return outdated;
        }),
    };
    const { argo, clock } = this;
    return {
      store: { documents: <T>(_: string, read: (value: unknown) => T | undefined) => this.#documentStore(life, read) },
      registrations,
      comparison,
      applications: {
        get complete() {
          return argo.complete;
        },
        byInstanceName: (name) => argo.byInstanceName(name),
        all: () => argo.all(),
        project: () => undefined,
        onChange: (listener) => argo.onChange(heard(listener)),
      },
      kubernetes: {
        get: (path, signal) => life.effect(() => argo.kubernetes.get(path, signal)),
        patch: (path, body, signal) => life.effect(() => argo.kubernetes.patch(path, body, signal)),
      },
      events: { record: ({ name }, { reason, message }) => void this.events.push(`${name} ${reason} ${message}`) },
      limits: () => this.limits,
      userRefresh: (name) => void this.userRefreshes.push(name),
      syncWindowAllows: () => this.window,
      onOverdue: (listener) => listening(this.#overdue, heard(listener)),
      now: clock.now,
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (life.isOver) await new Promise<never>(() => {});
      },
      random: () => 0.5,
      log: {
        debug: (event, fields) => void this.logged.push({ event, fields }),
        info: (event, fields) => void this.logged.push({ event, fields }),
        warning: (event, fields) => void this.logged.push({ event, fields }),
        error: (event, fields) => void this.logged.push({ event, fields }),
      },
      metrics: {
        refresh: (event) => void this.counted.push(event),
        fullSync: (event) => void this.counted.push(`full ${event}`),
        rolledOut: (seconds) => void this.rolledOut.push(seconds),
      },
    };
  }

  #documentStore<T>(life: Life, read: (value: unknown) => T | undefined): DocumentStore<T> {
    return {
      all: async () => {
        const found = new Map<string, T>();
        for (const [key, text] of this.#documents) {
          const value = read(JSON.parse(text));
          if (value !== undefined) found.set(key, value);
        }
        return found;
      },
      put: (key, value) =>
        life.effect(async () => {
          const text = JSON.stringify(value);
          this.#documents.set(key, text);
          this.onPut(text);
        }),
      remove: (key) => life.effect(async () => void this.#documents.delete(key)),
    };
  }

  /** What is on disk of the queue. */
  get kept(): number {
    return this.#documents.size;
  }
}

function listening<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
