import { join } from 'node:path';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree } from '../app-root.ts';
import { childEnvironment, prepareHome } from '../child-environment.ts';
import { decodeRendering } from '../decode-rendering.ts';
import { KUSTOMIZATION_NAMES } from '../detect.ts';
import { MAX_RENDERING_BYTES, MAX_STDERR_BYTES } from '../limits.ts';
import type { RenderOptions } from '../render-options.ts';
import type { BuildEnvironment, Rendered } from '../render-spec.ts';
import { type ProcessResult, runProcess } from '../run-process.ts';
import { timeLeft } from '../time-left.ts';
import { type PathNames, renderFailed, warnings } from '../tool-messages.ts';
import { addPatches } from './add-patches.ts';
import { buildArguments, helmEnabled } from './build-options.ts';
import { type EditStep, editSteps } from './edit-arguments.ts';
import { editFailed } from './edit-failed.ts';
import { RemoteBases } from './remote-bases.ts';
import { scanComponent, scanKustomization, type ScanOptions } from './scan.ts';

/** One rendering: where it happens and how kustomize is run there. */
interface Build {
  readonly options: RenderOptions;
  /** The tree itself, or the copy that is edited. */
  readonly root: AppRoot;
  readonly paths: PathNames;
  readonly bases: RemoteBases;
  run(args: readonly string[], cwd: string): Promise<ProcessResult>;
}

/**
 * Renders with kustomize as Argo CD's repo-server does: the parameters as `kustomize edit` commands, then `kustomize build`.
 * Everything the build would read is checked first. Without a parameter nothing is edited and nothing copied.
 *
 * @throws {UserError} what {@link scanKustomization} and {@link runProcess} throw; `RENDER_FAILED` with kustomize's own words;
 *   `NATIVE_FEATURE_UNAVAILABLE` for `kustomize-version`.
 */
export async function renderKustomize(options: RenderOptions): Promise<Rendered> {
  const { spec, policy, environment, overrides, tools } = options;
  if (spec.kustomize.version !== undefined && spec.kustomize.version !== '')
    throw versionUnavailable(spec.kustomize.version);
  const steps = editSteps(spec.kustomize, overrides, environment.variables);
  const root = steps.length === 0 ? options.root : await options.workspace.editable();
  const args = buildArguments(root.app, policy.kustomizeBuildOptions, environment, tools.helm);
  const build = await prepare(options, root);
  const scan: ScanOptions = {
    root,
    policy,
    helmEnabled: helmEnabled(policy.kustomizeBuildOptions),
    fetchBase: (text, what) => build.bases.fetch(text, what),
  };

  await scanKustomization(scan);
  for (const step of steps) await edit(step, build, scan);
  if (steps.length > 0) await scanKustomization(scan);

  const result = await build.run(args, root.tree);
  const where = `kustomize build ${nameInTree(root.tree, root.app)}`;
  if (result.exitCode !== 0) {
    const stderr = [...build.bases.failures, result.stderr].join('\n');
    throw renderFailed({ ...result, stderr }, where, build.paths, `run ${where} in the repository`);
  }
  return { text: decodeRendering(result.stdout, where), notices: warnings(result.stderr, where, build.paths) };
}

async function prepare(options: RenderOptions, root: AppRoot): Promise<Build> {
  const { environment, policy, signal, tools, workspace, parentEnvironment } = options;
  const temporary = await workspace.temporary();
  prepareHome(temporary);
  const environmentOf = (gitConfig: readonly (readonly [string, string])[]): Record<string, string> =>
    childEnvironment({
      parent: parentEnvironment,
      temporary,
      gitCredentials: policy.gitCredentials,
      variables: applicationVariables(environment),
      gitConfig,
    });
  const left = timeLeft(options.budgetMs);
  const run = (command: string, args: readonly string[], cwd: string, env: Record<string, string>) =>
    runProcess({
      command,
      args,
      cwd,
      env,
      signal,
      timeoutMs: left(),
      maxStdoutBytes: MAX_RENDERING_BYTES,
      maxStderrBytes: MAX_STDERR_BYTES,
      ...(options.onStart && { onStart: options.onStart }),
    });
  const bases = new RemoteBases(join(temporary, 'remote'), (args) => run('git', args, temporary, environmentOf([])));
  return {
    options,
    root,
    bases,
    paths: [
      [`${root.tree}/`, ''],
      [root.tree, '.'],
      [`${temporary}/`, ''],
    ],
    run: (args, cwd) => run(tools.kustomize, args, cwd, environmentOf(bases.gitConfig())),
  };
}

/** What kustomize natively sees: the nine `ARGOCD_APP_*` variables, not the cluster's. */
function applicationVariables(environment: BuildEnvironment): Record<string, string> {
  return Object.fromEntries(Object.entries(environment.variables).filter(([name]) => name.startsWith('ARGOCD_APP_')));
}

async function edit(step: EditStep, build: Build, scan: ScanOptions): Promise<void> {
  const { root } = build;
  switch (step.kind) {
    case 'command':
      return runEdit(step.args, build);
    case 'patches': {
      const file = await kustomizationFile(root);
      addPatches(file, step.patches, nameInTree(root.tree, file));
      return;
    }
    case 'components': {
      const paths = await componentsToAdd(step, scan);
      return paths.length === 0 ? undefined : runEdit(['edit', 'add', 'component', '--', ...paths], build);
    }
    default:
      return step satisfies never;
  }
}

async function runEdit(args: readonly string[], build: Build): Promise<void> {
  const result = await build.run(args, build.root.app);
  if (result.exitCode !== 0) throw editFailed(result, args, build.paths);
}

/** The components that are there, or all of them; each is one that may be built. */
async function componentsToAdd(
  step: EditStep & { readonly kind: 'components' },
  scan: ScanOptions,
): Promise<readonly string[]> {
  const added: string[] = [];
  for (const [index, path] of step.paths.entries()) {
    const what = `parameter kustomize-components[${index}]`;
    if (step.ignoreMissing && !(await isInTree(path, scan.root, what))) continue;
    await scanComponent(path, what, scan);
    added.push(path);
  }
  return added;
}

async function isInTree(path: string, root: AppRoot, what: string): Promise<boolean> {
  try {
    await resolveInTree(root, path, { from: 'app', what });
    return true;
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILE_MISSING') return false;
    throw error;
  }
}

async function kustomizationFile(root: AppRoot): Promise<string> {
  for (const name of KUSTOMIZATION_NAMES) {
    if (await isInTree(name, root, name)) return resolveInTree(root, name, { from: 'app', what: name });
  }
  throw new UserError('FILE_MISSING', {
    what: 'the directory has no kustomization',
    where: nameInTree(root.tree, root.app),
    fix: `create ${join(nameInTree(root.tree, root.app), 'kustomization.yaml')}`,
  });
}

function versionUnavailable(version: string): UserError {
  return new UserError('NATIVE_FEATURE_UNAVAILABLE', {
    what: `kustomize ${version} was asked for, and a plugin runs the one kustomize its container holds`,
    where: 'parameter kustomize-version',
    fix: 'remove the parameter, or have the operator put another kustomize into the plugin container',
  });
}
