import { basename } from 'node:path';
import { type Notice, UserError } from '../../error/user-error.ts';
import { resolveInTree } from '../app-root.ts';
import { childEnvironment, prepareHome } from '../child-environment.ts';
import { decodeRendering } from '../decode-rendering.ts';
import { MAX_RENDERING_BYTES, MAX_STDERR_BYTES } from '../limits.ts';
import type { RenderOptions } from '../render-options.ts';
import { runProcess } from '../run-process.ts';
import { timeLeft } from '../time-left.ts';
import { type PathNames, renderFailed, warnings } from '../tool-messages.ts';
import { checkImports } from './jsonnet-imports.ts';
import type { ManifestFile } from './manifest-files.ts';

/** A jsonnet file's objects as documents. */
export interface Evaluated {
  readonly documents: readonly string[];
  readonly notices: readonly Notice[];
}

const FIX = 'correct the jsonnet file or its variables';
/** A value that begins with it is jsonnet code. */
const CODE_PREFIX = 'code:';

/**
 * Makes ready to evaluate the jsonnet files of a directory with the `jsonnet` program. Libraries are looked for as in Argo CD:
 * beside the importing file, then in `directory-jsonnet-libs` (relative to the tree, the last one first), then in the
 * application's directory. Nothing outside the tree may be imported, which Argo CD does not check.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE`, `FILE_MISSING`, `PARAMETER_INVALID`; the answer's promise `RENDERER_MISSING`,
 *   `RENDER_FAILED`, `MANIFEST_INVALID` and what running a program throws.
 */
export async function prepareJsonnet(options: RenderOptions): Promise<(file: ManifestFile) => Promise<Evaluated>> {
  const { root, tools } = options;
  const { jsonnet } = options.spec.directory;
  const libraries = await Promise.all(
    jsonnet.libs.map((path) => resolveInTree(root, path, { from: 'tree', what: 'parameter directory-jsonnet-libs' })),
  );
  const searched = [root.app, ...libraries];
  const variables = [
    ...variableFlags('ext', jsonnet.extVars, 'parameter directory-jsonnet-ext-vars'),
    ...variableFlags('tla', jsonnet.tlas, 'parameter directory-jsonnet-tlas'),
  ];
  const code = [...Object.values(jsonnet.extVars), ...Object.values(jsonnet.tlas)].filter(isCode).map(codeOf);
  const temporary = await options.workspace.temporary();
  prepareHome(temporary);
  const env = childEnvironment({
    parent: options.parentEnvironment,
    temporary,
    gitCredentials: false,
  });
  const timeLeftMs = timeLeft(options.budgetMs);
  const paths: PathNames = [
    [root.tree, '.'],
    [temporary, '<temporary>'],
  ];
  return async (file) => {
    await checkImports(root, { path: file.path, code, searched });
    const result = await runProcess({
      command: tools.jsonnet,
      args: [...searched.flatMap((directory) => ['-J', directory]), ...variables, file.path],
      cwd: root.app,
      env,
      signal: options.signal,
      timeoutMs: timeLeftMs(),
      maxStdoutBytes: MAX_RENDERING_BYTES,
      maxStderrBytes: MAX_STDERR_BYTES,
    }).catch((error: unknown) => {
      throw missingNamed(error, file);
    });
    if (result.exitCode !== 0) throw renderFailed(result, file.name, paths, FIX);
    return {
      documents: documentsOf(decodeRendering(result.stdout, file.name), file),
      notices: warnings(result.stderr, file.name, paths),
    };
  };
}

function isCode(value: string): boolean {
  return value.startsWith(CODE_PREFIX);
}

function codeOf(value: string): string {
  return value.slice(CODE_PREFIX.length);
}

function variableFlags(family: 'ext' | 'tla', variables: Readonly<Record<string, string>>, where: string): string[] {
  return Object.entries(variables).flatMap(([name, value]) => {
    // `--ext-str name` without `=` would read the environment, and `a=b` as a name would set another variable.
    if (name === '' || name.includes('=')) {
      throw new UserError('PARAMETER_INVALID', {
        what: `${JSON.stringify(name)} cannot be the name of a jsonnet variable`,
        where,
        fix: 'write a name without =',
      });
    }
    return isCode(value) ? [`--${family}-code`, `${name}=${codeOf(value)}`] : [`--${family}-str`, `${name}=${value}`];
  });
}

/** Argo CD takes an array of objects, where null is nothing, or one object. */
function documentsOf(output: string, file: ManifestFile): readonly string[] {
  const value = parseOutput(output, file);
  const objects = Array.isArray(value) ? value.filter((element) => element !== null) : [value];
  for (const object of objects as readonly unknown[]) {
    if (!hasKind(object))
      throw failed('what it evaluates to is neither a Kubernetes object nor an array of them', file);
  }
  return Array.isArray(value) ? objects.map((object) => `${JSON.stringify(object, null, 2)}\n`) : [output];
}

function parseOutput(output: string, file: ManifestFile): unknown {
  try {
    return JSON.parse(output);
  } catch (error) {
    throw failed('what it prints is not JSON', file, error);
  }
}

function hasKind(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    value.kind !== ''
  );
}

function failed(what: string, file: ManifestFile, cause?: unknown): UserError {
  return new UserError('RENDER_FAILED', { what, where: file.name, fix: FIX }, cause);
}

function missingNamed(error: unknown, file: ManifestFile): unknown {
  if (!(error instanceof UserError) || error.code !== 'RENDERER_MISSING') return error;
  return new UserError(
    'RENDERER_MISSING',
    {
      what: `${basename(file.name)} is a jsonnet file, and there is no jsonnet to evaluate it`,
      where: file.name,
      fix: 'put a jsonnet on the PATH of the plugin container, or leave the file out with directory-exclude',
    },
    error,
  );
}
