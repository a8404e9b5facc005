import { chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { buildTool, toolDirectory } from '../tools/build.mjs';
import { startContainer, type Mount } from './container.ts';
import { environmentPairs, lastStage } from './dockerfile.ts';

/** The image that plugin/Dockerfile describes, as folders of this machine. */
export interface ImageLayout {
  readonly root: string;
  /** Large files that are shown instead of copied. */
  readonly mounts: readonly Mount[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: number;
  readonly directory: string;
  readonly entrypoint: readonly string[];
}

const repository = resolve(import.meta.dirname, '../..');

/**
 * Does in `root` what the last stage of plugin/Dockerfile does, from its own lines, so that a line that is missing there is
 * missing here. The base image is this machine's shell and libraries with the Node that runs the tests; `apt-get` is not run.
 */
export async function layOutImage(root: string): Promise<ImageLayout> {
  const mounts: Mount[] = [{ from: process.execPath, to: '/usr/local/bin/node' }];
  const environment: Record<string, string> = { HOME: '/home/argocd' };
  let user = 0;
  let directory = '/';
  let entrypoint: readonly string[] = [];
  await addUser(root);
  const dockerfile = await readFile(join(repository, 'plugin/Dockerfile'), 'utf8');
  for (const { name, text } of lastStage(dockerfile)) {
    switch (name) {
      case 'FROM':
        break;
      case 'COPY':
        mounts.push(...(await copy(root, text)));
        break;
      case 'ENV':
        Object.assign(environment, Object.fromEntries(environmentPairs(text)));
        break;
      case 'USER':
        user = text === 'root' ? 0 : Number(text);
        break;
      case 'WORKDIR':
        directory = text;
        break;
      case 'ENTRYPOINT':
        entrypoint = JSON.parse(text) as readonly string[];
        break;
      case 'RUN':
        if (text.startsWith('apt-get')) break;
        await run({ root, mounts, environment, user, directory, command: ['sh', '-euc', text] });
        break;
      default:
        throw new Error(`plugin/Dockerfile has an instruction that this test does not know: ${name} ${text}`);
    }
  }
  return { root, mounts, environment, user, directory, entrypoint };
}

/** As `useradd --create-home` of the Dockerfile's first `RUN`. */
async function addUser(root: string): Promise<void> {
  await mkdir(join(root, 'etc'), { recursive: true });
  const home = '/home/argocd';
  await writeFile(join(root, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\nargocd:x:999:999::${home}:/bin/sh\n`);
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nargocd:x:999:\n');
  await mkdir(join(root, home), { recursive: true });
  if (process.getuid?.() === 0) await chown(join(root, home), 999, 999);
}

async function copy(root: string, text: string): Promise<readonly Mount[]> {
  const [, stage, from = '', to = ''] = /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(text) ?? [];
  if (stage === 'argocd') {
    const tool = from.endsWith('/helm') ? 'helm4' : 'kustomize';
    await buildTool(tool);
    return [{ from: join(toolDirectory(tool), from.slice('/usr/local/bin/'.length)), to }];
  }
  if (stage === 'client') return [{ from: await buildTool('client'), to }];
  if (stage !== undefined && stage !== 'build') throw new Error(`COPY from a stage this test does not know: ${stage}`);
  const origin = join(repository, stage === 'build' ? from.replace(/^\/build\//, '') : from);
  await mkdir(dirname(join(root, to)), { recursive: true });
  await cp(origin, join(root, to), { recursive: true });
  return [];
}

async function run(options: Omit<Parameters<typeof startContainer>[0], 'building'>): Promise<void> {
  const container = startContainer({ ...options, building: true });
  const code = await container.ended;
  if (code !== 0) throw new Error(`RUN ${options.command.at(-1)} ended with ${code}:\n${container.output()}`);
}
