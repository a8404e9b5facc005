// Writes a small checkout into a folder of the test and renders an application of it, as generate does.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { readBuildEnvironment } from '../../src/parameters/build-environment.ts';
import { readParameters } from '../../src/parameters/read-parameters.ts';
import { renderSpecFrom } from '../../src/parameters/render-spec.ts';
import { type AppRoot, findAppRoot } from '../../src/render/app-root.ts';
import { type RenderOptions, TOOLS_ON_PATH } from '../../src/render/render-options.ts';
import type {
  BuildEnvironment,
  DirectorySpec,
  HelmSpec,
  KustomizeSpec,
  Rendered,
  RenderingPolicy,
  ValueOverrides,
} from '../../src/render/render-spec.ts';
import { render } from '../../src/render/render.ts';
import { openWorkspace } from '../../src/render/workspace.ts';
import { toolDirectory } from '../tools/build.mjs';

export const run: typeof execFile.__promisify__ = promisify(execFile);

export const kustomize: string = join(toolDirectory('kustomize'), 'kustomize');

/** A file's content, or where a symbolic link points. */
export type Content = string | Buffer | { readonly link: string };

/** Paths and what is there. */
export type Files = Readonly<Record<string, Content>>;

/** A folder that is removed after the test; its real path. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'render-test-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder. */
export async function writeTree(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await (typeof content === 'string' || Buffer.isBuffer(content)
      ? writeFile(join(folder, path), content)
      : symlink(content.link, join(folder, path)));
  }
}

/** A Git checkout (by its `.git` folder) with the files given; its folder has a folder of its own around it. */
export async function checkout(files: Files): Promise<string> {
  const tree = join(await temporaryFolder(), 'tree');
  await writeTree(tree, { '.git/HEAD': 'ref: refs/heads/main\n', ...files });
  return tree;
}

/** What differs from an application `web` that sets no parameters. */
export interface Wish {
  /** The application's directory in the tree; the tree itself when absent. */
  readonly app?: string;
  readonly helm?: Partial<HelmSpec>;
  readonly kustomize?: Partial<KustomizeSpec>;
  readonly directory?: Partial<DirectorySpec>;
  readonly environment?: Partial<BuildEnvironment>;
  readonly policy?: Partial<RenderingPolicy>;
  readonly overrides?: Partial<ValueOverrides>;
  readonly tools?: Partial<RenderOptions['tools']>;
  readonly inPlace?: boolean;
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
  readonly parentEnvironment?: NodeJS.ProcessEnv;
}

const WEB = readBuildEnvironment({ ARGOCD_APP_NAME: 'web' });
const NO_PARAMETERS = renderSpecFrom(readParameters(undefined), WEB);

/** Options for an application of a tree. Its workspace is in a folder of the test. */
export async function renderOptions(tree: string, wish: Wish = {}): Promise<RenderOptions> {
  return optionsIn(await temporaryFolder(), tree, wish);
}

function optionsIn(temporaryDirectory: string, tree: string, wish: Wish): RenderOptions {
  const root: AppRoot = { tree, app: join(tree, wish.app ?? '.') };
  return {
    root,
    spec: {
      helm: { ...NO_PARAMETERS.helm, ...wish.helm },
      kustomize: { ...NO_PARAMETERS.kustomize, ...wish.kustomize },
      directory: { ...NO_PARAMETERS.directory, ...wish.directory },
    },
    environment: { ...WEB, ...wish.environment },
    policy: { kustomizeBuildOptions: [], remoteHosts: ['*'], gitCredentials: false, ...wish.policy },
    overrides: { helm: [], kustomizeImages: [], ...wish.overrides },
    workspace: openWorkspace({ root, inPlace: wish.inPlace ?? false, temporaryDirectory }),
    budgetMs: wish.budgetMs ?? 30_000,
    signal: wish.signal ?? new AbortController().signal,
    tools: { ...TOOLS_ON_PATH, kustomize, ...wish.tools },
    parentEnvironment: wish.parentEnvironment ?? { PATH: process.env['PATH'] },
  };
}

const SHOP = readBuildEnvironment({
  ARGOCD_APP_NAME: 'shop',
  ARGOCD_APP_NAMESPACE: 'shop',
  ARGOCD_APP_REVISION: '0123456789abcdef',
  KUBE_VERSION: '1.34.0',
});

/** Renders the application `shop` in a directory as the plugin would, and checks that nothing is left behind. */
export async function renderApplication(directory: string, wish: Omit<Wish, 'app'> = {}): Promise<Rendered> {
  const { tree, app } = findAppRoot(directory);
  const temporaryDirectory = await temporaryFolder();
  const options = optionsIn(temporaryDirectory, tree, { environment: SHOP, ...wish, app: relative(tree, app) });
  onTestFinished(async () => {
    const left = await readdir(temporaryDirectory);
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  });
  try {
    return await render(options);
  } finally {
    await options.workspace.dispose();
  }
}

/** The error a promise must end with; anything else fails the test. */
export async function errorOf(promise: Promise<unknown>): Promise<UserError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it succeeded, and should not have');
}

export const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: app
          image: nginx:1.25 # the tag in Git
        - name: side
          image: registry.example.com/side@sha256:1111111111111111111111111111111111111111111111111111111111111111
`;
