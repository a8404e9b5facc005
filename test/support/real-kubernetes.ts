// A real Kubernetes API: etcd and kube-apiserver, built by test/tools/build.mjs, on free loopback ports, with RBAC and Argo
// CD's resource types. No kubelet and no controllers: what is applied is stored, and nothing else happens.
//
//   await using kubernetes = await startRealKubernetes();
//   await kubernetes.makeNamespace('team-a');
//   await kubernetes.apply({ apiVersion: 'v1', kind: 'Secret', metadata: {…} });
//   …the program under test with KUBECONFIG=await kubernetes.kubeconfig({ namespace: 'argocd', name: 'image-resolver' })

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildTool } from '../tools/build.mjs';
import { argoCdSources } from './argo-cd-module.ts';
import { AdminApi, type ApiAnswer, type ApiObject } from './real-kubernetes-api.ts';
import { freePorts, startProcess, type TestProcess } from './real-kubernetes-process.ts';

export interface RealKubernetesOptions {
  /** More flags of kube-apiserver: `--watch-cache=false`. */
  readonly apiServerFlags?: readonly string[];
  /** Install Argo CD's CRDs; default true. */
  readonly argoCd?: boolean;
}

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

/** What a pod of a service account has: a mounted folder, and variables that say where the API is. */
export interface InClusterMount {
  /** Holds `token`, `ca.crt`, `namespace`. */
  readonly directory: string;
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly environment: Readonly<Record<string, string>>;
  /** As kubelet does near the end of a token's life: a new one is put in place at once. */
  rotate(): Promise<void>;
}

export interface RealKubernetes extends AsyncDisposable {
  /** `https://127.0.0.1:43211`. */
  readonly server: string;
  readonly caFile: string;
  /** May do everything (`system:masters`). */
  readonly adminToken: string;
  /** Removed at the end; for files of the test's own. */
  readonly directory: string;
  readonly admin: AdminApi;
  makeNamespace(name: string): Promise<void>;
  /** Creates or replaces any object; unknown fields are refused. */
  apply(object: ApiObject): Promise<ApiObject>;
  delete(object: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<void>;
  get(object: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<ApiAnswer>;
  /** A token as kubelet projects it; the service account is made when it is not there. Audience of the API server without one. */
  tokenFor(account: ServiceAccountName, audience?: string): Promise<string>;
  /** Path of a kubeconfig: the administrator's, or of a service account. */
  kubeconfig(account?: ServiceAccountName): Promise<string>;
  inClusterMount(account: ServiceAccountName): Promise<InClusterMount>;
  /** Kills the API server; what is stored stays. */
  stopApiServer(): Promise<void>;
  /** Starts it again at the same place. */
  startApiServer(): Promise<void>;
  /** Forgets the history of everything stored, as etcd is made to every five minutes. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

const ISSUER = 'https://kubernetes.default.svc';
const READY_WITHIN_MS = 60_000;
const READY_EVERY_MS = 50;

/** Starts an API server that holds nothing but what every cluster has; everything of it is gone after `stop`. */
export async function startRealKubernetes(options: RealKubernetesOptions = {}): Promise<RealKubernetes> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // Somebody else was given a port between its choice and its use.
      if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startOnFreePorts(options: RealKubernetesOptions): Promise<RealKubernetes> {
  const directory = await mkdtemp(join(tmpdir(), 'real-kubernetes-'));
  const cleanups: (() => Promise<void> | void)[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  ];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    const [etcdProgram, apiServerProgram] = [await buildTool('etcd'), await buildTool('kube-apiserver')];
    const [clientPort = 0, peerPort = 0, apiPort = 0] = await freePorts(3);
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    const etcd = startProcess('etcd', etcdProgram, etcdFlags(directory, etcdUrl, peerPort), directory);
    cleanups.push(() => etcd.kill());

    const adminToken = randomBytes(24).toString('hex');
    await writeAuthFiles(directory, adminToken);
    const flags = [...apiServerFlags(directory, etcdUrl, apiPort), ...(options.apiServerFlags ?? [])];
    const server = `https://127.0.0.1:${apiPort}`;
    const caFile = join(directory, 'certificates/apiserver.crt');
    let apiServer: TestProcess | undefined;
    const stopApiServer = async (): Promise<void> => {
      await apiServer?.kill();
      apiServer = undefined;
    };
    cleanups.push(stopApiServer);
    const startApiServer = async (): Promise<void> => {
      apiServer = startProcess('kube-apiserver', apiServerProgram, flags, directory);
      await Promise.race([isReady(server, caFile, adminToken, apiServer), apiServer.ended, etcd.ended]);
    };
    await startApiServer();

    const ca = await readFile(caFile, 'utf8');
    const admin = new AdminApi(server, ca, adminToken);
    cleanups.push(() => admin.close());
    if (options.argoCd !== false) await installArgoCdTypes(admin);

    const tokenFor = async (account: ServiceAccountName, audience?: string): Promise<string> => {
      await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...account } });
      const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`;
      const spec = { expirationSeconds: 3600, audiences: audience === undefined ? [] : [audience] };
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
      return (await admin.must<{ status: { token: string } }>('POST', path, { body })).status.token;
    };

    return {
      server,
      caFile,
      adminToken,
      directory,
      admin,
      makeNamespace: async (name) => {
        await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      },
      apply: (object) => admin.apply(object),
      delete: (object) => admin.delete(object),
      get: async (object) => admin.send('GET', await admin.pathOf(object)),
      tokenFor,
      kubeconfig: async (account) => {
        const token = account === undefined ? adminToken : await tokenFor(account);
        const file = join(directory, `kubeconfig-${randomBytes(6).toString('hex')}`);
        await writeFile(file, JSON.stringify(kubeconfigOf(server, caFile, token)), { mode: 0o600 });
        return file;
      },
      inClusterMount: async (account) => {
        const mount = join(directory, `mount-${randomBytes(6).toString('hex')}`);
        await mkdir(mount);
        await writeFile(join(mount, 'ca.crt'), ca);
        await writeFile(join(mount, 'namespace'), account.namespace);
        const rotate = async (): Promise<void> => {
          await writeFile(join(mount, 'token.new'), await tokenFor(account), { mode: 0o600 });
          await rename(join(mount, 'token.new'), join(mount, 'token'));
        };
        await rotate();
        const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(apiPort) };
        return { directory: mount, environment, rotate };
      },
      stopApiServer,
      startApiServer,
      compact: () => compact(etcdUrl),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function etcdFlags(directory: string, clientUrl: string, peerPort: number): readonly string[] {
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--log-level=warn',
    // Nothing here outlives the test.
    '--unsafe-no-fsync',
  ];
}

function apiServerFlags(directory: string, etcdUrl: string, port: number): readonly string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    // A certificate for 127.0.0.1 is made there at the first start.
    `--cert-dir=${join(directory, 'certificates')}`,
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    `--service-account-issuer=${ISSUER}`,
    `--service-account-key-file=${join(directory, 'accounts.pub')}`,
    `--service-account-signing-key-file=${join(directory, 'accounts.key')}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    // It waits for a default account in each namespace, which a controller would make.
    '--disable-admission-plugins=ServiceAccount',
    '--profiling=false',
  ];
}

async function writeAuthFiles(directory: string, adminToken: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(directory, 'accounts.key'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(directory, 'accounts.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(join(directory, 'tokens.csv'), `${adminToken},admin,admin,"system:masters"\n`, { mode: 0o600 });
}

/** Ready means that the roles every cluster has are there too. */
async function isReady(server: string, caFile: string, token: string, apiServer: TestProcess): Promise<void> {
  for (const start = performance.now(); performance.now() - start < READY_WITHIN_MS; await delay(READY_EVERY_MS)) {
    if (!existsSync(caFile)) continue;
    const api = new AdminApi(server, readFileSync(caFile, 'utf8'), token);
    const answer = await api.send('GET', '/readyz').catch(() => undefined);
    api.close();
    if (answer?.status === 200) return;
  }
  throw new Error(`kube-apiserver did not get ready:\n${apiServer.log()}`);
}

/** The CRDs of the pinned Argo CD, as they are; each is waited for until it is served. */
async function installArgoCdTypes(admin: AdminApi): Promise<void> {
  const crds = join(argoCdSources(), 'manifests/crds');
  const types = { application: 'applications', applicationset: 'applicationsets', appproject: 'appprojects' };
  await Promise.all(
    Object.entries(types).map(async ([file, plural]) => {
      const body = await readFile(join(crds, `${file}-crd.yaml`), 'utf8');
      const all = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
      await admin.must('POST', `${all}?fieldValidation=Strict`, { body, contentType: 'application/yaml' });
      for (;;) {
        const { status } = await admin.send('GET', `/apis/argoproj.io/v1alpha1/${plural}?limit=1`);
        if (status === 200) return;
        await delay(READY_EVERY_MS);
      }
    }),
  );
}

function kubeconfigOf(server: string, caFile: string, token: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
}

async function compact(etcdUrl: string): Promise<void> {
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${etcdUrl}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const { header } = (await post('/v3/maintenance/status', {})) as { header: { revision: string } };
  await post('/v3/kv/compaction', { revision: header.revision, physical: true });
}
