// Writes a small repository into a private folder and renders an application of it, as generate does.

import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AppRoot } from '../../src/render/app-root.ts';
import { type RenderOptions, TOOLS_ON_PATH } from '../../src/render/render-options.ts';
import type { BuildEnvironment, DirectorySpec, HelmSpec, RenderingPolicy } from '../../src/render/render-spec.ts';
import { openWorkspace } from '../../src/render/workspace.ts';

/** File names and contents; a value that is an object is a symbolic link. */
export type Files = Readonly<Record<string, string | Buffer | { readonly link: string }>>;

export interface Repository extends AsyncDisposable {
  readonly tree: string;
  /** Options for the application in `app` (default: the tree's root), everything else at its default. */
  options(changes?: Changes): RenderOptions;
}

export interface Changes {
  readonly app?: string;
  readonly helm?: Partial<HelmSpec>;
  readonly directory?: Partial<DirectorySpec>;
  readonly environment?: Partial<BuildEnvironment>;
  readonly policy?: Partial<RenderingPolicy>;
  readonly overrides?: RenderOptions['overrides']['helm'];
  readonly tools?: Partial<RenderOptions['tools']>;
  readonly inPlace?: boolean;
  readonly parentEnvironment?: NodeJS.ProcessEnv;
}

/** Creates the files; disposing removes them and every workspace that was opened. */
export async function createRepository(files: Files): Promise<Repository> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'rendering-test-')));
  const tree = join(folder, 'tree');
  const temporaryDirectory = join(folder, 'temporary');
  await mkdir(tree);
  await mkdir(temporaryDirectory);
  for (const [name, content] of Object.entries(files)) {
    const path = join(tree, name);
    await mkdir(dirname(path), { recursive: true });
    if (typeof content === 'string' || Buffer.isBuffer(content)) await writeFile(path, content);
    else await symlink(content.link, path);
  }
  return {
    tree,
    options(changes = {}) {
      const root: AppRoot = { tree, app: join(tree, changes.app ?? '.') };
      return {
        root,
        spec: {
          ...EMPTY_SPEC,
          helm: { ...EMPTY_SPEC.helm, ...changes.helm },
          directory: { ...EMPTY_SPEC.directory, ...changes.directory },
        },
        environment: {
          appName: 'web',
          appNamespace: '',
          kubeVersion: '',
          kubeApiVersions: [],
          variables: {},
          ...changes.environment,
        },
        policy: { kustomizeBuildOptions: [], remoteHosts: ['*'], gitCredentials: false, ...changes.policy },
        overrides: { helm: changes.overrides ?? [], kustomizeImages: [] },
        workspace: openWorkspace({ root, inPlace: changes.inPlace ?? false, temporaryDirectory }),
        budgetMs: 30_000,
        signal: new AbortController().signal,
        tools: { ...TOOLS_ON_PATH, ...changes.tools },
        ...(changes.parentEnvironment === undefined ? {} : { parentEnvironment: changes.parentEnvironment }),
      };
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const EMPTY_SPEC: RenderOptions['spec'] = {
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
  kustomize: {
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
  },
  directory: { recurse: false, jsonnet: { extVars: {}, tlas: {}, libs: [] } },
};
