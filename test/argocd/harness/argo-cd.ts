// A whole Argo CD without containers, with our sidecar: real programs, one folder, one kube-apiserver.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AUDIENCE } from '../../../src/remote/protocol.ts';
import { plainHttp } from '../../e2e/argo-cd.ts';
import type { ApiObject } from '../../support/real-kubernetes-api.ts';
import { type RealKubernetes, startRealKubernetes } from '../../support/real-kubernetes.ts';
import { startRealRegistry, type RealRegistry, type RealRegistryOptions } from '../../support/real-registry.ts';
import { buildTool } from '../../tools/build.mjs';
import { type ApplicationController, startApplicationController } from './application-controller.ts';
import {
  APPLICATIONS,
  CONFIG_MAPS,
  type ApplicationOptions,
  applicationSetManifest,
  applicationSetsOf,
  CONTROL_PLANE,
  DEPLOYMENTS,
  type DeploymentState,
  installationObjects,
  podOf,
  type ProjectOptions,
  projectManifest,
  projectsOf,
} from './argo-cd-objects.ts';
import { startConnectionProxy } from './connection-proxy.ts';
import type { Generation } from './generations.ts';
import { collectGarbage } from './garbage-collector.ts';
import { createGitRepository, type Files, type GitRepository } from './git.ts';
import { type ImageResolverController, prepareController, SIDECAR_ACCOUNT } from './image-resolver-controller.ts';
import { type Mirror, openMirror } from './mirror.ts';
import { type RepoServer, startRepoServer } from './repo-server.ts';
import { freePort, openSandbox, type Sandbox } from './sandbox.ts';
import { createTestApplication, type TestApplication } from './test-application.ts';
import { waitFor } from './wait-for.ts';

export interface ArgoCdOptions {
  /** What the registry asks for; default nothing. */
  readonly registry?: RealRegistryOptions;
  /** Sidecar and controller, not the sidecar alone. It is started before everything that asks it. */
  readonly controller?: {
    /** Secrets of webhooks, for `env:` names. */
    readonly environment?: Readonly<Record<string, string>>;
    /** The registry tells its `/webhook/distribution` of each push, with this Authorization header. */
    readonly notifiedWith?: string;
  };
  /**
   * The operator configuration, without `apiVersion` and `kind`; the registry is in it already. A function also does what an
   * operator does before: writes files, Secrets and Roles.
   */
  readonly configuration?:
    | Readonly<Record<string, unknown>>
    | ((installation: Installation) => Promise<Readonly<Record<string, unknown>>>);
}

/** What is there before the controller and the sidecars are. */
export interface Installation {
  readonly kubernetes: RealKubernetes;
  readonly registry: RealRegistry;
  /** For the operator's files, which the controller can read. */
  readonly operatorDirectory: string;
}

export interface ArgoCd extends AsyncDisposable {
  readonly kubernetes: RealKubernetes;
  readonly registry: RealRegistry;
  readonly mirror: Mirror;
  readonly repoServers: readonly RepoServer[];
  readonly applicationController: ApplicationController;
  /** Throws when Argo CD was started with the sidecar alone. */
  readonly controller: ImageResolverController;
  readonly sandbox: Sandbox;
  /** Replaces the operator configuration of every sidecar. */
  configure(configuration: Readonly<Record<string, unknown>>): Promise<void>;
  createRepository(files: Files): Promise<GitRepository>;
  createNamespace(name: string): Promise<void>;
  createProject(options: ProjectOptions): Promise<void>;
  /** JSON merge patch. */
  patchProject(name: string, patch: unknown): Promise<void>;
  createApplication(options: ApplicationOptions): Promise<TestApplication>;
  /** Answers what its children have in `metadata.ownerReferences`. */
  createApplicationSet(name: string): Promise<object>;
  /** Nothing starts pods here, so this makes one as a Deployment's would be: Argo CD then tells which images run. */
  runPods(application: TestApplication, deployment: string): Promise<void>;
  /** Another repo-server with a sidecar of its own; connections alternate from now on. */
  addRepoServer(): Promise<RepoServer>;
  removeRepoServer(server: RepoServer): Promise<void>;
  /** Of all repo-servers, in the order of their beginnings; of one application if one is given. */
  generations(application?: TestApplication): Promise<readonly Generation[]>;
  /** Events about the Application, the oldest first. */
  events(application: TestApplication): Promise<readonly ApplicationEvent[]>;
  /** Resolves as soon as the condition holds; looks again after every change of an Application or a Deployment. */
  waitFor(what: string, condition: () => boolean | Promise<boolean>, withinMs?: number): Promise<void>;
}

/** An Event of Kubernetes, as far as tests look at it. */
export interface ApplicationEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count?: number;
}

/** Applications outside of Argo CD's own namespace are taken in these. */
export const TEAM_NAMESPACES = 'team-*';

export async function startArgoCd(options: ArgoCdOptions = {}): Promise<ArgoCd> {
  const sandbox = await openSandbox('argocd');
  const disposables: AsyncDisposable[] = [sandbox];
  const dispose = async (): Promise<void> => {
    for (const disposable of disposables.splice(0).toReversed()) await disposable[Symbol.asyncDispose]();
  };
  try {
    const own = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
      const started = await starting;
      disposables.push(started);
      return started;
    };
    const notifiedWith = options.controller?.notifiedWith;
    const webhookPort = notifiedWith === undefined ? undefined : await freePort();
    const notifications =
      notifiedWith === undefined
        ? {}
        : {
            notifications: {
              url: `http://127.0.0.1:${webhookPort}/webhook/distribution`,
              authorization: notifiedWith,
            },
          };
    const [registry, kubernetes, proxy, redis] = await Promise.all([
      own(startRealRegistry({ ...options.registry, ...notifications })),
      own(startRealKubernetes()),
      own(startConnectionProxy()),
      startRedis(sandbox),
    ]);
    await install(kubernetes);
    const mirror = await own(openMirror(kubernetes));
    await mirror.follow(APPLICATIONS);
    await mirror.follow(DEPLOYMENTS);
    await collectGarbage(kubernetes, mirror, [CONFIG_MAPS]);

    const operatorDirectory = await sandbox.directory('operator');
    const configurationFile = join(operatorDirectory, 'config.yaml');
    const controller =
      options.controller === undefined
        ? undefined
        : await prepareController(sandbox, {
            kubernetes,
            configurationFile,
            environment: options.controller.environment ?? {},
            webhookPort,
          });
    const configure: ArgoCd['configure'] = async (configuration) => {
      const whole = {
        apiVersion: 'image-resolver.io/v1alpha1',
        kind: 'ResolverConfiguration',
        ...(controller === undefined ? { interval: '0s' } : { controller: { url: controller.url } }),
        registries: { hosts: [plainHttp(registry)] },
        ...configuration,
      };
      await writeFile(configurationFile, JSON.stringify(whole));
    };
    await configure(
      typeof options.configuration === 'function'
        ? await options.configuration({ kubernetes, registry, operatorDirectory })
        : (options.configuration ?? {}),
    );
    await controller?.start();
    const sidecarToken = join(await sandbox.directory('sidecar-token'), 'token');
    await writeFile(sidecarToken, await kubernetes.tokenFor(SIDECAR_ACCOUNT, AUDIENCE));

    const kubeconfig = await kubernetes.kubeconfig();
    const repoServers: RepoServer[] = [];
    const addRepoServer: ArgoCd['addRepoServer'] = async () => {
      const server = await startRepoServer(sandbox, {
        name: `repo-server-${repoServers.length + 1}`,
        kubeconfig,
        redis,
        sidecarEnvironment: { IMAGE_RESOLVER_CONFIG: configurationFile, IMAGE_RESOLVER_TOKEN_FILE: sidecarToken },
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
      kubernetes,
      registry,
      mirror,
      repoServers,
      applicationController,
      get controller() {
        if (controller === undefined) throw new Error('this Argo CD has the sidecar alone');
        return controller;
      },
      sandbox,
      configure,
      addRepoServer,
      async createRepository(files) {
        repositories += 1;
        return createGitRepository(await sandbox.directory('git', `repository-${repositories}`), files);
      },
      createNamespace: async (name) => kubernetes.makeNamespace(name),
      async createProject(project) {
        await create(kubernetes, projectsOf(CONTROL_PLANE), projectManifest(project));
      },
      async patchProject(name, patch) {
        const path = `${projectsOf(CONTROL_PLANE)}/${name}`;
        await kubernetes.admin.must('PATCH', path, { body: patch, contentType: 'application/merge-patch+json' });
      },
      createApplication: async (application) => createTestApplication(kubernetes, mirror, application),
      async createApplicationSet(name) {
        const set = await create(kubernetes, applicationSetsOf(CONTROL_PLANE), applicationSetManifest(name));
        const { apiVersion, kind, metadata } = set;
        return { apiVersion, kind, name, uid: metadata['uid'], controller: true, blockOwnerDeletion: true };
      },
      async removeRepoServer(server) {
        proxy.remove(server.port);
        await server.stop();
      },
      async generations(application) {
        const all = (await Promise.all(repoServers.map(async (server) => server.generations()))).flat();
        return all
          .filter((generation) => application === undefined || generation.application === application.instanceName)
          .toSorted((a, b) => a.startedAt - b.startedAt);
      },
      async runPods({ destination }, deployment) {
        const owner = await kubernetes.admin.must(
          'GET',
          `/apis/apps/v1/namespaces/${destination}/deployments/${deployment}`,
        );
        await create(kubernetes, `/api/v1/namespaces/${destination}/pods`, podOf(owner as DeploymentState));
      },
      async events({ namespace, name }) {
        const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=involvedObject.name=${name}`;
        return (await kubernetes.admin.must<{ readonly items: readonly ApplicationEvent[] }>('GET', path)).items;
      },
      waitFor: async (what, condition, withinMs) => waitFor(mirror, what, condition, withinMs),
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

async function install(kubernetes: RealKubernetes): Promise<void> {
  await kubernetes.makeNamespace(CONTROL_PLANE);
  await Promise.all(installationObjects().map(async ({ path, object }) => create(kubernetes, path, object)));
}

/** Creates an object in a collection; it must not be there yet. */
async function create({ admin }: RealKubernetes, path: string, object: object): Promise<ApiObject> {
  return admin.must('POST', path, { body: object });
}
