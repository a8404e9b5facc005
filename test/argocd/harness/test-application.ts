import type { ApiObject } from '../../support/real-kubernetes-api.ts';
import type { RealKubernetes } from '../../support/real-kubernetes.ts';
import {
  APPLICATIONS,
  applicationManifest,
  type ApplicationOptions,
  applicationsOf,
  type ApplicationState,
  CONTROL_PLANE,
  DEPLOYMENTS,
  type DeploymentState,
  destinationOf,
} from './argo-cd-objects.ts';
import type { Mirror } from './mirror.ts';
import { happens, waitFor } from './wait-for.ts';

/** An Application of a test: everything is asked of what the API said last. */
export interface TestApplication {
  readonly name: string;
  readonly namespace: string;
  /** As the plugin is told it. */
  readonly instanceName: string;
  /** Where its manifests go. */
  readonly destination: string;
  state(): ApplicationState | undefined;
  /** `Synced`, `OutOfSync`, `Unknown`. */
  syncStatus(): string | undefined;
  /** Synced and seen so, nothing runs and nothing is asked for. */
  isAtRest(): boolean;
  isAskedToRefresh(): boolean;
  /** Since its last operation ended; by this machine's clock, which is Argo CD's here. */
  secondsSinceSync(): number;
  /** A live Deployment. */
  deployment(name: string): DeploymentState | undefined;
  /** Image of the first container of a live Deployment. */
  live(deployment: string): string | undefined;
  /** Resolves when the live Deployment has the image. */
  becomesLive(deployment: string, image: string, withinMs?: number): Promise<void>;
  /** Sets the image of a live Deployment, as somebody with kubectl would. */
  editImage(deployment: string, image: string): Promise<void>;
  /** uid of a live object of the core API: another one when it was made anew. */
  uid(plural: string, name: string): Promise<unknown>;
  /** Sets `argocd.argoproj.io/refresh`, as people do. */
  askForRefresh(kind: 'normal' | 'hard'): Promise<void>;
  /** Asks, and waits until Argo CD has compared and said so. */
  refresh(kind: 'normal' | 'hard'): Promise<void>;
  /** Notes what the Application and its Deployments go through from now on. */
  observe(): Observation;
  /** JSON merge patch. */
  patch(patch: unknown): Promise<void>;
  remove(): Promise<void>;
}

/** Values in the order they came, each only when it differs from the one before. */
export interface Observation {
  readonly syncStatuses: readonly string[];
  /** Types of `status.conditions`, whenever there are any. */
  readonly conditions: readonly string[];
  /** `web=registry/acme/web:1.0.1`, of every Deployment of its destination. */
  readonly images: readonly string[];
  /** How often `argocd.argoproj.io/refresh` was set. */
  readonly refreshes: number;
  stop(): void;
}

export async function createTestApplication(
  kubernetes: RealKubernetes,
  mirror: Mirror,
  options: ApplicationOptions,
): Promise<TestApplication> {
  const { name } = options;
  const namespace = options.namespace ?? CONTROL_PLANE;
  const destination = destinationOf(options);
  const path = `${applicationsOf(namespace)}/${name}`;
  const { admin } = kubernetes;
  await admin.must('POST', applicationsOf(namespace), { body: applicationManifest(options) });

  const patch = async (change: unknown): Promise<ApiObject> =>
    admin.must('PATCH', path, { body: change, contentType: 'application/merge-patch+json' });
  const askForRefresh = async (kind: string): Promise<ApiObject> =>
    patch({ metadata: { annotations: { [REFRESH]: kind } } });
  const state = (): ApplicationState | undefined => mirror.get(APPLICATIONS, namespace, name) as ApplicationState;
  const deployment: TestApplication['deployment'] = (of) =>
    mirror.get(DEPLOYMENTS, destination, of) as DeploymentState | undefined;
  const live: TestApplication['live'] = (of) => deployment(of)?.spec.template.spec.containers[0]?.image;

  // Deployments are watched apart from Applications, and may be seen a moment later.
  const isSeen = ({ status }: ApplicationState): boolean =>
    (status?.resources ?? []).every(({ kind, name: of }) => kind !== 'Deployment' || deployment(of) !== undefined);

  return {
    name,
    namespace,
    instanceName: namespace === CONTROL_PLANE ? name : `${namespace}_${name}`,
    destination,
    state,
    syncStatus: () => state()?.status?.sync?.status,
    isAtRest() {
      const now = state();
      const phase = now?.status?.operationState?.phase ?? 'Succeeded';
      return (
        now?.status?.sync?.status === 'Synced' &&
        now.operation === undefined &&
        phase === 'Succeeded' &&
        refreshOf(now) === undefined &&
        isSeen(now)
      );
    },
    secondsSinceSync: () => (Date.now() - Date.parse(state()?.status?.operationState?.finishedAt ?? '')) / 1000,
    isAskedToRefresh() {
      const now = state();
      return now !== undefined && refreshOf(now) !== undefined;
    },
    deployment,
    live,
    becomesLive: async (of, image, withinMs) =>
      waitFor(mirror, `${name} has ${image}`, () => live(of) === image, withinMs),
    async editImage(of, image) {
      const containers = [{ name: of, image }];
      await admin.must('PATCH', `/apis/apps/v1/namespaces/${destination}/deployments/${of}`, {
        body: { spec: { template: { spec: { containers } } } },
        contentType: 'application/strategic-merge-patch+json',
      });
    },
    async uid(plural, of) {
      return (await admin.must('GET', `/api/v1/namespaces/${destination}/${plural}/${of}`)).metadata['uid'];
    },
    async askForRefresh(kind) {
      await askForRefresh(kind);
    },
    async refresh(kind) {
      for (let attempt = 1; attempt <= REFRESH_ATTEMPTS; attempt += 1) {
        const asked = versionOf(await askForRefresh(kind));
        const isDone = (): boolean => {
          const now = state();
          return now !== undefined && versionOf(now) > asked && refreshOf(now) === undefined;
        };
        if (await happens(mirror, isDone, REFRESH_WITHIN_MS)) return;
        await patch({ metadata: { annotations: { [REFRESH]: null } } });
      }
      throw new Error(`${name} was never refreshed`);
    },
    observe: () => observe(mirror, { namespace, name, destination }),
    async patch(change) {
      await patch(change);
    },
    async remove() {
      await admin.must('DELETE', path);
    },
  };
}

function observe(
  mirror: Mirror,
  of: { readonly namespace: string; readonly name: string; readonly destination: string },
): Observation {
  const [syncStatuses, conditions, images]: [string[], string[], string[]] = [[], [], []];
  const note = (values: string[], value: string | undefined): void => {
    if (value !== undefined && values.at(-1) !== value) values.push(value);
  };
  let refreshes = 0;
  let asked: string | undefined;
  const look = (object: ApiObject): void => {
    if (object.kind === 'Application' && isNamed(object, of.namespace, of.name)) {
      const { status } = object as ApplicationState;
      note(syncStatuses, status?.sync?.status);
      for (const { type } of status?.conditions ?? []) note(conditions, type);
      const now = refreshOf(object);
      if (now !== undefined && now !== asked) refreshes += 1;
      asked = now;
    } else if (object.kind === 'Deployment' && object.metadata.namespace === of.destination) {
      note(images, `${object.metadata.name}=${imageOf(object) ?? ''}`);
    }
  };
  for (const collection of [APPLICATIONS, DEPLOYMENTS]) for (const object of mirror.all(collection)) look(object);
  const stop = mirror.onChange(look);
  return {
    syncStatuses,
    conditions,
    images,
    get refreshes() {
      return refreshes;
    },
    stop,
  };
}

/**
 * Argo CD's controller may overlook an annotation that is set just when it has written the status: it puts what it wrote
 * into its cache, over the newer object with the annotation. Setting the same value again changes nothing, so nobody is told;
 * taking it away first does.
 */
const REFRESH_ATTEMPTS = 5;
const REFRESH_WITHIN_MS = 5_000;
const REFRESH = 'argocd.argoproj.io/refresh';

function refreshOf({ metadata }: ApiObject): string | undefined {
  return (metadata['annotations'] as Readonly<Record<string, string>> | undefined)?.[REFRESH];
}

function isNamed({ metadata }: ApiObject, namespace: string, name: string): boolean {
  return metadata.namespace === namespace && metadata.name === name;
}

/** Versions are etcd's revisions here, and grow. */
function versionOf({ metadata }: ApiObject): number {
  return Number(metadata['resourceVersion']);
}

function imageOf(deployment: ApiObject): string | undefined {
  return (deployment as DeploymentState).spec.template.spec.containers[0]?.image;
}
