// Every folder of test/golden: `input/app` rendered as a native source would be, with `parameters.json` (Argo CD's plugin
// parameters) and `env.json` (its build environment), against `expected.yaml` or `expected-error.txt`.
//
//   UPDATE_GOLDEN=1 vitest run test/render/golden.test.ts      writes what came out; look at the difference

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { formatUserError } from '../../src/error/sanitise.ts';
import { UserError } from '../../src/error/user-error.ts';
import { findAppRoot } from '../../src/render/app-root.ts';
import { TOOLS_ON_PATH, type RenderTools } from '../../src/render/render-options.ts';
import { render } from '../../src/render/render.ts';
import { openWorkspace } from '../../src/render/workspace.ts';
import { buildTool } from '../tools/build.mjs';
import { environmentFrom, specFrom } from './golden-input.ts';

const folder = resolve(import.meta.dirname, '../golden');
const cases = await readdir(folder);
const built: Record<'kustomize' | 'helm3' | 'helm4', string> = { kustomize: '', helm3: '', helm4: '' };
beforeAll(async () => {
  for (const name of ['kustomize', 'helm3', 'helm4'] as const) built[name] = await buildTool(name);
}, 600_000);

describe.for(['helm3', 'helm4'] as const)('with %s', (helm) => {
  // A case without a chart says the same with both.
  const ours = cases.filter((name) => helm === 'helm4' || name.startsWith('helm-'));

  test.for(ours)('%s', async (name) => {
    const found = await renderCase(join(folder, name), {
      ...TOOLS_ON_PATH,
      kustomize: built.kustomize,
      helm: built[helm],
    });
    const expected = join(folder, name, found.file);
    if (process.env['UPDATE_GOLDEN']) await writeFile(expected, found.text);
    expect(found.text).toBe(await readFile(expected, 'utf8'));
  });
});

async function renderCase(path: string, tools: RenderTools): Promise<{ readonly file: string; readonly text: string }> {
  const tree = join(path, 'input');
  const root = findAppRoot(join(tree, 'app'), { treeHint: tree });
  const temporaryDirectory = await mkdtemp(join(tmpdir(), 'golden-test-'));
  const workspace = openWorkspace({ root, inPlace: false, temporaryDirectory });
  try {
    const { text } = await render({
      root,
      spec: specFrom(await readJson(join(path, 'parameters.json'), [])),
      environment: environmentFrom(await readJson(join(path, 'env.json'), {})),
      policy: { kustomizeBuildOptions: [], remoteHosts: [], gitCredentials: false },
      overrides: { helm: [], kustomizeImages: [] },
      workspace,
      budgetMs: 30_000,
      signal: new AbortController().signal,
      tools,
    });
    return { file: 'expected.yaml', text };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { file: 'expected-error.txt', text: `${formatUserError(error.toData())}\n` };
  } finally {
    await rm(temporaryDirectory, { recursive: true });
  }
}

async function readJson<T>(path: string, absent: T): Promise<T> {
  return existsSync(path) ? (JSON.parse(await readFile(path, 'utf8')) as T) : absent;
}
