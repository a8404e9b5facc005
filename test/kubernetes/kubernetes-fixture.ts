import { createServer, connect, type Socket, type AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { findConnection } from '../../src/kubernetes/connection.ts';
import { createKubernetes } from '../../src/kubernetes/client.ts';
import type { Follower, Kubernetes, KubernetesObject } from '../../src/kubernetes/kubernetes.ts';
import { systemFiles } from '../../src/operator/files.ts';
import { type Sleep, sleepForReal } from '../../src/registry/time.ts';
import type { InClusterMount } from '../support/real-kubernetes.ts';

/** Waits of the client that are longer guard against silence; shorter ones are back-off, which a test need not wait for. */
const GUARD_MS = 100_000;

export const impatient: Sleep = (ms, signal) => sleepForReal(ms >= GUARD_MS ? ms : Math.min(ms, 20), signal);

/** The client under test as it runs in a pod. */
export async function clientInCluster(
  mount: InClusterMount,
  options: { readonly port?: number; readonly sleep?: Sleep } = {},
): Promise<Kubernetes> {
  const port = options.port === undefined ? {} : { KUBERNETES_SERVICE_PORT: String(options.port) };
  const connection = await findConnection({
    environment: { ...mount.environment, ...port },
    files: systemFiles,
    serviceAccountDirectory: mount.directory,
  });
  return createKubernetes({ connection, sleep: options.sleep ?? impatient, random: Math.random });
}

/** What a follower was told, and what it thinks there is. */
export class Recorder implements Follower<{ readonly key: string; readonly version: string }> {
  readonly there: Map<string, string> = new Map();
  readonly removals: string[] = [];
  readonly troubles: (string | undefined)[] = [];
  lists = 0;

  changed({ key, version }: { readonly key: string; readonly version: string }): void {
    this.there.set(key, version);
  }

  removed(key: string): void {
    this.removals.push(key);
    this.there.delete(key);
  }

  listed(): void {
    this.lists += 1;
  }

  trouble(problem: string | undefined): void {
    this.troubles.push(problem);
  }

  get problem(): string | undefined {
    return this.troubles.at(-1);
  }
}

/** The data value `v` of a ConfigMap, which tests count up. */
export function reduceConfigMap({ metadata, data }: KubernetesObject): {
  readonly key: string;
  readonly value: { readonly key: string; readonly version: string };
} {
  const version = (data as { readonly v?: unknown } | undefined)?.v;
  if (typeof version !== 'string') throw new Error('no v');
  return { key: metadata.name, value: { key: metadata.name, version } };
}

/** Until what is expected is so; real parts take their time. */
export function eventually(assertion: () => void | Promise<void>): Promise<void> {
  return expect
    .poll(
      async () => {
        await assertion();
        return true;
      },
      { timeout: 10_000, interval: 20 },
    )
    .toBe(true);
}

/** A network in between, which can break or fall silent. */
export async function startNetwork(port: number): Promise<{
  readonly port: number;
  /** Connections end, and new ones are refused, until `mend`. */
  cut(): void;
  /** Nothing passes on the connections there are, and nobody is told. New ones work. */
  silence(): void;
  mend(): void;
  readonly connections: () => number;
  stop(): Promise<void>;
}> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isCut = false;
  let connections = 0;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    connections += 1;
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', end);
      socket.on('close', end);
      socket.pipe(other);
    }
  });
  const endAll = (): void => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      isCut = true;
      endAll();
    },
    silence: () => {
      for (const [near, far] of pairs) {
        near.unpipe();
        far.unpipe();
        near.pause();
        far.pause();
      }
    },
    mend: () => {
      isCut = false;
    },
    connections: () => connections,
    stop: async () => {
      endAll();
      await new Promise((done) => server.close(done));
    },
  };
}
