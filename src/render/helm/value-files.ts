import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree } from '../app-root.ts';
import type { HelmSpec, RenderingPolicy } from '../render-spec.ts';

/** A value file as helm is given it. */
export type ValueFile =
  | { readonly kind: 'file'; /** Absolute, inside the tree. */ readonly path: string }
  | { readonly kind: 'url'; readonly path: string };

const VALUE_FILES = 'parameter helm-value-files';

/** As Go's `url.Parse` finds one: what has a scheme is no path to Argo CD. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/**
 * The value files in the order Argo CD gives them to helm. Relative paths count from the chart, a leading `/` is the tree. A
 * pattern is replaced by its matches; a file that is also named by itself keeps its own place, and none comes twice.
 *
 * @throws {UserError} `FILE_MISSING`, `PATH_OUTSIDE_TREE`, `SOURCE_REFUSED`, `NATIVE_FEATURE_UNAVAILABLE`, `PARAMETER_INVALID`.
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#values-files
 */
export async function resolveValueFiles(
  root: AppRoot,
  spec: Pick<HelmSpec, 'valueFiles' | 'ignoreMissingValueFiles'>,
  policy: RenderingPolicy,
): Promise<readonly ValueFile[]> {
  const entries: (readonly [written: string, found: ValueFile | 'glob' | undefined])[] = [];
  for (const written of spec.valueFiles) {
    const found = isGlob(written)
      ? 'glob'
      : await resolveOne(root, { written, where: VALUE_FILES, policy, optional: spec.ignoreMissingValueFiles });
    entries.push([written, found]);
  }
  const explicit = new Set(entries.flatMap(([, found]) => (typeof found === 'object' ? [found.path] : [])));
  const files = new Map<string, ValueFile>();
  for (const [written, found] of entries) {
    if (found === undefined) continue;
    const matches = found === 'glob' ? await matchesOf(root, written, spec.ignoreMissingValueFiles) : [found];
    for (const file of matches) {
      const takesItsPlace = found === 'glob' ? !explicit.has(file.path) : true;
      if (takesItsPlace && !files.has(file.path)) files.set(file.path, file);
    }
  }
  return [...files.values()];
}

/**
 * The files of `--set-file` parameters, under Argo CD's rules for value files, patterns excepted.
 *
 * @throws {UserError} as {@link resolveValueFiles}; `PARAMETER_INVALID` for a name that would make helm read another file.
 */
export async function resolveFileParameters(
  root: AppRoot,
  parameters: HelmSpec['fileParameters'],
  policy: RenderingPolicy,
): Promise<Readonly<Record<string, string>>> {
  const resolved: [string, string][] = [];
  for (const [name, written] of Object.entries(parameters)) {
    const where = `parameter helm-file-parameters.${name}`;
    // helm reads `a=/etc/passwd,b` as a name with a path and the next name.
    if (name === '' || /[=,{}]/.test(name.replaceAll(/\\[^]/g, ''))) {
      throw new UserError('PARAMETER_INVALID', {
        what: 'the name of a file parameter is empty or holds one of = , { }',
        where,
        fix: 'name one value, such as web.config',
      });
    }
    const file = await resolveOne(root, { written, where, policy, optional: false });
    if (file !== undefined) resolved.push([name, file.path]);
  }
  return Object.fromEntries(resolved);
}

function isGlob(written: string): boolean {
  return /[*?[]/.test(written) && !SCHEME.test(written) && !written.startsWith('$');
}

interface OneFile {
  readonly written: string;
  readonly where: string;
  readonly policy: RenderingPolicy;
  readonly optional: boolean;
}

async function resolveOne(root: AppRoot, file: OneFile): Promise<ValueFile | undefined> {
  const { written, where } = file;
  if (written.startsWith('$')) {
    throw new UserError('NATIVE_FEATURE_UNAVAILABLE', {
      what: `${JSON.stringify(written)} is a file of another source, which Argo CD does not hand to a plugin`,
      where,
      fix: 'keep the file in the repository of the chart, or write its content into helm-values',
    });
  }
  if (SCHEME.test(written)) return { kind: 'url', path: await admitUrl(file) };
  try {
    return { kind: 'file', path: await resolveInTree(root, written, { from: 'app', what: where }) };
  } catch (error) {
    if (file.optional && error instanceof UserError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  }
}

async function admitUrl({ written, where, policy }: OneFile): Promise<string> {
  const { checkRemote } = await import('../remote-source.ts');
  const checked = checkRemote(written, policy);
  if (checked.kind === 'remote-allowed' && /^https:/i.test(written)) return written;
  throw new UserError('SOURCE_REFUSED', {
    what: `values may not be loaded from there: ${checked.kind === 'refused' ? checked.why : 'only https is allowed'}`,
    where,
    fix: 'keep the file in the repository of the chart, or ask the operator to allow its host in rendering.remoteSources',
  });
}

async function matchesOf(root: AppRoot, pattern: string, optional: boolean): Promise<readonly ValueFile[]> {
  const { expandGlob } = await import('./value-file-glob.ts');
  const paths = await expandGlob(root, pattern, VALUE_FILES);
  if (paths.length === 0 && !optional) {
    throw new UserError('FILE_MISSING', {
      what: `no file matches ${JSON.stringify(pattern)}`,
      where: `${VALUE_FILES}, from ${nameInTree(root.tree, root.app)}`,
      fix: 'correct the pattern, or set helm-ignore-missing-value-files to true',
    });
  }
  return paths.map((path) => ({ kind: 'file', path }));
}
