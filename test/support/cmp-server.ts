import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { create } from 'tar';
import { toolDirectory } from '../tools/build.mjs';
import { startWorkers } from './workers.ts';

/** What repo-server would send for one generation. */
export interface GenerateRequest {
  /** The checkout: everything below is sent. */
  readonly root: string;
  /** The application's directory within it; the root itself when absent. */
  readonly path?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** As the caller's deadline: repo-server's default is 60 s. */
  readonly deadlineMs?: number;
}

/** One announced parameter, as repo-server receives it. */
export interface AnnouncedParameter {
  readonly name: string;
  readonly title: string;
  readonly tooltip: string;
  readonly collectionType: string;
  readonly string: string;
  readonly array: readonly string[];
}

/** Speaks to a plugin server as repo-server does. */
export interface CmpClient {
  /** The manifests, one JSON text each. Rejects with the gRPC error, whose `details` hold the plugin's stderr. */
  generate(request: GenerateRequest): Promise<readonly string[]>;
  parameters(request: GenerateRequest): Promise<readonly AnnouncedParameter[]>;
  close(): void;
}

/** A real argocd-cmp-server with our plugin.yaml, driven as repo-server drives it. */
export interface CmpServer extends Omit<CmpClient, 'close'> {
  /** Everything the server logged so far. */
  log(): string;
  /** The private folder in which requests are unpacked. */
  readonly workDirectory: string;
  stop(): Promise<void>;
}

const protoDirectory = join(dirname(fileURLToPath(import.meta.url)), 'proto');

function clientConstructor(): ServiceClientConstructor {
  const definition = loadSync('plugin.proto', {
    includeDirs: [protoDirectory],
    keepCase: true,
    longs: Number,
    defaults: true,
  });
  const loaded = loadPackageDefinition(definition) as unknown as {
    plugin: { ConfigManagementPluginService: ServiceClientConstructor };
  };
  return loaded.plugin.ConfigManagementPluginService;
}

/**
 * Starts argocd-cmp-server v3.2.11 on its own socket, and workers beside it.
 *
 * @param options.pluginYaml text of plugin.yaml.
 * @param options.environment the container's environment: what the plugin's processes inherit.
 */
export async function startCmpServer(options: {
  readonly pluginYaml: string;
  readonly environment: Readonly<Record<string, string>>;
}): Promise<CmpServer> {
  const base = await mkdtemp(join(tmpdir(), 'cmp-server-'));
  const [config, plugins, work] = ['config', 'plugins', 'work'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([config, plugins, work].map(async (folder) => mkdir(folder)));
  await writeFile(join(config, 'plugin.yaml'), options.pluginYaml);
  const child = spawn(join(toolDirectory('argocd'), 'argocd-cmp-server'), ['--config-dir-path', config], {
    env: { ...options.environment, ARGOCD_PLUGINSOCKFILEPATH: plugins, ARGOCD_CMP_WORKDIR: work },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const workers = await startWorkers(options.environment);
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  const client = connectCmpServer(await socketIn(plugins, child, () => log));
  return {
    workDirectory: work,
    log: () => log + workers.log(),
    generate: (request) => client.generate(request),
    parameters: (request) => client.parameters(request),
    async stop() {
      client.close();
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      await workers.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** A client of the server on this socket, which may begin to listen later. */
export function connectCmpServer(socket: string): CmpClient {
  const Client = clientConstructor();
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), { 'grpc.max_receive_message_length': -1 });

  async function call<T>(
    method: 'GenerateManifest' | 'GetParametersAnnouncement',
    request: GenerateRequest,
  ): Promise<T> {
    const archive = await pack(request.root);
    return new Promise<T>((done, failed) => {
      const invoke = client[method] as unknown as (
        options: { deadline: number },
        callback: (error: ServiceError | null, value: T) => void,
      ) => NodeJS.WritableStream;
      const stream = invoke.call(client, { deadline: Date.now() + (request.deadlineMs ?? 60_000) }, (error, value) => {
        if (error === null) done(value);
        else failed(error);
      });
      const write = (message: object): void =>
        void (stream as unknown as { write(message: object): boolean }).write(message);
      const app = join(request.root, request.path ?? '');
      write({
        metadata: {
          appName: basename(app),
          appRelPath: relative(request.root, app) || '.',
          checksum: createHash('sha256').update(archive).digest('hex'),
          size: archive.length,
          env: Object.entries(request.environment).map(([name, value]) => ({ name, value })),
        },
      });
      for (let at = 0; at < archive.length; at += 65_536) write({ file: { chunk: archive.subarray(at, at + 65_536) } });
      stream.end();
    });
  }

  return {
    generate: async (request) => (await call<{ manifests: string[] }>('GenerateManifest', request)).manifests,
    parameters: async (request) =>
      (await call<{ parameterAnnouncements: AnnouncedParameter[] }>('GetParametersAnnouncement', request))
        .parameterAnnouncements,
    close: () => client.close(),
  };
}

async function socketIn(folder: string, child: ChildProcess, log: () => string): Promise<string> {
  for (;;) {
    const name = (await readdir(folder)).find((entry) => entry.endsWith('.sock'));
    if (name !== undefined && log().includes('serving on')) return join(folder, name);
    if (child.exitCode !== null || !existsSync(folder)) throw new Error(`argocd-cmp-server ended:\n${log()}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

async function pack(root: string): Promise<Buffer> {
  const file = join(tmpdir(), `cmp-request-${randomUUID()}.tgz`);
  try {
    await create({ file, cwd: root, gzip: true, portable: true }, await readdir(root));
    return await readFile(file);
  } finally {
    await rm(file, { force: true });
  }
}
