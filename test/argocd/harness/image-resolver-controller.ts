// Our controller as its manifests run it: its own service account with exactly their RBAC, its own store, four ports.

import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ApiObject } from '../../support/real-kubernetes-api.ts';
import type { RealKubernetes, ServiceAccountName } from '../../support/real-kubernetes.ts';
import { COMPILE_CACHE } from '../../support/run-resolver.ts';
import { CONTROL_PLANE } from './argo-cd-objects.ts';
import { freePort, type Program, type Sandbox } from './sandbox.ts';

/** The account that sidecars run as. */
export const SIDECAR_ACCOUNT: ServiceAccountName = { namespace: CONTROL_PLANE, name: 'argocd-repo-server' };
/** The account of the controller; what lets it read Secrets names it. */
export const CONTROLLER_ACCOUNT: ServiceAccountName = { namespace: CONTROL_PLANE, name: 'image-resolver-controller' };

export interface ControllerOptions {
  readonly kubernetes: RealKubernetes;
  /** The operator's file, which sidecars read too. */
  readonly configurationFile: string;
  /** Added to its environment: secrets of webhooks. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where it takes webhooks; default one that is free. */
  readonly webhookPort?: number | undefined;
}

export interface ImageResolverController {
  /** For `controller.url`; the same after a restart. */
  readonly url: string;
  readonly running: boolean;
  start(): Promise<void>;
  /** SIGKILL. Its store stays. */
  kill(): Promise<void>;
  /** SIGTERM, as Kubernetes stops a pod; answers how long it took, in milliseconds. */
  stop(): Promise<number>;
  /** An empty volume: only while it does not run. */
  readonly state: string;
  /** Sends an event to `/webhook/<type>`; answers the HTTP status. */
  webhook(type: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<number>;
  /** Sum of a metric over the series that have these labels; 0 when there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  log(): Promise<string>;
}

const repository = resolve(import.meta.dirname, '../../..');

/** Prepares everything of it, and does not start it yet. */
export async function prepareController(
  sandbox: Sandbox,
  { kubernetes, configurationFile, environment, webhookPort }: ControllerOptions,
): Promise<ImageResolverController> {
  await installRbac(kubernetes);
  const kubeconfig = await kubernetes.kubeconfig(CONTROLLER_ACCOUNT);
  const [state, home, temporary] = [
    await sandbox.directory('controller', 'state'),
    await sandbox.directory('controller', 'home'),
    await sandbox.directory('controller', 'tmp'),
  ];
  const ports = {
    resolve: await freePort(),
    webhook: webhookPort ?? (await freePort()),
    metrics: await freePort(),
    health: await freePort(),
  };
  const at = (port: number): string => `http://127.0.0.1:${port}`;
  let program: Program | undefined;
  let log = '';

  return {
    url: at(ports.resolve),
    state,
    get running() {
      return program?.running === true;
    },
    async start() {
      program = await sandbox.start({
        name: 'controller',
        program: join(repository, 'dist/image-resolver'),
        args: [
          'controller',
          '--address=127.0.0.1',
          ...Object.entries(ports).map(([name, port]) => `--${name}-port=${port}`),
        ],
        environment: {
          PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
          HOME: home,
          TMPDIR: temporary,
          NODE_COMPILE_CACHE: COMPILE_CACHE,
          KUBECONFIG: kubeconfig,
          IMAGE_RESOLVER_CONFIG: configurationFile,
          IMAGE_RESOLVER_STATE: state,
          ...environment,
        },
        ready: async () => isOk(`${at(ports.health)}/readyz`),
      });
    },
    async kill() {
      await end('SIGKILL');
    },
    async stop() {
      const asked = performance.now();
      await end('SIGTERM');
      return performance.now() - asked;
    },
    async webhook(type, body, headers = {}) {
      const answer = await fetch(`${at(ports.webhook)}/webhook/${type}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      await answer.text();
      return answer.status;
    },
    metric: async (name, labels = {}) =>
      sumOf(await (await fetch(`${at(ports.metrics)}/metrics`)).text(), name, labels),
    log: async () => log + ((await program?.log()) ?? ''),
  };

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (program === undefined) return;
    await program.end(signal);
    log += await program.log();
    program = undefined;
  }
}

/** As it is in the manifests; `namespace: argocd` of a kustomization fills what has none. */
async function installRbac(kubernetes: RealKubernetes): Promise<void> {
  const text = await readFile(join(repository, 'manifests/controller/rbac.yaml'), 'utf8');
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as ApiObject;
    await kubernetes.apply({ ...object, metadata: { namespace: CONTROL_PLANE, ...object.metadata } });
  }
}

async function isOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url);
    await answer.text();
    return answer.ok;
  } catch {
    return false;
  }
}

/** `name{label="value",…} 12` of Prometheus' text format. */
function sumOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const found = /^(?<name>[a-z_:]+)(?:\{(?<labels>.*)\})? (?<value>\S+)$/.exec(line)?.groups;
    if (found?.['name'] !== name) continue;
    const has = Object.entries(labels).every(([label, value]) => found['labels']?.includes(`${label}="${value}"`));
    if (has) sum += Number(found['value']);
  }
  return sum;
}
