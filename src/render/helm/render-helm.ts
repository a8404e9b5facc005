import { existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree } from '../app-root.ts';
import { childEnvironment, prepareHome } from '../child-environment.ts';
import { MAX_FILE_BYTES } from '../limits.ts';
import type { RenderOptions } from '../render-options.ts';
import type { Rendered } from '../render-spec.ts';
import { timeLeft } from '../time-left.ts';
import { releaseNameOf, templateArguments } from './arguments.ts';
import { scanChartLinks } from './chart-links.ts';
import type { Override, ValueSource } from './override-values.ts';
import { withoutPolicyValues } from './policy-parameters.ts';
import { type HelmCall, helmOutput, type HelmRuns, runHelm } from './run-helm.ts';
import { resolveFileParameters, resolveValueFiles, type ValueFile } from './value-files.ts';
import { parseValuePath } from './value-path.ts';

/**
 * What `helm template` prints for the application's chart, run as Argo CD runs it, byte for byte. Values that image policies
 * set come from a generated file, the strongest one.
 *
 * @throws {UserError} `RENDER_FAILED` with helm's words; errors of value files, parameters, dependencies and of running a program.
 */
export async function renderHelm(options: RenderOptions): Promise<Rendered> {
  const { root, environment, policy } = options;
  const spec = options.spec.helm;
  const overrides = options.overrides.helm.map(parseOverride);
  const { parameters, notices } = withoutPolicyValues(
    spec,
    overrides.map(({ path }) => path),
  );
  const files = await resolveValueFiles(root, spec, policy);
  const fileParameters = await resolveFileParameters(root, parameters.fileParameters, policy);
  await scanChartLinks(root, root.app);
  const temporary = await options.workspace.temporary();
  prepareHome(temporary);
  const inline = await writeValues(join(temporary, 'values.yaml'), spec.values);
  const generated = await writeValues(
    join(temporary, 'image-values.yaml'),
    overrides.length === 0 ? undefined : await generatedValues(root, overrides, files, spec.values),
  );
  const args = templateArguments({
    releaseName: given(spec.releaseName) ?? releaseNameOf(environment.appName),
    namespace: given(spec.namespace) ?? environment.appNamespace,
    kubeVersion: given(spec.kubeVersion) ?? environment.kubeVersion,
    apiVersions: spec.apiVersions.length > 0 ? spec.apiVersions : environment.kubeApiVersions,
    parameters: parameters.parameters,
    stringParameters: parameters.stringParameters,
    fileParameters,
    values: [...files.map(({ path }) => path), ...inline, ...generated],
    skipCrds: spec.skipCrds,
    skipTests: spec.skipTests,
    skipSchemaValidation: spec.skipSchemaValidation,
  });
  const runs = helmRuns(options, temporary);
  const rendered = await template(options, runs, { args, temporary });
  return { text: rendered.text, notices: [...notices, ...rendered.notices] };
}

/** An empty field is an absent one, as in Argo CD. */
function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function helmRuns(options: RenderOptions, temporary: string): HelmRuns {
  return {
    program: options.tools.helm,
    env: childEnvironment({ parent: options.parentEnvironment, temporary, gitCredentials: false }),
    signal: options.signal,
    ...(options.onStart && { onStart: options.onStart }),
    timeLeftMs: timeLeft(options.budgetMs),
    // The copy's tree is below the temporary folder; the longest path is replaced first.
    paths: [
      [options.root.tree, '.'],
      [join(temporary, 'tree'), '.'],
      [join(temporary, 'values.yaml'), 'helm-values'],
      [join(temporary, 'image-values.yaml'), 'the values of image policies'],
      [temporary, '<temporary>'],
    ],
  };
}

/** Renders, and where dependencies are missing builds them in a tree that may be changed and renders again. */
async function template(
  options: RenderOptions,
  runs: HelmRuns,
  { args, temporary }: { readonly args: readonly string[]; readonly temporary: string },
): Promise<Rendered> {
  const call: HelmCall = {
    args,
    cwd: options.root.app,
    where: `helm template ${nameInTree(options.root.tree, options.root.app)}`,
    fix: 'run helm template in the chart with the same values to see it again',
  };
  const first = await runHelm(runs, call);
  if (first.exitCode === 0) return helmOutput(runs, call, first);
  const { buildDependencies, isMissingDependency } = await import('./build-dependencies.ts');
  if (!isMissingDependency(first.stderr)) return helmOutput(runs, call, first);
  const root = await options.workspace.editable();
  const lock = join(root.app, 'Chart.lock');
  const hadLock = existsSync(lock);
  try {
    await buildDependencies({
      root,
      runs,
      policy: options.policy,
      passCredentials: options.spec.helm.passCredentials,
      temporary: join(temporary, 'dependencies'),
    });
    return helmOutput(runs, call, await runHelm(runs, { ...call, cwd: root.app }));
  } finally {
    if (!hadLock) await rm(lock, { force: true });
  }
}

function parseOverride({ path, value }: { readonly path: string; readonly value: string }): Override {
  const found = parseValuePath(path);
  if (found.ok) return { path: found.value, value };
  throw new UserError('SETTING_INVALID', {
    what: `the path of a chart value ${found.problem}`,
    where: `helm target ${JSON.stringify(path)}`,
    fix: 'write it as web.image.tag or images[0].tag',
  });
}

async function generatedValues(
  root: AppRoot,
  overrides: readonly Override[],
  files: readonly ValueFile[],
  inline: string | undefined,
): Promise<string> {
  const { overrideValues } = await import('./override-values.ts');
  const hasIndex = overrides.some(({ path }) => path.some((part) => typeof part === 'number'));
  const text = overrideValues(overrides, hasIndex ? await valueSources(root, files, inline) : []);
  if (text.ok) return text.value;
  throw new UserError('SETTING_INVALID', {
    what: `the chart value ${text.problem}`,
    where: 'the helm targets of image policies',
    fix: text.fix ?? 'correct the path, or the list in the value files',
  });
}

/** The chart's own values and everything over them, the strongest last. */
async function valueSources(
  root: AppRoot,
  files: readonly ValueFile[],
  inline: string | undefined,
): Promise<readonly ValueSource[]> {
  const own = join(root.app, 'values.yaml');
  const sources: ValueSource[] = existsSync(own) ? [{ kind: 'text', text: await readValues(root, own) }] : [];
  for (const { kind, path } of files) {
    sources.push(kind === 'url' ? { kind: 'unread' } : { kind: 'text', text: await readValues(root, path) });
  }
  return inline === undefined ? sources : [...sources, { kind: 'text', text: inline }];
}

async function readValues(root: AppRoot, path: string): Promise<string> {
  const { size } = await stat(path);
  if (size <= MAX_FILE_BYTES) return readFile(path, 'utf8');
  throw new UserError('FILE_TOO_LARGE', {
    what: `a value file is larger than ${MAX_FILE_BYTES} bytes`,
    where: nameInTree(root.tree, path),
    fix: 'split it into several',
  });
}

/** Answers the arguments of `--values` for a text that may not be there; an empty one is none, as in Argo CD. */
async function writeValues(path: string, text: string | undefined): Promise<readonly string[]> {
  if (text === undefined || text === '') return [];
  await writeFile(path, text, { mode: 0o600 });
  return [path];
}
