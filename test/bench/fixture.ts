import { tmpdir } from 'node:os';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  COMPILE_CACHE,
  type PluginContainer,
  PROGRAM,
  type RunningResolver,
  type RunOptions,
  startPluginContainer,
} from '../support/run-resolver.ts';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { toolDirectory } from '../tools/build.mjs';
import { runProgram } from './measure.ts';

/** How much is measured: enough for figures, or just enough to see that everything works. */
export interface Size {
  readonly rounds: number;
  readonly images: number;
  readonly applications: number;
  readonly atOnce: number;
  readonly tags: number;
  readonly selectFrom: number;
  readonly renderingBytes: number;
  readonly workloads: number;
  readonly latency: {
    readonly repositories: number;
    readonly tags: number;
    readonly intervalS: number;
    readonly requests: number;
  };
  readonly controllerSharing: { readonly applications: number; readonly intervals: number };
  readonly controllerSize: {
    readonly registrations: number;
    readonly repositories: number;
    readonly tags: number;
    readonly intervalS: number;
    /** Till everything is as it will be. */
    readonly settleS: number;
  };
}

export const FULL: Size = {
  rounds: 40,
  images: 100,
  applications: 30,
  atOnce: 50,
  tags: 500,
  selectFrom: 100_000,
  renderingBytes: 5_000_000,
  workloads: 500,
  latency: { repositories: 2_000, tags: 500, intervalS: 120, requests: 2_000 },
  controllerSharing: { applications: 300, intervals: 10 },
  controllerSize: { registrations: 10_000, repositories: 2_000, tags: 500, intervalS: 120, settleS: 140 },
};

export const QUICK: Size = {
  rounds: 1,
  images: 3,
  applications: 4,
  atOnce: 4,
  tags: 30,
  selectFrom: 1_000,
  renderingBytes: 50_000,
  workloads: 5,
  latency: { repositories: 30, tags: 30, intervalS: 1, requests: 40 },
  controllerSharing: { applications: 20, intervals: 2 },
  controllerSize: { registrations: 100, repositories: 20, tags: 30, intervalS: 1, settleS: 1 },
};

/** A registry and a plugin container that may ask it. `counted` asks through the proxy that counts requests. */
export async function startBench(options: {
  readonly counted: boolean;
  /** How long a listing is fresh. */
  readonly interval: string;
}): Promise<
  AsyncDisposable & { readonly registry: RealRegistry; readonly container: PluginContainer; readonly host: string }
> {
  const registry = await startRealRegistry();
  const container = await startPluginContainer();
  const host = options.counted ? registry.host : registry.directHost;
  await container.configure({
    interval: options.interval,
    minimumInterval: '0s',
    registries: { hosts: [{ host, apiUrl: `http://${host}`, insecure: true }] },
  });
  return {
    registry,
    container,
    host,
    async [Symbol.asyncDispose]() {
      await container[Symbol.asyncDispose]();
      await registry.stop();
    },
  };
}

/** Of its own: what else was run would decide which code is in it. */
const CACHE = `${COMPILE_CACHE}-bench`;

/** Fills the compile cache as the image's is filled when it is built. */
export async function warmUp(): Promise<void> {
  const tools = [dirname(PROGRAM), dirname(process.execPath), toolDirectory('kustomize'), toolDirectory('helm4')];
  await runProgram({
    command: process.execPath,
    args: [fileURLToPath(new URL('../../plugin/warm-up.mjs', import.meta.url))],
    cwd: tmpdir(),
    environment: {
      PATH: [...tools, '/usr/bin', '/bin'].join(delimiter),
      HOME: tmpdir(),
      NODE_COMPILE_CACHE: CACHE,
    },
  });
}

/** The worker that a generation with {@link RunOptions.byClient} asks, as entrypoint.sh starts it. */
export async function startWorker(container: PluginContainer): Promise<RunningResolver> {
  return container.startWorker({
    environment: { NODE_COMPILE_CACHE: CACHE, NODE_OPTIONS: '--max-semi-space-size=4' },
  });
}

/** Runs `generate` and checks that it did what it is measured for. */
export async function generated(
  container: PluginContainer,
  application: Parameters<PluginContainer['generate']>[0],
  expected: string,
  options: RunOptions = {},
): Promise<void> {
  const run = await container.generate(application, {
    inPlace: true,
    ...options,
    environment: { NODE_COMPILE_CACHE: CACHE, ...options.environment },
  });
  checkGenerated(run, expected);
}

/** @throws {Error} a run of `generate` did not do what it is measured for. */
export function checkGenerated(
  run: { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string },
  expected: string,
): void {
  if (run.exitCode === 0 && run.stdout.includes(expected)) return;
  throw new Error(`generate ended with ${run.exitCode} and without ${expected}:\n${run.stderr}`);
}
