import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { type AppRoot, findAppRoot } from '../../src/render/app-root.ts';
import type { KustomizeSpec, Rendered, RenderingPolicy, RenderSpec } from '../../src/render/render-spec.ts';
import { TOOLS_ON_PATH } from '../../src/render/render-options.ts';
import { render } from '../../src/render/render.ts';
import { openWorkspace } from '../../src/render/workspace.ts';
import { toolDirectory } from '../tools/build.mjs';

export const run: typeof execFile.__promisify__ = promisify(execFile);

export const kustomize: string = join(toolDirectory('kustomize'), 'kustomize');

/** A file's text, or where a symbolic link points. */
export type Content = string | { readonly link: string };

/** A folder that is removed after the test; its real path. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'render-test-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files below a folder. */
export async function writeTree(folder: string, files: Readonly<Record<string, Content>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await (typeof content === 'string'
      ? writeFile(join(folder, path), content)
      : symlink(content.link, join(folder, path)));
  }
}

/** A Git checkout (by its `.git` folder) with the files given. */
export async function checkout(files: Readonly<Record<string, Content>>): Promise<string> {
  const folder = await temporaryFolder();
  await writeTree(folder, { '.git/HEAD': 'ref: refs/heads/main\n', ...files });
  return folder;
}

export const NO_KUSTOMIZE_PARAMETERS: KustomizeSpec = {
  images: [],
  replicas: {},
  commonLabels: {},
  commonAnnotations: {},
  forceCommonLabels: false,
  forceCommonAnnotations: false,
  labelWithoutSelector: false,
  labelIncludeTemplates: false,
  commonAnnotationsEnvsubst: false,
  components: [],
  ignoreMissingComponents: false,
};

const NO_PARAMETERS: RenderSpec = {
  helm: {
    apiVersions: [],
    valueFiles: [],
    ignoreMissingValueFiles: false,
    parameters: {},
    stringParameters: {},
    fileParameters: {},
    skipCrds: false,
    skipTests: false,
    skipSchemaValidation: false,
    passCredentials: false,
  },
  kustomize: NO_KUSTOMIZE_PARAMETERS,
  directory: { recurse: false, jsonnet: { extVars: {}, tlas: {}, libs: [] } },
};

export const VARIABLES: Readonly<Record<string, string>> = {
  ARGOCD_APP_NAME: 'shop',
  ARGOCD_APP_REVISION: '0123456789abcdef',
  KUBE_VERSION: '1.34.0',
};

export interface Wish {
  readonly kustomize?: Partial<KustomizeSpec>;
  readonly policy?: Partial<RenderingPolicy>;
  readonly kustomizeImages?: readonly string[];
  readonly inPlace?: boolean;
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
  readonly parentEnvironment?: NodeJS.ProcessEnv;
  readonly program?: string;
}

/** Renders `directory` as the plugin would, and checks that nothing is left behind. */
export async function renderDirectory(directory: string, wish: Wish = {}): Promise<Rendered> {
  return renderRoot(findAppRoot(directory), wish);
}

async function renderRoot(root: AppRoot, wish: Wish): Promise<Rendered> {
  const temporaryDirectory = await temporaryFolder();
  const workspace = openWorkspace({ root, inPlace: wish.inPlace ?? false, temporaryDirectory });
  onTestFinished(async () => {
    const left = await readdir(temporaryDirectory);
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  });
  try {
    return await render({
      root,
      spec: { ...NO_PARAMETERS, kustomize: { ...NO_KUSTOMIZE_PARAMETERS, ...wish.kustomize } },
      environment: {
        appName: 'shop',
        appNamespace: 'shop',
        kubeVersion: '1.34.0',
        kubeApiVersions: [],
        variables: VARIABLES,
      },
      policy: { kustomizeBuildOptions: [], remoteHosts: ['*'], gitCredentials: false, ...wish.policy },
      overrides: { helm: [], kustomizeImages: wish.kustomizeImages ?? [] },
      workspace,
      budgetMs: wish.budgetMs ?? 30_000,
      signal: wish.signal ?? new AbortController().signal,
      tools: { ...TOOLS_ON_PATH, kustomize: wish.program ?? kustomize },
      parentEnvironment: wish.parentEnvironment ?? { PATH: process.env['PATH'] },
    });
  } finally {
    await workspace.dispose();
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
