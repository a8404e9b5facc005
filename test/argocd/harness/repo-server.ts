// One repo-server pod: argocd-repo-server, and the sidecar with argocd-cmp-server and the plugin.

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { COMPILE_CACHE } from '../../support/run-resolver.ts';
import { workerSocket } from '../../support/workers.ts';
import { buildTool } from '../../tools/build.mjs';
import { countedPlugin, type Generation, readGenerations } from './generations.ts';
import { freePort, type Program, type Sandbox } from './sandbox.ts';

export interface RepoServerOptions {
  /** `repo-server`, `repo-server-2`: names folder and logs. */
  readonly name: string;
  readonly kubeconfig: string;
  /** Address of Redis. */
  readonly redis: string;
  /** Added to the sidecar's environment. */
  readonly sidecarEnvironment: Readonly<Record<string, string>>;
}

export interface RepoServer {
  readonly name: string;
  readonly port: number;
  /** The sidecar's store. */
  readonly state: string;
  generations(): Promise<readonly Generation[]>;
  /** What the plugin said on stderr, among other things: argocd-cmp-server logs it. */
  sidecarLog(): Promise<string>;
  stop(): Promise<void>;
}

const repository = resolve(import.meta.dirname, '../../..');

export async function startRepoServer(sandbox: Sandbox, options: RepoServerOptions): Promise<RepoServer> {
  const [argoCd = '', client = '', kustomize = '', helm = ''] = await Promise.all(
    ['argocd', 'client', 'kustomize', 'helm4'].map(buildTool),
  );
  const folder = async (name: string): Promise<string> => sandbox.directory(options.name, name);
  const [plugins, config, state] = [await folder('plugins'), await folder('config'), await folder('state')];
  const generationsLog = join(sandbox.folder, options.name, 'generations');
  await writeFile(generationsLog, '');
  const pluginYaml = await readFile(join(repository, 'plugin/plugin.yaml'), 'utf8');
  await writeFile(join(config, 'plugin.yaml'), await countedPlugin(pluginYaml, join(config, 'counted')));

  const path = [dirname(kustomize), dirname(helm), '/usr/bin', '/bin'];
  const temporary = await folder('tmp');
  const environment = {
    PATH: [join(repository, 'dist'), dirname(client), dirname(process.execPath), ...path].join(delimiter),
    HOME: await folder('home'),
    TMPDIR: temporary,
    NODE_COMPILE_CACHE: COMPILE_CACHE, // the image has it, too
    ARGOCD_PLUGINSOCKFILEPATH: plugins,
    ARGOCD_CMP_WORKDIR: await folder('work'),
    GENERATIONS_LOG: generationsLog,
    IMAGE_RESOLVER_STATE: state,
    ...options.sidecarEnvironment,
  };
  // As the entry point of the image does.
  const workers = await Promise.all(
    [0, 1].map(async (index) => {
      const socket = workerSocket(temporary, index);
      return sandbox.start({
        name: `${options.name}-worker-${index}`,
        program: join(repository, 'dist/image-resolver'),
        args: ['worker', socket],
        environment,
        ready: () => existsSync(socket),
      });
    }),
  );
  const sidecar = await sandbox.start({
    name: `${options.name}-sidecar`,
    program: join(dirname(argoCd), 'argocd-cmp-server'),
    args: ['--config-dir-path', config],
    environment,
    ready: (log) => log.includes('serving on'),
  });

  const port = await freePort();
  const metrics = await freePort();
  const server = await sandbox.start({
    name: options.name,
    program: join(dirname(argoCd), 'argocd-repo-server'),
    args: [
      `--redis=${options.redis}`,
      '--address=127.0.0.1',
      `--port=${port}`,
      '--metrics-address=127.0.0.1',
      `--metrics-port=${metrics}`,
      '--disable-tls',
    ],
    environment: {
      PATH: path.join(delimiter),
      HOME: await folder('repo-server-home'),
      TMPDIR: await folder('repo-server-tmp'),
      KUBECONFIG: options.kubeconfig,
      ARGOCD_GPG_ENABLED: 'false',
      ARGOCD_PLUGINSOCKFILEPATH: plugins,
      ARGOCD_ASK_PASS_SOCK: join(sandbox.folder, options.name, 'ask.sock'),
    },
    ready: async () => listens(port),
  });
  return repoServerOf(options.name, port, state, generationsLog, [sidecar, ...workers], server);
}

function repoServerOf(
  name: string,
  port: number,
  state: string,
  generationsLog: string,
  sidecar: readonly Program[],
  server: Program,
): RepoServer {
  return {
    name,
    port,
    state,
    generations: async () => readGenerations(generationsLog),
    sidecarLog: async () => (await Promise.all(sidecar.map(async (program) => program.log()))).join(''),
    async stop() {
      await server.end();
      await Promise.all(sidecar.map(async (program) => program.end()));
    },
  };
}

/** Whether somebody accepts connections there. */
export async function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
