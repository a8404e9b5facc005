// A whole controller in the test's process, with sockets, threads, a store on disk and the real registry client; only the
// Kubernetes API is a stub, so that nothing but the controller can be slow or fail.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Controller, startController } from '../../src/controller/controller.ts';
import type { Kubernetes, KubernetesObject, TokenReview } from '../../src/kubernetes/kubernetes.ts';
import { KubernetesError } from '../../src/kubernetes/kubernetes.ts';
import type { FilePorts } from '../../src/operator/files.ts';
import { systemFiles } from '../../src/operator/files.ts';
import { sleepForReal } from '../../src/registry/time.ts';
import { PATHS } from '../../src/remote/protocol.ts';
import type { Ask, GenerationClaim, Resolution } from '../../src/resolve/resolver.ts';
import { createLog } from '../../src/telemetry/logtape-log.ts';
import { ask, repository, semver } from '../resolve/harness.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';
import { hostEntry } from './one-image.ts';

export const SIDECAR_TOKEN = 'token-of-the-sidecar';
export const PERSON_TOKEN = 'token-of-a-person';

export interface ControllerWorldOptions {
  /** The operator's configuration; `apiVersion`, `kind` and `state` need not be said. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Names and projects of the Applications there are. */
  readonly applications?: Readonly<Record<string, string>>;
  /** By `namespace/name`, keys and values as they are. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Asked {
  readonly application?: string;
  readonly project?: string;
  readonly token?: string;
  /** Put over the query. */
  readonly query?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly resolutions: readonly Resolution[];
}

let generations = 0;

/** A controller and what it did to its surroundings. */
export class ControllerWorld {
  readonly log: string[] = [];
  /** Bodies of Events. */
  readonly events: unknown[] = [];
  /** Paths that were patched, Events excepted. */
  readonly patches: string[] = [];
  readonly state: string = mkdtempSync(join(tmpdir(), 'controller-'));
  readonly #options: ControllerWorldOptions;
  #controller: Controller | undefined;

  private constructor(options: ControllerWorldOptions) {
    this.#options = options;
  }

  static async start(options: ControllerWorldOptions): Promise<ControllerWorld> {
    const here = new ControllerWorld(options);
    await here.#start();
    return here;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#controller?.listening.resolvePort}`;
  }

  get webhooks(): string {
    return `http://127.0.0.1:${this.#controller?.listening.webhookPort}/webhook`;
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#controller?.listening.metricsPort}/metrics`)).text();
  }

  /** Ends and begins again with the same store, as after an update. */
  async restart(): Promise<void> {
    await this.#controller?.stop();
    await this.#start();
  }

  /** What a generation asks, over the wire. */
  async ask(asks: readonly unknown[], options: Asked = {}): Promise<Answered> {
    const { application = 'shop', project = 'default', token = SIDECAR_TOKEN, query, signal } = options;
    const generation: GenerationClaim = {
      id: `g${++generations}`,
      source: { repoURL: 'https://git.example.com/acme/deploy', path: 'app', targetRevision: 'main' },
      revision: 'r1',
      parametersFingerprint: 'p',
    };
    const body = { v: 1, who: { application, project }, generation, budgetMs: 12_000, asks, ...query };
    return this.send(PATHS.resolve, { token, body: JSON.stringify(body), ...(signal && { signal }) });
  }

  async send(
    path: string,
    { token, body, signal }: { readonly token?: string; readonly body?: string; readonly signal?: AbortSignal },
  ): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
    const text = await response.text();
    const { resolutions = [] } = (text.startsWith('{') ? JSON.parse(text) : {}) as { resolutions?: Resolution[] };
    return { status: response.status, text, resolutions };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller?.stop();
    rmSync(this.state, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { configuration, environment } = this.#options;
    const path = join(this.state, 'config.yaml');
    const whole = { apiVersion: 'image-resolver.io/v1alpha1', kind: 'ResolverConfiguration', state: this.state };
    const text = JSON.stringify({ ...whole, ...configuration });
    const files: FilePorts = {
      ...systemFiles,
      stamp: (asked) => (asked === path ? '1' : systemFiles.stamp(asked)),
      read: (asked) => (asked === path ? { kind: 'read', text, stamp: '1' } : systemFiles.read(asked)),
    };
    this.#controller = await startController({
      environment: { IMAGE_RESOLVER_CONFIG: path, ...environment },
      files,
      kubernetes: this.#kubernetes(),
      servers: { address: '127.0.0.1', resolvePort: 0, webhookPort: 0, metricsPort: 0, healthPort: 0 },
      sidecarAccounts: [],
      namespaces: [],
      log: createLog({ format: 'json', level: 'debug', write: (line) => void this.log.push(line), now: Date.now }),
      version: '0.0.0',
      now: Date.now,
      monotonicNow: () => performance.now(),
      sleep: sleepForReal,
      random: Math.random,
    });
  }

  #kubernetes(): Kubernetes {
    const { applications = {}, secrets = {} } = this.#options;
    return {
      follow: (collection, reduce, follower, signal) => {
        const name = collection.fieldSelector?.replace('metadata.name=', '');
        const objects = collection.path.endsWith('/applications')
          ? Object.entries(applications).map(([application, project]) => applicationOf(application, project))
          : Object.entries(secrets)
              .filter(([id]) => id === `${collection.path.split('/')[4]}/${name}`)
              .map(([id, data]) => secretOf(id, data));
        for (const object of objects) follower.changed(reduce(object).value);
        follower.listed();
        return new Promise((done) => {
          signal.addEventListener('abort', () => done(), { once: true });
        });
      },
      get: () => Promise.reject(new KubernetesError('not found', 404)),
      patch: async (path) => {
        if (!path.includes('/events/')) this.patches.push(path);
        return { metadata: { name: 'patched' } };
      },
      create: async (_, body) => {
        this.events.push(body);
        return { metadata: { name: 'created' } };
      },
      reviewToken: async (token, audiences) => reviewOf(token, audiences),
      mayAccessApplication: async ({ username }) => username === 'person',
    };
  }
}

function reviewOf(token: string, audiences: readonly string[]): TokenReview {
  const isSidecar = token === SIDECAR_TOKEN && audiences.includes('image-resolver');
  const isPerson = token === PERSON_TOKEN && audiences.length === 0;
  if (!isSidecar && !isPerson) return { kind: 'rejected' };
  const username = isSidecar ? 'system:serviceaccount:argocd:argocd-repo-server' : 'person';
  return { kind: 'authenticated', username, groups: [], uid: '1' };
}

function applicationOf(name: string, project: string): KubernetesObject {
  return {
    metadata: { name, namespace: 'argocd', uid: `uid-${name}` },
    spec: {
      project,
      source: {
        repoURL: 'https://git.example.com/acme/deploy',
        path: 'app',
        targetRevision: 'main',
        plugin: { name: 'image-resolver' },
      },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
      syncPolicy: { automated: { selfHeal: true } },
    },
    status: { sync: { status: 'Synced', revision: 'r1' }, reconciledAt: '2026-01-01T00:00:00Z' },
  };
}

function secretOf(id: string, data: Readonly<Record<string, string>>): KubernetesObject {
  const [namespace = '', name = ''] = id.split('/');
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return { metadata: { namespace, name }, data: Object.fromEntries(encoded) };
}

/** An ask for the newest `1.0` of a repository of a fake registry. */
export function askFor(registry: Pick<FakeRegistry, 'host'>, path = 'acme/api', rest: Partial<Ask> = {}): Ask {
  return ask(semver('~1.0'), { repository: repository(`${registry.host}/${path}`), ...rest });
}

/** The operator's entries for a registry where each team has a credential of its own. */
export function perTeam(registry: FakeRegistry): object {
  return {
    hosts: [
      hostEntry(registry, { credentials: 'env:ALICE', projects: ['team-a'] }),
      hostEntry(registry, { credentials: 'env:BOB', projects: ['team-b'] }),
    ],
  };
}

export const USERS: Readonly<Record<'ALICE' | 'BOB', string>> = {
  ALICE: 'alice:password-of-alice',
  BOB: 'bob:password-of-bob',
};

/** `1.0.6`, or the code of an error. */
export function tagOf(answered: Answered): string {
  const [resolution] = answered.resolutions;
  if (resolution === undefined) return `${answered.status}`;
  if ('decision' in resolution) return resolution.decision.tag;
  return 'error' in resolution ? resolution.error.code : resolution.kind;
}
