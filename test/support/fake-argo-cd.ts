import type { Application, ApplicationChange, Applications } from '../../src/applications/application.ts';
import { KubernetesError, type Kubernetes, type KubernetesObject } from '../../src/kubernetes/kubernetes.ts';
import type { FakeClock } from './clock.ts';

/** From the end of a sync to the end of the comparison that follows it. */
const AFTER_SYNC_MS = 1000;

/** What rendering an application gave: its manifests in short, or what `status.conditions` will say. */
export type Rendered = { readonly manifests: string } | { readonly error: string };

/** How one application fares. */
export interface Behaviour {
  /** From the annotation to the end of the reconcile. */
  refreshMs: number;
  syncMs: number;
  /** Nobody reconciles it. */
  isDeaf: boolean;
  /** Reconciles without rendering, whatever is asked. */
  isCached: boolean;
  /** The comparison fails with this before anything is rendered. */
  brokenBy: string | undefined;
  syncFails: boolean;
  /** Nothing is rendered any more: every resource is to be pruned. */
  prunesAll: boolean;
  /** How many patches are answered and forgotten. */
  losesPatches: number;
  /** How many annotations stand on the Application and are not seen: Argo CD put the status it wrote over what it was told. */
  overlooks: number;
  /** Statuses of the next requests; undefined: no answer. */
  faults: (number | undefined)[];
}

interface State {
  application: Application;
  version: number;
  /** What is live in the cluster. */
  live: string;
  manifests: string;
  readonly behaviour: Behaviour;
  isReconciling: boolean;
}

export interface NewApplication extends Partial<Application> {
  readonly name: string;
}

/**
 * A small honest model of Argo CD and its API, in memory: a hard refresh renders and is taken away with the status of its
 * reconcile, a normal one takes what was rendered before; automated sync follows `autoSync` of Argo CD's controller. It knows
 * no other patch than those that we may send.
 */
export class FakeArgoCd implements Applications {
  complete = true;
  /** Every patch that arrived, in order. */
  readonly patches: { readonly application: string; readonly body: unknown; readonly at: number }[] = [];
  /** Told of every patch that arrived, when it is done. */
  onPatch: (body: unknown) => void = () => undefined;
  /** Every sync that ended. */
  readonly syncs: { readonly application: string; readonly selective: boolean; readonly by: string }[] = [];
  /** The most refreshes that were under way at once. */
  mostInFlight = 0;
  /** Patches that were refused because they named an older version. */
  conflicts = 0;
  /** Patches that came while an operation ran. */
  readonly patchedWhileOperating: string[] = [];
  readonly #clock: FakeClock;
  readonly #render: (application: Application) => Promise<Rendered>;
  readonly #states = new Map<string, State>();
  readonly #listeners = new Set<(change: ApplicationChange) => void>();
  readonly #end = new AbortController();

  constructor(clock: FakeClock, render: (application: Application) => Promise<Rendered>) {
    this.#clock = clock;
    this.#render = render;
  }

  /** Made, rendered and synced. */
  async add({ name, ...rest }: NewApplication, behaviour: Partial<Behaviour> = {}): Promise<Application> {
    const namespace = rest.namespace ?? 'argocd';
    const made: Application = {
      namespace,
      name,
      uid: `uid-${name}`,
      instanceName: namespace === 'argocd' ? name : `${namespace}_${name}`,
      project: 'default',
      sources: [
        {
          repoURL: `https://git.example.com/${name}`,
          path: 'deploy',
          targetRevision: 'main',
          plugin: 'image-resolver',
        },
      ],
      specFingerprint: 'spec-1',
      revisions: ['commit-1'],
      syncStatus: 'Synced',
      reconciledAt: this.#time(),
      operating: false,
      lastSync: { phase: 'Succeeded', revisions: ['commit-1'], finishedAt: this.#time(), selective: false },
      hasHooks: false,
      liveImages: [],
      destination: { server: 'https://kubernetes.default.svc', name: '', namespace: 'default' },
      deleting: false,
      refreshable: true,
      hasGeneratePaths: false,
      ...rest,
    };
    const defaults: Behaviour = {
      refreshMs: 500,
      syncMs: 2000,
      isDeaf: false,
      isCached: false,
      brokenBy: undefined,
      syncFails: false,
      prunesAll: false,
      losesPatches: 0,
      overlooks: 0,
      faults: [],
    };
    const state = {
      application: made,
      version: 1,
      live: '',
      manifests: '',
      behaviour: { ...defaults, ...behaviour },
      isReconciling: false,
    };
    this.#states.set(made.instanceName, state);
    const rendered = await this.#render(made);
    if ('manifests' in rendered) {
      state.manifests = rendered.manifests;
      state.live = rendered.manifests;
    }
    this.#tell({ before: undefined, after: made });
    return made;
  }

  remove(name: string): void {
    const { application } = this.#state(name);
    this.#states.delete(name);
    this.#tell({ before: application, after: undefined });
  }

  byInstanceName(name: string): Application | undefined {
    return this.#states.get(name)?.application;
  }

  *all(): Iterable<Application> {
    for (const { application } of this.#states.values()) yield application;
  }

  project(): undefined {
    return undefined;
  }

  onChange(listener: (change: ApplicationChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  behaviourOf(name: string): Behaviour {
    return this.#state(name).behaviour;
  }

  liveOf(name: string): string {
    return this.#state(name).live;
  }

  /** What people and Git do to it. */
  edit(name: string, change: Partial<Application>): void {
    this.#change(this.#state(name), change);
  }

  /** Sends the last change once more, as a watch may. */
  repeat(name: string): void {
    const { application } = this.#state(name);
    this.#tell({ before: application, after: application });
  }

  /** A person presses the button. */
  hardRefresh(name: string): void {
    const state = this.#state(name);
    this.#change(state, { refreshAsked: 'hard' });
    this.#reconcileSoon(state);
  }

  /** A timed refresh: it takes what was rendered before. */
  reconcile(name: string): void {
    const state = this.#state(name);
    this.#compared(state, { manifests: state.manifests }, {}, ['refreshAsked']);
  }

  /** A commit arrives; Argo CD renders it, or takes what it has in its cache. */
  async push(name: string, revision: string, from: 'rendered' | 'cache' = 'rendered'): Promise<void> {
    const state = this.#state(name);
    const rendered =
      from === 'cache'
        ? { manifests: state.manifests }
        : await this.#render({ ...state.application, revisions: [revision] });
    this.#compared(state, rendered, { revisions: [revision] });
  }

  /** An operation begins; it ends by itself unless `endlessly`. */
  operate(name: string, by = 'person', endlessly = false): void {
    const state = this.#state(name);
    this.#change(state, { operating: true });
    // One that is asked for only; while one runs, the last one is not to be seen.
    if (!endlessly) void this.#sync(state, false, by);
  }

  endOperation(name: string): void {
    this.#change(this.#state(name), { operating: false });
  }

  /** Ends what is under way. */
  close(): void {
    this.#end.abort();
  }

  readonly kubernetes: Pick<Kubernetes, 'get' | 'patch'> = {
    get: async (path) => {
      const state = this.#requested(path);
      return this.#object(state);
    },
    patch: async (path, body) => {
      const state = this.#requested(path);
      const { application, behaviour, version } = state;
      const patch = body as {
        metadata?: { resourceVersion?: string; annotations?: Record<string, string> };
        operation?: object;
        status?: { operationState?: null };
      };
      if (patch.metadata?.resourceVersion !== undefined && patch.metadata.resourceVersion !== String(version)) {
        this.conflicts += 1;
        throw new KubernetesError('conflict', 409);
      }
      this.patches.push({ application: application.instanceName, body, at: this.#clock.now() });
      if (behaviour.losesPatches > 0) {
        behaviour.losesPatches -= 1;
        return this.#object(state);
      }
      if (patch.operation !== undefined) {
        if (application.operating) throw new Error(`${application.name}: an operation was overwritten`);
        // With the result of the last operation beside it a new one waits for the hooks of then, for ever.
        const isStuck = patch.status?.operationState !== null && application.lastSync !== undefined;
        this.operate(application.instanceName, 'image-resolver', isStuck);
      } else {
        this.#annotate(state, body);
      }
      this.onPatch(body);
      return this.#object(state);
    },
  };

  /** `refresh` is set, or taken away to be set again; what changes nothing is told to nobody. */
  #annotate(state: State, body: unknown): void {
    const { application, behaviour } = state;
    const refresh = /^\{"metadata":\{"annotations":\{"argocd\.argoproj\.io\/refresh":(null|"hard")\}\}\}$/.exec(
      JSON.stringify(body),
    )?.[1];
    if (refresh === undefined) throw new Error(`not a patch of ours: ${JSON.stringify(body)}`);
    if (application.operating) this.patchedWhileOperating.push(application.instanceName);
    if (refresh === 'null') {
      if (application.refreshAsked !== undefined) this.#change(state, {}, ['refreshAsked']);
      return;
    }
    if (application.refreshAsked === 'hard') return;
    this.#change(state, { refreshAsked: 'hard' });
    if (behaviour.overlooks > 0) behaviour.overlooks -= 1;
    else this.#reconcileSoon(state);
  }

  #requested(path: string): State {
    const [, namespace = '', name = ''] =
      /^\/apis\/argoproj\.io\/v1alpha1\/namespaces\/([^/]+)\/applications\/([^/]+)$/.exec(path) ?? [];
    const state = [...this.#states.values()].find(
      ({ application }) => application.namespace === namespace && application.name === name,
    );
    if (state === undefined) throw new KubernetesError('not found', 404);
    if (state.behaviour.faults.length > 0) throw new KubernetesError('fault', state.behaviour.faults.shift());
    return state;
  }

  #object({ application, version, behaviour }: State): KubernetesObject {
    const { name, namespace, uid, automated, sources, revisions, syncStatus, reconciledAt, lastSync, operating } =
      application;
    const isMultiSource = sources.length > 1;
    return {
      metadata: { name, namespace, uid, resourceVersion: String(version) },
      spec: {
        ...(isMultiSource ? { sources } : { source: sources[0] }),
        ...(automated && { syncPolicy: { automated } }),
      },
      ...(operating && { operation: { sync: {} } }),
      status: {
        reconciledAt,
        resources: [{ kind: 'Deployment', name, status: syncStatus, requiresPruning: behaviour.prunesAll }],
        sync: { status: syncStatus, ...(isMultiSource ? { revisions } : { revision: revisions[0] }) },
        operationState: lastSync ?? { phase: 'Running' },
      },
    };
  }

  #reconcileSoon(state: State): void {
    if (state.behaviour.isDeaf || state.isReconciling) return;
    state.isReconciling = true;
    const under = [...this.#states.values()].filter(({ isReconciling }) => isReconciling).length;
    this.mostInFlight = Math.max(this.mostInFlight, under);
    void this.#reconcile(state);
  }

  async #reconcile(state: State): Promise<void> {
    await this.#wait(state.behaviour.refreshMs / 2);
    const { brokenBy, isCached } = state.behaviour;
    const cached = { manifests: state.manifests };
    const rendered =
      brokenBy === undefined ? await (isCached ? cached : this.#render(state.application)) : { error: brokenBy };
    await this.#wait(state.behaviour.refreshMs / 2);
    state.isReconciling = false;
    if (this.#states.get(state.application.instanceName) === state)
      this.#compared(state, rendered, {}, ['refreshAsked']);
  }

  /** The status of a comparison, and the sync that follows from it. */
  #compared(
    state: State,
    rendered: Rendered,
    change: Partial<Application>,
    without: readonly (keyof Application)[] = [],
  ): void {
    const next = { ...change, reconciledAt: this.#time() };
    if ('error' in rendered) {
      this.#change(state, { ...next, syncStatus: 'Unknown', comparisonError: rendered.error }, without);
      return;
    }
    state.manifests = rendered.manifests;
    const isSynced = state.live === state.manifests;
    this.#change(state, { ...next, syncStatus: isSynced ? 'Synced' : 'OutOfSync' }, [...without, 'comparisonError']);
    this.#syncAutomatically(state);
  }

  #syncAutomatically(state: State): void {
    const { automated, syncStatus, operating, lastSync, revisions } = state.application;
    if (automated === undefined || syncStatus !== 'OutOfSync' || operating) return;
    const wasTried = lastSync?.revisions.join() === revisions.join();
    if (wasTried && (lastSync?.phase !== 'Succeeded' || !automated.selfHeal)) return;
    this.#change(state, { operating: true });
    void this.#sync(state, wasTried, 'argo-cd');
  }

  async #sync(state: State, selective: boolean, by: string): Promise<void> {
    this.#change(state, {}, ['lastSync']);
    await this.#wait(state.behaviour.syncMs);
    const { syncFails } = state.behaviour;
    if (!syncFails) state.live = state.manifests;
    const { instanceName, revisions } = state.application;
    this.syncs.push({ application: instanceName, selective, by });
    const phase = syncFails ? 'Failed' : 'Succeeded';
    this.#change(state, {
      operating: false,
      lastSync: { phase, revisions, finishedAt: this.#time(), selective },
    });
    // The comparison that follows shows what came of it.
    await this.#wait(AFTER_SYNC_MS);
    if (this.#states.get(instanceName) === state) this.#compared(state, { manifests: state.manifests }, {});
  }

  #change(state: State, change: Partial<Application>, without: readonly (keyof Application)[] = []): void {
    const before = state.application;
    const after = { ...before, ...change };
    for (const field of without) delete after[field];
    state.application = after;
    state.version += 1;
    this.#tell({ before, after });
  }

  #tell(change: ApplicationChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #state(name: string): State {
    const state = this.#states.get(name);
    if (state === undefined) throw new Error(`no application ${name}`);
    return state;
  }

  /** Whole seconds, as Kubernetes writes times. */
  #time(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  /** Never comes back after the end. */
  #wait(ms: number): Promise<void> {
    return this.#clock.sleep(ms, this.#end.signal).catch(() => new Promise<void>(() => {}));
  }
}
