// The real registry (distribution), built by test/tools/build.mjs, on a free loopback port, with a counting proxy in front.
//
//   await using registry = await startRealRegistry();
//   await registry.pushImage({ repository: 'acme/api', tag: '1.0.5' });
//   …ask `${registry.host}/acme/api`, then look at registry.requests
//
// Proxy and token server live in this process: run the program under test asynchronously (spawn, execa), never with spawnSync.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTool } from '../tools/build.mjs';
import { startCountingProxy, type RecordedRequest } from './real-registry-proxy.ts';
import { Pusher, type PushedDigests, type PushedImage } from './real-registry-push.ts';
import { startTokenServer, type TokenServer, type TokenUser } from './real-registry-token-server.ts';

/**
 * bcrypt of the passwords an htpasswd registry can have here: Node has no bcrypt, so each was computed once
 * (`$2b$`, cost 4). Any user name goes with any of them.
 */
const BCRYPT = {
  'first-password': '$2b$04$abcdefghijklmnopqrstuuT2j8U6U5rBY6aIOMzZiJOWuJPYKLLOe',
  'second-password': '$2b$04$abcdefghijklmnopqrstuukluLair1GoPMg9PQfjHAu2MGkeVdhk2',
  'pusher-password': '$2b$04$abcdefghijklmnopqrstuu9WOKMzUtbv/WQencYJzIBMicBT17JEm',
} as const;

export type HtpasswdPassword = 'first-password' | 'second-password';

export type RealRegistryAuth =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'htpasswd'; readonly users: Readonly<Record<string, HtpasswdPassword>> }
  | {
      readonly kind: 'token';
      readonly users: Readonly<Record<string, TokenUser>>;
      /** Repository paths or prefixes ending in `/` that everybody may pull; default none. */
      readonly anonymous?: readonly string[];
      /** Token lifetime in seconds; default 300. */
      readonly lifetimeS?: number;
    };

export interface RealRegistryOptions {
  /** Default anonymous. */
  readonly auth?: RealRegistryAuth;
  /** The registry's `tags.maxtags`: no page is longer. */
  readonly maxTags?: number;
  /** Serve https with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The registry's `notifications`: who is told of each push, and with which Authorization header. */
  readonly notifications?: { readonly url: string; readonly authorization: string };
}

export interface RealRegistry extends AsyncDisposable {
  /** `127.0.0.1:43211`, as references write it. */
  readonly host: string;
  /** `http://127.0.0.1:43211`, for `api_url`. */
  readonly url: string;
  /** The same registry without the counting proxy, always http: for benchmarks. */
  readonly directHost: string;
  /** Everything that came through `host` since the start or the last `clearRequests`; pushes here don't count. */
  readonly requests: readonly RecordedRequest[];
  /** How many tag listing requests (pages) there were. */
  readonly listings: number;
  /** Only with token auth. It has a port of its own, so the operator must name it: see `tokenHosts`. */
  readonly tokenServer?: TokenServer;
  /** For `tokenHosts` of the operator's configuration: where the token server is. Empty without token auth. */
  readonly tokenHosts: readonly string[];
  clearRequests(): void;
  pushImage(image: PushedImage): Promise<PushedDigests>;
  /** Many images, a few at a time. */
  pushImages(images: readonly PushedImage[]): Promise<readonly PushedDigests[]>;
  deleteTag(repository: string, tag: string): Promise<void>;
  /** Changes a password of htpasswd or token auth; the old one is refused from now on. */
  setPassword(user: string, password: HtpasswdPassword): Promise<void>;
  /** While offline, connections are cut without an answer. */
  setOffline(offline: boolean): void;
  stop(): Promise<void>;
}

const SERVICE = 'test-registry';

/** Starts a registry that holds nothing; everything of it is gone after `stop` (or at the end of `await using`). */
export async function startRealRegistry(options: RealRegistryOptions = {}): Promise<RealRegistry> {
  const auth = options.auth ?? { kind: 'anonymous' };
  const directory = await mkdtemp(join(tmpdir(), 'real-registry-'));
  const cleanups: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    const tokenServer =
      auth.kind === 'token'
        ? await startTokenServer({
            service: SERVICE,
            users: auth.users,
            anonymous: auth.anonymous ?? [],
            lifetimeS: auth.lifetimeS ?? 300,
          })
        : undefined;
    if (tokenServer !== undefined) cleanups.push(() => tokenServer.close());
    const passwords = new Map<string, keyof typeof BCRYPT>(auth.kind === 'htpasswd' ? Object.entries(auth.users) : []);
    await writeAuthFiles(directory, passwords, tokenServer);
    await writeFile(join(directory, 'config.json'), JSON.stringify(configuration(directory, options, tokenServer)));

    const registry = await startProgram(directory);
    cleanups.push(() => endProgram(registry.process));
    const proxy = await startCountingProxy(registry.host, options.tls);
    cleanups.push(() => proxy.close());

    const pusher = new Pusher(`http://${registry.host}`, (repository) => {
      if (tokenServer !== undefined) return `Bearer ${tokenServer.adminToken(repository)}`;
      if (auth.kind === 'htpasswd') return `Basic ${Buffer.from('pusher:pusher-password').toString('base64')}`;
      return undefined;
    });
    return {
      host: proxy.host,
      url: `${options.tls === undefined ? 'http' : 'https'}://${proxy.host}`,
      directHost: registry.host,
      requests: proxy.requests,
      get listings() {
        return proxy.requests.filter((request) => request.kind === 'listing').length;
      },
      ...(tokenServer === undefined ? {} : { tokenServer }),
      tokenHosts: tokenServer === undefined ? [] : [new URL(tokenServer.url).host],
      clearRequests: () => proxy.clearRequests(),
      pushImage: (image) => pusher.push(image),
      pushImages: (images) => inParallel(images, (image) => pusher.push(image)),
      deleteTag: (repository, tag) => pusher.deleteTag(repository, tag),
      setPassword: async (user, password) => {
        tokenServer?.setPassword(user, password);
        passwords.set(user, password);
        if (auth.kind === 'htpasswd') await writeAuthFiles(directory, passwords, undefined);
      },
      setOffline: (offline) => proxy.setOffline(offline),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeAuthFiles(
  directory: string,
  passwords: ReadonlyMap<string, keyof typeof BCRYPT>,
  tokenServer: TokenServer | undefined,
): Promise<void> {
  const users = [...passwords, ['pusher', 'pusher-password'] as const];
  await writeFile(
    join(directory, 'htpasswd'),
    users.map(([user, password]) => `${user}:${BCRYPT[password]}\n`).join(''),
  );
  if (tokenServer !== undefined) await writeFile(join(directory, 'jwks.json'), tokenServer.jwks);
}

/** distribution reads YAML, so JSON too. */
function configuration(directory: string, options: RealRegistryOptions, tokenServer: TokenServer | undefined): unknown {
  const auth =
    tokenServer === undefined
      ? { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } }
      : {
          token: {
            realm: tokenServer.url,
            issuer: tokenServer.issuer,
            service: SERVICE,
            jwks: join(directory, 'jwks.json'),
          },
        };
  return {
    version: '0.1',
    log: { level: 'info', formatter: 'text', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'storage') }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0', relativeurls: true, secret: 'test' },
    ...(options.notifications === undefined ? {} : { notifications: { endpoints: [endpoint(options.notifications)] } }),
    ...(options.maxTags === undefined ? {} : { tags: { maxtags: options.maxTags } }),
    ...(options.auth === undefined || options.auth.kind === 'anonymous' ? {} : { auth }),
  };
}

/** As the page about webhooks has it. */
function endpoint({ url, authorization }: NonNullable<RealRegistryOptions['notifications']>): unknown {
  return {
    name: 'image-resolver',
    url,
    headers: { Authorization: [authorization] },
    timeout: '1s',
    threshold: 5,
    backoff: '1s',
    ignore: { actions: ['pull'] },
  };
}

/** Starts the program and reads the port it got from its log. */
async function startProgram(directory: string): Promise<{ readonly process: ChildProcess; readonly host: string }> {
  const child = spawn(await buildTool('registry'), ['serve', join(directory, 'config.json')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Only this: REGISTRY_* variables would override the configuration.
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  const killAtExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  let log = '';
  let ready = false;
  const host = await new Promise<string>((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`the registry ended with ${code}:\n${log}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      if (ready) return; // still drained, so that the program never blocks on its log
      log += chunk.toString();
      const listening = /listening on (127\.0\.0\.1:\d+)/.exec(log)?.[1];
      if (listening !== undefined) {
        ready = true;
        done(listening);
      }
    });
  });
  return { process: child, host };
}

function endProgram(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      done();
      return;
    }
    child.once('exit', () => done());
    child.kill('SIGKILL');
  });
}

const PARALLEL_PUSHES = 8;

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL_PUSHES }, worker));
  return results;
}
