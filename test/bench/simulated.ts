import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent, fetch } from 'undici';
import type { SourceClaim } from '../../src/resolve/resolver.ts';
import { TEST_CA } from '../support/fake-registry-certificates.ts';

export interface SimulatedKubernetesOptions {
  readonly applications: number;
  /** Each application has a path of its own in Git; else all are in `app`. */
  readonly ownPaths: boolean;
}

/** What was asked since the start. */
export interface KubernetesCounts {
  patches: number;
  /** Objects made: Events. */
  creates: number;
  /** Pages of lists. */
  lists: number;
  reviews: number;
  /** Changes of Applications that were told to watches. */
  events: number;
}

export interface SimulatedRegistryOptions {
  /** Of every repository. */
  readonly tags: number;
  /** Whether listings can be asked for conditionally. */
  readonly etags: boolean;
}

/** What was asked since the start. */
export interface RegistryCounts {
  listings: number;
  /** Of them, how many were answered with 304. */
  unchanged: number;
  others: number;
}

/** A simulated part in a process of its own, so that what it costs is not counted as ours. */
export interface Simulated<Counts> extends AsyncDisposable {
  /** `127.0.0.1:43211`. */
  readonly host: string;
  counts(): Promise<Counts>;
  /** Changes how it behaves. */
  change(query: string, body?: string): Promise<void>;
}

/** Applications of the control plane's namespace, named by {@link applicationName}. */
export async function simulateKubernetes(options: SimulatedKubernetesOptions): Promise<Simulated<KubernetesCounts>> {
  return startSimulated<KubernetesCounts>('simulated-kubernetes.ts', 'https', options);
}

/** Whatever repository is asked for is there, with the tags of {@link tagsOf}. */
export async function simulateRegistry(options: SimulatedRegistryOptions): Promise<Simulated<RegistryCounts>> {
  return startSimulated<RegistryCounts>('simulated-registry.ts', 'http', options);
}

export function applicationName(index: number): string {
  return `shop-${index}`;
}

/** Where an application is in Git. */
export function sourceOf(path: string): SourceClaim {
  return { repoURL: 'https://git.example.com/acme/deploy', path, targetRevision: 'main' };
}

/** `1.0.0`, `1.0.1`, …: fifty to each minor version. */
export function tagsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `1.${Math.floor(index / 50)}.${index % 50}`);
}

async function startSimulated<Counts>(
  file: string,
  scheme: 'http' | 'https',
  options: unknown,
): Promise<Simulated<Counts>> {
  const args = [fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const first = createInterface(child.stdout)[Symbol.asyncIterator]().next();
  const line = await Promise.race([first, ended.then(() => undefined)]);
  const port = Number(line?.value);
  if (!(port > 0)) throw new Error(`${file} did not start`);
  const host = `127.0.0.1:${port}`;
  const url = `${scheme}://${host}/simulation`;
  const dispatcher = new Agent({ connect: { ca: TEST_CA } });
  return {
    host,
    counts: async () => (await (await fetch(url, { dispatcher })).json()) as Counts,
    async change(query, body = '') {
      await (await fetch(`${url}?${query}`, { method: 'POST', body, dispatcher })).text();
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.close();
      child.kill();
      await ended;
    },
  };
}
