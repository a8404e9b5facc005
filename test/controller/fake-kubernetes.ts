import type { Application } from '../../src/applications/application.ts';
import {
  type Collection,
  type Follower,
  type Kubernetes,
  KubernetesError,
  type KubernetesObject,
  type TokenReview,
} from '../../src/kubernetes/kubernetes.ts';
import type { FakeArgoCd } from '../support/fake-argo-cd.ts';
import type { Life } from './life.ts';

/** What the sidecar's token says. */
export const SIDECAR_TOKEN = 'sidecar';

interface Watch {
  readonly life: Life;
  readonly signal: AbortSignal;
  changed(object: KubernetesObject): void;
  removed(key: string): void;
  list(): void;
  trouble(problem: string | undefined): void;
}

/** The Kubernetes API in front of {@link FakeArgoCd}: everything that the controller asks of it. It can be away. */
export class FakeKubernetes {
  readonly events: { readonly namespace: string; readonly body: unknown }[] = [];
  #isDown = false;
  readonly #argo: FakeArgoCd;
  readonly #watches = new Set<Watch>();

  constructor(argo: FakeArgoCd) {
    this.#argo = argo;
    argo.onChange(({ before, after }) => {
      if (this.#isDown) return;
      for (const watch of this.#watches) {
        if (watch.life.isOver || watch.signal.aborted) this.#watches.delete(watch);
        else if (after !== undefined) watch.changed(this.#objectOf(after));
        else if (before !== undefined) watch.removed(`${before.namespace}/${before.name}`);
      }
    });
  }

  /** Watches end and requests get no answer; afterwards everything is told again. */
  set down(isDown: boolean) {
    if (this.#isDown === isDown) return;
    this.#isDown = isDown;
    for (const watch of this.#watches) {
      if (watch.life.isOver) continue;
      watch.trouble(isDown ? 'no answer' : undefined);
      if (!isDown) watch.list();
    }
  }

  get down(): boolean {
    return this.#isDown;
  }

  #objectOf(application: Application): KubernetesObject {
    return objectOf({ ...application, liveImages: this.#argo.liveOf(application.instanceName).split('\n') });
  }

  /** As one process has it. */
  of(life: Life): Kubernetes {
    const answered = <T>(answer: () => T | Promise<T>): Promise<T> =>
      this.#isDown ? Promise.reject(new KubernetesError('no answer')) : Promise.resolve(answer());
    const calls = life.guard({
      get: (path: string, signal: AbortSignal) => answered(() => this.#argo.kubernetes.get(path, signal)),
      patch: (path: string, body: unknown, signal: AbortSignal) =>
        answered(() => (path.includes('/events/') ? NOTHING : this.#argo.kubernetes.patch(path, body, signal))),
      create: (path: string, body: unknown) =>
        answered(() => {
          this.events.push({ namespace: path.split('/')[4] ?? '', body });
          return NOTHING;
        }),
      reviewToken: (token: string, audiences: readonly string[]) => answered(() => reviewOf(token, audiences)),
      mayAccessApplication: () => answered(() => true),
    });
    return {
      ...calls,
      follow: (collection, reduce, follower, signal) => this.#follow(life, { collection, reduce, follower }, signal),
    };
  }

  #follow<T>(
    life: Life,
    {
      collection,
      reduce,
      follower,
    }: {
      readonly collection: Collection;
      readonly reduce: (object: KubernetesObject) => { readonly key: string; readonly value: T };
      readonly follower: Follower<T>;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const isOfApplications = collection.path.endsWith('/applications');
    const known = new Set<string>();
    const watch: Watch = {
      life,
      signal,
      changed: (object) => {
        if (!isOfApplications) return;
        const { key, value } = reduce(object);
        known.add(key);
        follower.changed(value);
      },
      removed: (key) => {
        if (known.delete(key)) follower.removed(key);
      },
      list: () => {
        const gone = new Set(known);
        for (const application of isOfApplications ? this.#argo.all() : []) {
          watch.changed(this.#objectOf(application));
          gone.delete(`${application.namespace}/${application.name}`);
        }
        for (const key of gone) watch.removed(key);
        follower.listed();
      },
      trouble: (problem) => follower.trouble(problem),
    };
    this.#watches.add(watch);
    if (this.#isDown) watch.trouble('no answer');
    else watch.list();
    return new Promise((done) => {
      signal.addEventListener('abort', () => done(), { once: true });
    });
  }
}

const NOTHING: KubernetesObject = { metadata: { name: 'event' } };

function reviewOf(token: string, audiences: readonly string[]): TokenReview {
  if (token !== SIDECAR_TOKEN || !audiences.includes('image-resolver')) return { kind: 'rejected' };
  return { kind: 'authenticated', username: 'system:serviceaccount:argocd:argocd-repo-server', groups: [], uid: '1' };
}

/** The object that an Application is read from. */
function objectOf(application: Application): KubernetesObject {
  const { namespace, name, uid, project, sources, revisions, syncStatus, reconciledAt, lastSync, operating } =
    application;
  const written = sources.map(({ plugin, ...source }) => ({ ...source, ...(plugin && { plugin: { name: plugin } }) }));
  return {
    metadata: {
      name,
      namespace,
      uid,
      annotations: { ...(application.refreshAsked && { 'argocd.argoproj.io/refresh': application.refreshAsked }) },
    },
    spec: {
      project,
      ...(written.length > 1 ? { sources: written } : { source: written[0] }),
      destination: application.destination,
      ...(application.automated && { syncPolicy: { automated: application.automated } }),
    },
    ...(operating && { operation: { sync: {} } }),
    status: {
      sync: { status: syncStatus, ...(revisions.length > 1 ? { revisions } : { revision: revisions[0] }) },
      reconciledAt,
      conditions:
        application.comparisonError === undefined
          ? []
          : [{ type: 'ComparisonError', message: application.comparisonError }],
      ...(lastSync && {
        operationState: {
          phase: lastSync.phase,
          finishedAt: lastSync.finishedAt,
          operation: { sync: { revision: lastSync.revisions[0], ...(lastSync.selective && { resources: [{}] }) } },
          syncResult: { revision: lastSync.revisions[0] },
        },
      }),
      resources: [],
      summary: { images: application.liveImages },
    },
  };
}
