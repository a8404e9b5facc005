import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { COMPILE_CACHE, PROGRAM } from '../support/run-resolver.ts';

/** What every token is: the simulated Kubernetes believes it. */
export const TOKEN = 'a-token-of-the-sidecar';

/** What stays when a controller ends: its configuration and its store. */
export interface ControllerPlace extends AsyncDisposable {
  /** PEM of the CA of its certificate. */
  readonly caFile: string;
  /** The token that a sidecar has. */
  readonly tokenFile: string;
  start(options?: { readonly tls?: boolean }): Promise<ControllerProcess>;
}

/** The built controller as a process. */
export interface ControllerProcess extends AsyncDisposable {
  readonly url: string;
  /** From the start of the process until it said that it is ready, in milliseconds. */
  readonly readyAfterMs: number;
  /** As it knew them at its start. */
  readonly registrations: number;
  figures(): Promise<ControllerFigures>;
}

/** What a controller says of itself. */
export interface ControllerFigures {
  readonly residentMb: number;
  /** On all cores together, since its start. */
  readonly cpuSeconds: number;
}

/**
 * @param hosts.kubernetes of a simulated API.
 * @param hosts.registry that is polled.
 * @param interval how often, as the operator writes it.
 */
export async function makeControllerPlace(options: {
  readonly kubernetes: string;
  readonly registry: string;
  readonly interval: string;
}): Promise<ControllerPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-controller-'));
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    return path;
  };
  const { registry, kubernetes, interval } = options;
  const configFile = await write(
    'config.yaml',
    JSON.stringify({
      apiVersion: 'image-resolver.io/v1alpha1',
      kind: 'ResolverConfiguration',
      state: join(folder, 'state'),
      interval,
      minimumInterval: '0s',
      registries: { hosts: [{ host: registry, apiUrl: `http://${registry}`, insecure: true }] },
    }),
  );
  const kubeconfig = await write('kubeconfig', JSON.stringify(kubeconfigFor(`https://${kubernetes}`)));
  await write('tls/tls.key', SERVER_CERTIFICATE.key);
  const tlsDirectory = dirname(await write('tls/tls.crt', SERVER_CERTIFICATE.cert));
  const environment = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: folder,
    // Of its own: what runs first decides which functions are in the cache, and generations run in another container.
    NODE_COMPILE_CACHE: `${COMPILE_CACHE}-controller`,
    IMAGE_RESOLVER_CONFIG: configFile,
    KUBECONFIG: kubeconfig,
  };
  return {
    caFile: await write('ca.crt', TEST_CA),
    tokenFile: await write('token', TOKEN),
    start: async ({ tls = false } = {}) =>
      startController(environment, ['--tls-directory', tls ? tlsDirectory : join(folder, 'none')], tls),
    [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

async function startController(
  environment: Readonly<Record<string, string>>,
  more: readonly string[],
  tls: boolean,
): Promise<ControllerProcess> {
  const ports = ['resolve', 'webhook', 'metrics', 'health'].flatMap((name) => [`--${name}-port`, '0']);
  const args = [PROGRAM, 'controller', '--address', '127.0.0.1', ...ports, ...more];
  const startedAt = performance.now();
  // For profiles: BENCH_CONTROLLER_OPTIONS=--cpu-prof.
  const nodeOptions = process.env['BENCH_CONTROLLER_OPTIONS'] ?? '';
  const env = { ...environment, NODE_OPTIONS: nodeOptions };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  const listening = new Map<string, number>();
  const started = Promise.withResolvers<number>();
  const troubles: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    const { event, level, server, port, registrations } = readLine(line);
    if (server !== undefined && port !== undefined) listening.set(server, port);
    if (event === 'started') started.resolve(registrations ?? 0);
    if (level !== 'info' && troubles.length < 20) troubles.push(line);
  });
  void ended.then(() => started.reject(new Error(`the controller ended:\n${troubles.join('\n')}`)));
  const registrations = await started.promise;
  const at = (server: string): string => `127.0.0.1:${listening.get(server)}`;
  const ready = await fetch(`http://${at('health')}/readyz`);
  if (!ready.ok) throw new Error(`the controller is not ready: ${ready.status}`);
  const readyAfterMs = performance.now() - startedAt;
  return {
    url: `${tls ? 'https' : 'http'}://${at('resolve')}`,
    readyAfterMs,
    registrations,
    async figures() {
      const text = await (await fetch(`http://${at('metrics')}/metrics`)).text();
      const value = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
      return {
        residentMb: value('process_resident_memory_bytes') / 1e6,
        cpuSeconds: value('process_cpu_seconds_total'),
      };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      if (troubles.length > 0) process.stderr.write(`the controller said:\n${troubles.join('\n')}\n`);
    },
  };
}

interface Line {
  readonly event?: string;
  readonly level?: string;
  readonly server?: string;
  readonly port?: number;
  readonly registrations?: number;
}

function readLine(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return { level: 'error' };
  }
}

function kubeconfigFor(server: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'bench', cluster: { server, 'certificate-authority-data': Buffer.from(TEST_CA).toString('base64') } },
    ],
    users: [{ name: 'bench', user: { token: 'of-the-controller' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    'current-context': 'bench',
  };
}
