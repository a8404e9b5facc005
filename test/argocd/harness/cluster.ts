// Temporary: etcd and kube-apiserver.
import { generateKeyPairSync } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { argoCdSources } from '../../support/argo-cd-module.ts';
import { buildTool } from '../../tools/build.mjs';
import { connectKubernetes, type ApiAccess, type KubernetesApi } from './kubernetes-api.ts';
import { freePort, type Sandbox } from './sandbox.ts';

export interface Cluster {
  readonly access: ApiAccess;
  readonly api: KubernetesApi;
  /** A kubeconfig file for somebody with this token. */
  kubeconfig(name: string, token: string): Promise<string>;
}

export async function startCluster(sandbox: Sandbox): Promise<Cluster> {
  const [etcd, apiserver] = await Promise.all([buildTool('etcd'), buildTool('kube-apiserver')]);
  const folder = await sandbox.directory('kubernetes');
  const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${client}`;
  await sandbox.start({
    name: 'etcd',
    program: etcd,
    args: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    environment: {},
    ready: async () => reachable(`${etcdUrl}/health`),
  });
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const privateKey = await write('service-account.key', keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  const publicKey = await write('service-account.pub', keys.publicKey.export({ type: 'spki', format: 'pem' }) as string);
  const tokens = await write('tokens.csv', 'administrator,administrator,administrator,system:masters\n');
  const url = `https://127.0.0.1:${secure}`;
  const certificates = join(folder, 'certificates');
  await sandbox.start({
    name: 'kube-apiserver',
    program: apiserver,
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--token-auth-file=${tokens}`,
      `--service-account-key-file=${publicKey}`,
      `--service-account-signing-key-file=${privateKey}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--api-audiences=https://kubernetes.default.svc',
      '--authorization-mode=RBAC',
      '--disable-admission-plugins=ServiceAccount',
      `--secure-port=${secure}`,
      '--bind-address=127.0.0.1',
      '--service-cluster-ip-range=10.0.0.0/24',
      `--cert-dir=${certificates}`,
    ],
    environment: {},
    ready: async () => healthy(url, certificates),
  });
  const ca = await readFile(join(certificates, 'apiserver.crt'), 'utf8');
  const access = { url, ca, token: 'administrator' };
  const api = connectKubernetes(access);
  await installCrds(api);
  return {
    access,
    api,
    kubeconfig: async (name, token) =>
      write(
        `${name}.kubeconfig`,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'test',
          clusters: [
            { name: 'test', cluster: { server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
          ],
          users: [{ name: 'test', user: { token } }],
          contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
        }),
      ),
  };
}

async function reachable(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function healthy(url: string, certificates: string): Promise<boolean> {
  try {
    const ca = await readFile(join(certificates, 'apiserver.crt'), 'utf8');
    const api = connectKubernetes({ url, ca, token: 'administrator' });
    try {
      await api.get('/api/v1/namespaces/default');
    } finally {
      await api[Symbol.asyncDispose]();
    }
    return true;
  } catch {
    return false;
  }
}

async function installCrds(api: KubernetesApi): Promise<void> {
  const folder = join(argoCdSources(), 'manifests/crds');
  const files = (await readdir(folder)).filter((file) => file.endsWith('-crd.yaml'));
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const names: string[] = [];
  for (const file of files) {
    for (const document of parseAllDocuments(await readFile(join(folder, file), 'utf8'))) {
      names.push((await api.create(path, document.toJS())).metadata.name);
    }
  }
  for (const name of names) {
    for (;;) {
      const { status } = (await api.get(`${path}/${name}`)) as unknown as {
        readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
      };
      if (status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True')) break;
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}
