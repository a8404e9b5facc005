import type { Agent, RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { FilePorts } from '../operator/files.ts';
import type { Environment } from '../operator/load-operator-configuration.ts';
import { KubernetesError } from './kubernetes.ts';

/** TLS and credentials of one request. */
export interface RequestSettings {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<
    RequestOptions,
    'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'rejectUnauthorized' | 'servername'
  >;
  /** Only where a proxy is in between. */
  readonly agent?: Agent;
}

/** Where the API server is, and how one proves who one is. */
export interface ApiConnection {
  /** Base URL without slash at its end. */
  readonly server: string;
  /** As they are now: tokens rotate. */
  settings(): Promise<RequestSettings>;
}

export interface ConnectionPorts {
  readonly environment: Environment;
  readonly files: FilePorts;
  /** Where a pod's service account is mounted; for tests. */
  readonly serviceAccountDirectory?: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * `KUBECONFIG` when it is set, else the service account of the pod, else `~/.kube/config`.
 *
 * @throws {KubernetesError} when there is none of them, or it cannot be used.
 */
export async function findConnection(ports: ConnectionPorts): Promise<ApiConnection> {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST, HOME } = ports.environment;
  if (KUBECONFIG !== undefined && KUBECONFIG !== '')
    return connectByKubeconfig(KUBECONFIG.split(delimiter).filter((file) => file !== ''));
  if (KUBERNETES_SERVICE_HOST !== undefined && KUBERNETES_SERVICE_HOST !== '') return connectInCluster(ports);
  return connectByKubeconfig([join(HOME ?? homedir(), '.kube/config')]);
}

/**
 * By the mounted folder. The token is read for every request, because kubelet puts a new one in place before it expires; it
 * is a small file in memory.
 */
function connectInCluster({
  environment,
  files,
  serviceAccountDirectory = SERVICE_ACCOUNT,
}: ConnectionPorts): ApiConnection {
  const host = environment['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  const caFile = join(serviceAccountDirectory, 'ca.crt');
  let known: { readonly stamp: string; readonly ca: string } | undefined;
  const certificates = (): string => {
    if (known === undefined || files.stamp(caFile) !== known.stamp) {
      const { text, stamp } = readFrom(files, caFile);
      known = { ca: text, stamp };
    }
    return known.ca;
  };
  const settings = (): RequestSettings => {
    const token = readFrom(files, join(serviceAccountDirectory, 'token')).text.trim();
    // Node's own error for a header of other characters would do, but says nothing of where it came from.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new KubernetesError('the mounted service account token is no token');
    return { headers: { authorization: `Bearer ${token}` }, tls: { ca: certificates() } };
  };
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    // A promise also for what is thrown.
    settings: async () => settings(),
  };
}

function readFrom(files: FilePorts, path: string): { readonly text: string; readonly stamp: string } {
  const found = files.read(path);
  if (found.kind === 'missing') throw new KubernetesError(`${path} is not there`);
  if (found.kind === 'unreadable') throw new KubernetesError(`${path} ${found.problem}`);
  return found;
}

/**
 * By kubeconfig files, with all their ways to log in (certificates, exec plugins, proxies). The library for them takes
 * 60 ms and 35 MB, so it is loaded here alone: never in a cluster.
 */
async function connectByKubeconfig(paths: readonly string[]): Promise<ApiConnection> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  try {
    for (const [index, path] of paths.entries()) {
      const next = index === 0 ? config : new KubeConfig();
      next.loadFromFile(path);
      if (index > 0) config.mergeConfig(next, true);
    }
  } catch (error) {
    throw new KubernetesError(`the kubeconfig ${paths.join(delimiter)} cannot be read`, undefined, error);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new KubernetesError(`the kubeconfig ${paths.join(delimiter)} names no current cluster`);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    settings: async () => {
      const options: RequestOptions = {};
      // What a login program printed stays out of the message.
      await config.applyToHTTPSOptions(options).catch((error: unknown) => {
        throw new KubernetesError('the kubeconfig gives no usable credentials', undefined, error);
      });
      const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, auth, agent } = options;
      const headers = { ...(options.headers as Record<string, string> | undefined) };
      if (typeof auth === 'string') headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
      return {
        headers,
        tls: defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }),
        ...(cluster.proxyUrl === undefined ? {} : { agent: agent as Agent }),
      };
    },
  };
}

function defined(options: RequestOptions): RequestSettings['tls'] {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
