// A whole Argo CD without containers, with our sidecar: real programs, one folder, one kube-apiserver.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plainHttp } from '../../e2e/argo-cd.ts';
import { startRealRegistry, type RealRegistry } from '../../support/real-registry.ts';
import { buildTool } from '../../tools/build.mjs';
import { type ApplicationController, startApplicationController } from './application-controller.ts';
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
  installationObjects,
  type ProjectOptions,
  projectManifest,
} from './argo-cd-objects.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { startConnectionProxy } from './connection-proxy.ts';
import type { Generation } from './generations.ts';
import { createGitRepository, type Files, type GitRepository } from './git.ts';
import { type Mirror, openMirror } from './mirror.ts';
import { type RepoServer, startRepoServer } from './repo-server.ts';
import { freePort, openSandbox, type Sandbox } from './sandbox.ts';

export interface ArgoCdOptions {
  /** The operator configuration, without `apiVersion` and `kind`; the registry is in it already. */
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/** An Application of a test: everything is asked of what the API said last. */
export interface TestApplication {
  readonly name: string;
  readonly namespace: string;
  /** As the plugin is told it. */
  readonly instanceName: string;
  /** Where its manifests go. */
  readonly destination: string;
  state(): ApplicationState | undefined;
  /** Image of the first container of a live Deployment. */
  live(deployment: string): string | undefined;
  /** `argocd.argoproj.io/refresh`, as people set it. */
  refresh(kind: 'normal' | 'hard'): Promise<void>;
  patch(patch: unknown): Promise<void>;
  remove(): Promise<void>;
}

export interface ArgoCd extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly registry: RealRegistry;
  readonly mirror: Mirror;
  readonly repoServers: readonly RepoServer[];
  readonly applicationController: ApplicationController;
  readonly sandbox: Sandbox;
  /** Replaces the operator configuration of every sidecar. */
  configure(configuration: Readonly<Record<string, unknown>>): Promise<void>;
  createRepository(files: Files): Promise<GitRepository>;
  createNamespace(name: string): Promise<void>;
  createProject(options: ProjectOptions): Promise<void>;
  createApplication(options: ApplicationOptions): Promise<TestApplication>;
  /** Another repo-server with a sidecar of its own; connections alternate from now on. */
  addRepoServer(): Promise<RepoServer>;
  /** Of all repo-servers, in the order of their beginnings; of one application if one is given. */
  generations(application?: TestApplication): Promise<readonly Generation[]>;
  /** Resolves as soon as the condition holds; looks again after every change of an Application or a Deployment. */
  waitFor(what: string, condition: () => boolean | Promise<boolean>, withinMs?: number): Promise<void>;
}

/** Applications outside of Argo CD's own namespace are taken in these. */
export const TEAM_NAMESPACES = 'team-*';

const WITHIN_MS = 30_000;
/** For what no watch tells. */
const LOOK_AGAIN_MS = 100;

export async function startArgoCd(options: ArgoCdOptions = {}): Promise<ArgoCd> {
  const sandbox = await openSandbox('argocd');
  const disposables: AsyncDisposable[] = [sandbox];
  const dispose = async (): Promise<void> => {
    for (const disposable of disposables.splice(0).toReversed()) await disposable[Symbol.asyncDispose]();
  };
  try {
    const [registry, cluster, redis, proxy] = await Promise.all([
      startRealRegistry(),
      startCluster(sandbox),
      startRedis(sandbox),
      startConnectionProxy(),
    ]);
    disposables.push(registry, cluster.api, proxy);
    await install(cluster);
    const mirror = openMirror(cluster.api);
    disposables.push(mirror);
    await mirror.follow(APPLICATIONS);
    await mirror.follow(DEPLOYMENTS);

    const configurationFile = join(await sandbox.directory('operator'), 'config.yaml');
    const configure: ArgoCd['configure'] = async (configuration) => {
      const whole = {
        apiVersion: 'image-resolver.io/v1alpha1',
        kind: 'ResolverConfiguration',
        interval: '0s',
        registries: { hosts: [plainHttp(registry)] },
        ...configuration,
      };
      await writeFile(configurationFile, JSON.stringify(whole));
    };
    await configure(options.configuration ?? {});

    const kubeconfig = await cluster.kubeconfig('argocd', cluster.access.token);
    const repoServers: RepoServer[] = [];
    const addRepoServer: ArgoCd['addRepoServer'] = async () => {
      const server = await startRepoServer(sandbox, {
        name: `repo-server-${repoServers.length + 1}`,
        kubeconfig,
        redis,
        sidecarEnvironment: { IMAGE_RESOLVER_CONFIG: configurationFile },
      });
      repoServers.push(server);
      proxy.add(server.port);
      return server;
    };
    await addRepoServer();
    const applicationController = await startApplicationController(sandbox, {
      kubeconfig,
      redis,
      repoServer: proxy.address,
      applicationNamespaces: [TEAM_NAMESPACES],
    });

    let repositories = 0;
    return {
      cluster,
      registry,
      mirror,
      repoServers,
      applicationController,
      sandbox,
      configure,
      addRepoServer,
      async createRepository(files) {
        repositories += 1;
        return createGitRepository(await sandbox.directory('git', `repository-${repositories}`), files);
      },
      async createNamespace(name) {
        await cluster.api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      },
      async createProject(project) {
        await cluster.api.create(
          `/apis/argoproj.io/v1alpha1/namespaces/${CONTROL_PLANE}/appprojects`,
          projectManifest(project),
        );
      },
      async createApplication(application) {
        const namespace = application.namespace ?? CONTROL_PLANE;
        await cluster.api.create(applicationsOf(namespace), applicationManifest(application));
        return testApplication(cluster, mirror, application.name, namespace, destinationOf(application));
      },
      async generations(application) {
        const all = (await Promise.all(repoServers.map(async (server) => server.generations()))).flat();
        return all
          .filter((generation) => application === undefined || generation.application === application.instanceName)
          .toSorted((a, b) => a.startedAt - b.startedAt);
      },
      waitFor: async (what, condition, withinMs = WITHIN_MS) => waitFor(mirror, what, condition, withinMs),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The in-memory Redis; answers its address. */
async function startRedis(sandbox: Sandbox): Promise<string> {
  const address = /listening on (?<address>\S+)/;
  const program = await sandbox.start({
    name: 'redis',
    program: await buildTool('redis'),
    args: ['127.0.0.1:0'],
    environment: {},
    ready: (log) => address.test(log),
  });
  return address.exec(await program.log())?.groups?.['address'] ?? '';
}

async function install({ api }: Cluster): Promise<void> {
  await api.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: CONTROL_PLANE } });
  await Promise.all(installationObjects().map(async ({ path, object }) => api.create(path, object)));
}

function testApplication(
  { api }: Cluster,
  mirror: Mirror,
  name: string,
  namespace: string,
  destination: string,
): TestApplication {
  const path = `${applicationsOf(namespace)}/${name}`;
  const patch: TestApplication['patch'] = async (change) => {
    await api.patch(path, change);
  };
  return {
    name,
    namespace,
    instanceName: namespace === CONTROL_PLANE ? name : `${namespace}_${name}`,
    destination,
    state: () => mirror.get(APPLICATIONS, namespace, name) as ApplicationState | undefined,
    live: (deployment) =>
      (mirror.get(DEPLOYMENTS, destination, deployment) as DeploymentState | undefined)?.spec.template.spec
        .containers[0]?.image,
    refresh: async (kind) => patch({ metadata: { annotations: { 'argocd.argoproj.io/refresh': kind } } }),
    patch,
    remove: async () => api.remove(path),
  };
}

async function waitFor(
  mirror: Mirror,
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`within ${withinMs / 1000} s it did not happen that ${what}`);
    await new Promise<void>((done) => {
      const finish = (): void => {
        stop();
        clearTimeout(timer);
        done();
      };
      const stop = mirror.onChange(finish);
      const timer = setTimeout(finish, LOOK_AGAIN_MS);
    });
  }
}
