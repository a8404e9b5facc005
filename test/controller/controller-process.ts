// The built controller as its manifests run it: a process with a service account of its own on a real Kubernetes API, and a
// sidecar's token for whoever asks it.

import { setTimeout as delay } from 'node:timers/promises';
import type { Listening } from '../../src/controller/servers.ts';
import { buildManifests } from '../manifests/build-manifests.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import type { RealKubernetes, ServiceAccountName } from '../support/real-kubernetes.ts';
import type { PluginContainer, ResolverRun, RunningResolver, RunOptions } from '../support/run-resolver.ts';

export const CONTROL_PLANE = 'argocd';
export const CONTROLLER: ServiceAccountName = { namespace: CONTROL_PLANE, name: 'image-resolver-controller' };
export const SIDECAR: ServiceAccountName = { namespace: CONTROL_PLANE, name: 'argocd-repo-server' };

/** Every rule of the manifests, by what it is about. */
export const RULES = ['applications', 'events', 'tokenreviews', 'subjectaccessreviews', 'appprojects'] as const;
export type RuleName = (typeof RULES)[number];

interface Rule {
  readonly resources: readonly string[];
}

/** The service account with exactly the rights of manifests/controller; `without`: one rule less, for an account of that name. */
export async function installRights(kubernetes: RealKubernetes, without?: RuleName): Promise<ServiceAccountName> {
  const objects = (await manifests()).filter(({ kind }) => kind === 'ServiceAccount' || /Role/.test(kind));
  const account = without === undefined ? CONTROLLER : { ...CONTROLLER, name: `without-${without}` };
  for (const object of objects) {
    if (object.metadata.name !== CONTROLLER.name) continue;
    const renamed = JSON.parse(JSON.stringify(object).replaceAll(CONTROLLER.name, account.name)) as ApiObject;
    const rules = renamed['rules'] as readonly Rule[] | undefined;
    const kept = rules?.filter(({ resources }) => without === undefined || !resources.includes(without));
    await kubernetes.apply(kept === undefined ? renamed : { ...renamed, rules: kept });
  }
  return account;
}

let built: Promise<readonly ApiObject[]> | undefined;
function manifests(): Promise<readonly ApiObject[]> {
  return (built ??= buildManifests(['controller']));
}

/** The names of the rules that the manifests really have. */
export async function rulesOfManifests(): Promise<readonly string[]> {
  const rules = (await manifests())
    .filter(({ kind, metadata }) => /^(Cluster)?Role$/.test(kind) && metadata.name === CONTROLLER.name)
    .flatMap((object) => object['rules'] as readonly Rule[]);
  return rules.flatMap(({ resources }) => resources);
}

export interface StartOptions extends RunOptions {
  readonly account?: ServiceAccountName;
  /** More arguments of the command. */
  readonly args?: readonly string[];
}

/** A controller that is ready. */
export class ControllerProcess {
  readonly url: string;
  readonly listening: Listening;
  readonly #process: RunningResolver;

  constructor(process: RunningResolver, listening: Listening, scheme: string) {
    this.#process = process;
    this.listening = listening;
    this.url = `${scheme}://127.0.0.1:${listening.resolvePort}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Its log so far. */
  get log(): string {
    return this.#process.said.stderr;
  }

  get ended(): Promise<ResolverRun> {
    return this.#process.ended;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.ended;
  }

  /** As Kubernetes ends a pod. */
  async stop(): Promise<ResolverRun> {
    this.#process.kill('SIGTERM');
    return this.#process.ended;
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.listening.metricsPort}/metrics`)).text();
  }

  async webhook(type: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.listening.webhookPort}/webhook/${type}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    await answer.text();
    return answer.status;
  }
}

/** Starts `image-resolver controller` with the container's configuration and state, and waits until it serves. */
export async function startControllerProcess(
  container: PluginContainer,
  kubernetes: RealKubernetes,
  options: StartOptions = {},
): Promise<ControllerProcess> {
  const { account = CONTROLLER, args = [], environment, ...run } = options;
  const ports = ['resolve', 'webhook', 'metrics', 'health'].map((name) => `--${name}-port=0`);
  const process = container.start(['controller', '--address=127.0.0.1', ...ports, ...args], {
    ...run,
    environment: { KUBECONFIG: await kubernetes.kubeconfig(account), ...environment },
  });
  let hasEnded = false;
  void process.ended.finally(() => {
    hasEnded = true;
  });
  for (;;) {
    const line = /^.*"event":"started".*$/m.exec(process.said.stderr)?.[0];
    if (line !== undefined) {
      const scheme = args.some((one) => one.startsWith('--tls-directory')) ? 'https' : 'http';
      return new ControllerProcess(process, JSON.parse(line) as Listening, scheme);
    }
    if (hasEnded) throw new Error(`the controller ended: ${process.said.stderr}`);
    await delay(20);
  }
}

/** An Application as Argo CD would have reconciled it once. */
export function applicationObject(
  name: string,
  rest: { readonly namespace?: string; readonly project?: string; readonly reconciledAt?: string } = {},
): ApiObject {
  const revision = '0123456789abcdef0123456789abcdef01234567';
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: rest.namespace ?? CONTROL_PLANE },
    spec: {
      project: rest.project ?? 'default',
      source: {
        repoURL: 'https://git.example.com/acme/deploy',
        path: 'app',
        targetRevision: 'main',
        plugin: { name: 'image-resolver' },
      },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
      syncPolicy: { automated: { selfHeal: true } },
    },
    status: {
      reconciledAt: rest.reconciledAt ?? '2026-01-01T00:00:00Z',
      sync: {
        status: 'Synced',
        revision,
        comparedTo: { source: { repoURL: 'https://git.example.com/acme/deploy' }, destination: {} },
      },
    },
  };
}
