// The built command as Argo CD's plugin container runs it: a process with nothing of this machine in its environment, and
// folders of its own that are all gone afterwards. Fake registries live in the test's process, so nothing here blocks it.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { toolDirectory } from '../tools/build.mjs';
import { workerSocket } from './workers.ts';

/** The command that is tested. `IMAGE_RESOLVER_PROGRAM` names another build of it. */
export const PROGRAM: string =
  process.env['IMAGE_RESOLVER_PROGRAM'] ?? fileURLToPath(new URL('../../dist/image-resolver', import.meta.url));

/** What `plugin.yaml` starts. */
const CLIENT = join(toolDirectory('client'), 'image-resolver-generate');

/** Node's compiled code of the bundle: starting without it takes twice as long. Its entries are found by content. */
export const COMPILE_CACHE: string = fileURLToPath(
  new URL('../../node_modules/.cache/image-resolver', import.meta.url),
);

/** How long a process may take to end its children before it is killed itself. */
const END_WITHIN_MS = 5_000;

/** How a process ended, and all it said. */
export interface ResolverRun {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs. */
export interface RunningResolver {
  readonly pid: number;
  /** What it said so far. */
  readonly said: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<ResolverRun>;
  kill(signal: NodeJS.Signals): void;
}

export interface RunOptions {
  /** Working directory; default: the container's own folder. */
  readonly cwd?: string;
  /** As `plugin.yaml` has it: in the directory itself, which argocd-cmp-server unpacked for this generation alone. */
  readonly inPlace?: boolean;
  /** As `plugin.yaml` has it: the client is started, and a worker does it ({@link PluginContainer.startWorker}). */
  readonly byClient?: boolean;
  /** Put over the container's environment; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Folders to look for programs in before all others. */
  readonly toolsFirst?: readonly string[];
  /** A shell script that ends with `exec "$@"`, for limits and mounts around the process. */
  readonly around?: string;
}

/** A file's text, or where a symbolic link points. */
export type FileContent = string | Buffer | { readonly link: string };

/** One plugin parameter, as Argo CD has it. */
export interface PluginParameter {
  readonly name: string;
  readonly string?: string;
  readonly array?: readonly string[];
  readonly map?: Readonly<Record<string, string>>;
}

/** What Argo CD would say about an application, and its checkout. */
export interface TestApplication {
  /** The checkout. */
  readonly tree: string;
  /** The application's directory in it. */
  readonly directory: string;
  readonly name: string;
  readonly project: string;
  readonly parameters: readonly PluginParameter[];
}

/** A plugin container: operator configuration, state, home and temporary folder of its own. */
export interface PluginContainer extends AsyncDisposable {
  /** Holds everything of it. */
  readonly folder: string;
  readonly state: string;
  readonly temporary: string;
  /** Replaces the operator configuration; `apiVersion`, `kind` and `state` need not be said. */
  configure(configuration: Readonly<Record<string, unknown>>): Promise<void>;
  /** Writes a file of the container; answers its path. */
  write(path: string, content: FileContent, mode?: number): Promise<string>;
  /** A checkout with the files given; those of the application are below `app/`. */
  application(
    files: Readonly<Record<string, FileContent>>,
    options?: Partial<Pick<TestApplication, 'name' | 'project' | 'parameters'>>,
  ): Promise<TestApplication>;
  start(args: readonly string[], options?: RunOptions): RunningResolver;
  run(args: readonly string[], options?: RunOptions): Promise<ResolverRun>;
  /** `generate` as argocd-cmp-server starts it for the application. */
  generate(application: TestApplication, options?: RunOptions): Promise<ResolverRun>;
  startGenerate(application: TestApplication, options?: RunOptions): RunningResolver;
  /** A worker that takes generations from clients, as the entry point starts it. */
  startWorker(options?: RunOptions): Promise<RunningResolver>;
  /** What is in the temporary folder, but for the sockets of workers. */
  leftovers(): Promise<readonly string[]>;
}

/** @param options.helm which Helm is on the PATH; default Helm 4. */
export async function startPluginContainer(
  options: { readonly helm?: 'helm3' | 'helm4' } = {},
): Promise<PluginContainer> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'plugin-container-')));
  const [state, temporary, home] = ['state', 'tmp', 'home'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([temporary, home].map(async (path) => mkdir(path)));
  const tools = [toolDirectory('kustomize'), toolDirectory(options.helm ?? 'helm4'), dirname(process.execPath)];
  const configFile = join(folder, 'etc/config.yaml');
  const running = new Set<RunningResolver>();
  let applications = 0;

  const write: PluginContainer['write'] = async (path, content, mode = 0o644) => {
    const full = join(folder, path);
    await writeContent(full, content);
    if (typeof content === 'string' || Buffer.isBuffer(content)) await chmod(full, mode);
    return full;
  };

  const start: PluginContainer['start'] = (args, run = {}) => {
    const environment = {
      PATH: [...(run.toolsFirst ?? []), dirname(PROGRAM), ...tools, '/usr/bin', '/bin'].join(':'),
      HOME: home,
      TMPDIR: temporary,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      IMAGE_RESOLVER_CONFIG: configFile,
      ...run.environment,
    };
    const command = run.byClient === true ? [CLIENT] : [process.execPath, PROGRAM, ...args];
    const wrapped = run.around === undefined ? command : ['/bin/bash', '-c', run.around, 'bash', ...command];
    const resolver = startProcess(wrapped, environment, run.cwd ?? folder);
    running.add(resolver);
    void resolver.ended.finally(() => running.delete(resolver));
    return resolver;
  };

  const startGenerate: PluginContainer['startGenerate'] = (application, run = {}) =>
    start(['generate', ...(run.inPlace === true ? ['--in-place'] : [])], {
      ...run,
      cwd: run.cwd ?? application.directory,
      environment: { ...environmentOf(application), ...run.environment },
    });

  let startedWorkers = 0;
  const startWorker: PluginContainer['startWorker'] = async (run) => {
    const socket = workerSocket(temporary, startedWorkers++);
    const worker = start(['worker', socket], run);
    while (!existsSync(socket)) {
      const ended = await Promise.race([worker.ended, nextTurn()]);
      if (ended !== undefined) throw new Error(`the worker ended with ${ended.exitCode}: ${ended.stderr}`);
    }
    return worker;
  };

  const configure: PluginContainer['configure'] = async (configuration) => {
    const whole = { apiVersion: 'image-resolver.io/v1alpha1', kind: 'ResolverConfiguration', state, ...configuration };
    await write('etc/config.yaml', JSON.stringify(whole));
  };
  await configure({});

  return {
    folder,
    state,
    temporary,
    configure,
    write,
    start,
    startGenerate,
    startWorker,
    run: async (args, run) => start(args, run).ended,
    generate: async (application, run) => startGenerate(application, run).ended,
    leftovers: async () => (await readdir(temporary)).filter((name) => name !== 'image-resolver-workers'),
    async application(files, said = {}) {
      applications += 1;
      const tree = join(folder, `checkout-${applications}`);
      await mkdir(join(tree, 'app'), { recursive: true });
      await writeContent(join(tree, '.git/HEAD'), 'ref: refs/heads/main\n');
      for (const [path, content] of Object.entries(files)) await writeContent(join(tree, path), content);
      return { tree, directory: join(tree, 'app'), name: 'shop', project: 'default', parameters: [], ...said };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map(endProcess));
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function startProcess(
  [program = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  cwd: string,
): RunningResolver {
  const child = spawn(program, args, { cwd, env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  const ended = new Promise<ResolverRun>((done, failed) => {
    child.once('error', failed);
    child.once('close', (exitCode, signal) => done({ ...said, exitCode, signal }));
  });
  return { pid: child.pid ?? -1, said, ended, kill: (signal) => void child.kill(signal) };
}

/** Ends what a test left running; with SIGTERM first, so that its children end too. */
async function endProcess(resolver: RunningResolver): Promise<void> {
  resolver.kill('SIGTERM');
  const timer = setTimeout(() => resolver.kill('SIGKILL'), END_WITHIN_MS);
  await resolver.ended.finally(() => clearTimeout(timer));
}

function environmentOf({ name, project, parameters }: TestApplication): Record<string, string> {
  return {
    ARGOCD_APP_NAME: name,
    ARGOCD_APP_NAMESPACE: 'shop',
    ARGOCD_APP_PROJECT_NAME: project,
    ARGOCD_APP_REVISION: '0123456789abcdef0123456789abcdef01234567',
    ARGOCD_APP_SOURCE_REPO_URL: 'https://git.example.com/acme/deploy',
    ARGOCD_APP_SOURCE_PATH: 'app',
    ARGOCD_APP_SOURCE_TARGET_REVISION: 'main',
    ARGOCD_APP_PARAMETERS: JSON.stringify(parameters),
    KUBE_VERSION: '1.34.1',
    KUBE_API_VERSIONS: 'v1,apps/v1',
  };
}

async function writeContent(path: string, content: FileContent): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await (typeof content === 'string' || Buffer.isBuffer(content)
    ? writeFile(path, content)
    : symlink(content.link, path));
}
