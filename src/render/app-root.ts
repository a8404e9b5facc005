import { existsSync, lstatSync, promises, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, parse, relative, resolve, sep } from 'node:path';
import { UserError } from '../error/user-error.ts';
import { MAX_LINKS, MAX_PATH_LENGTH, MAX_TREE_ENTRIES } from './limits.ts';

/** The application's directory and the tree it may read. Both are real paths (no links in them), `app` is inside `tree`. */
export interface AppRoot {
  /** What Argo CD checked out: no path that a tenant writes may leave it. */
  readonly tree: string;
  /** The application's own directory. */
  readonly app: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Where the tree begins: argocd-cmp-server's work directory `…/_cmp_server/<uuid>` when `cwd` is below one, else the
 * enclosing Git top level, else `cwd` itself. `ARGOCD_APP_SOURCE_PATH` is not asked: with manifest-generate-paths it counts
 * from another root (https://github.com/argoproj/argo-cd/issues/29657).
 *
 * @param options.treeHint a tree that a person named; it must hold `cwd`.
 * @throws {UserError} `FILE_MISSING` when a directory is not there, `PATH_OUTSIDE_TREE` when the hint does not hold `cwd`.
 */
export function findAppRoot(cwd: string, options: { readonly treeHint?: string } = {}): AppRoot {
  const app = realDirectory(cwd);
  if (options.treeHint === undefined) return { tree: cmpWorkDirectory(app) ?? gitTopLevel(app) ?? app, app };
  const tree = realDirectory(options.treeHint);
  if (!isInside(tree, app)) throw outside(options.treeHint, 'the tree given does not hold the application directory');
  return { tree, app };
}

/** True when `path` is `directory` or below it; both absolute and normalised. */
export function isInside(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

/** How messages name a path: relative to the tree, so that equal faults give equal text. */
export function nameInTree(tree: string, path: string): string {
  return relative(tree, path) || '.';
}

/**
 * The real path of something in the tree. This is the one way from a written path to a file: every parameter and every
 * path in a tenant's file comes through here.
 *
 * `..` is taken out first as Go's `filepath.Join` does, then each link on the way is followed by hand, so nothing outside
 * the tree is ever touched and an answer tells nothing about what exists there. It looks synchronously: the calls take
 * microseconds, and going through the thread pool would take a hundred times that, before the renderer starts.
 *
 * @param options.from where a relative path starts. A leading `/` means the tree, as in Argo CD.
 * @param options.what the parameter, or file and field, that holds the path; for the error.
 * @throws {UserError} `PATH_OUTSIDE_TREE`, `FILE_MISSING`, or `PARAMETER_INVALID` for what can be no path.
 */
export async function resolveInTree(
  root: AppRoot,
  path: string,
  options: { readonly from: 'app' | 'tree' | { readonly directory: string }; readonly what: string },
): Promise<string> {
  if (path.includes('\0') || path.length > MAX_PATH_LENGTH) {
    throw new UserError('PARAMETER_INVALID', {
      what: path.includes('\0') ? 'a path holds a NUL byte' : `a path is longer than ${MAX_PATH_LENGTH} characters`,
      where: options.what,
      fix: 'write a relative path of a file in the repository',
    });
  }
  const lexical = path.startsWith('/') ? resolve(root.tree, `.${path}`) : resolve(startOf(root, options.from), path);
  const found = follow(root.tree, lexical);
  switch (found.kind) {
    case 'found':
      return found.path;
    case 'outside':
      throw outside(options.what, `the path ${JSON.stringify(path)} leads out of the repository`);
    case 'missing':
      throw new UserError('FILE_MISSING', {
        what: `${JSON.stringify(path)} is not in the repository`,
        where: options.what,
        fix: `create ${nameInTree(root.tree, lexical)}, or correct the path`,
      });
    case 'loop':
      throw new UserError('FILE_MISSING', {
        what: `${JSON.stringify(path)} goes over more than ${MAX_LINKS} symbolic links`,
        where: options.what,
        fix: 'remove the loop of links',
      });
    default:
      return found satisfies never;
  }
}

/**
 * Refuses a symbolic link at or below `directory` that leads out of the tree: helm and kustomize follow links by
 * themselves. `.git` is not looked at. Links that lead nowhere within the tree are harmless.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE` naming the first such link; `FILE_TOO_LARGE` above the limit of entries.
 */
export async function scanLinks(directory: string, tree: string): Promise<void> {
  const waiting = [directory];
  let entries = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of await promises.readdir(next, { withFileTypes: true })) {
      if (++entries > MAX_TREE_ENTRIES) throw tooManyEntries(nameInTree(tree, directory));
      const path = join(next, entry.name);
      if (entry.isDirectory() && entry.name !== '.git') waiting.push(path);
      if (!entry.isSymbolicLink()) continue;
      const found = follow(tree, path);
      if (found.kind === 'outside')
        throw outside(nameInTree(tree, path), 'a symbolic link leads out of the repository');
    }
  }
}

/** The error for a tree with more entries than one may have. */
export function tooManyEntries(where: string): UserError {
  return new UserError('FILE_TOO_LARGE', {
    what: `the directory holds more than ${MAX_TREE_ENTRIES} files`,
    where,
    fix: 'move the application to a smaller repository, or narrow what Argo CD sends with manifest-generate-paths',
  });
}

type Followed = { readonly kind: 'found'; readonly path: string } | { readonly kind: 'missing' | 'outside' | 'loop' };

/** Follows every link of an absolute, normalised path, never stepping out of the tree. */
function follow(tree: string, path: string): Followed {
  if (!isInside(tree, path)) return { kind: 'outside' };
  let links = 0;
  let at = tree;
  const rest = partsOf(relative(tree, path)).reverse();
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    at = part === '..' ? dirname(at) : join(at, part);
    if (!isInside(tree, at)) return { kind: 'outside' };
    const target = linkTarget(at);
    if (target === 'missing') return { kind: rest.some((later) => later === '..') ? 'outside' : 'missing' };
    if (target === 'no link') continue;
    if (++links > MAX_LINKS) return { kind: 'loop' };
    if (target.path.startsWith(sep)) {
      if (!isInside(tree, resolve(target.path))) return { kind: 'outside' };
      at = tree;
      rest.push(...partsOf(relative(tree, resolve(target.path))).reverse());
    } else {
      at = dirname(at);
      rest.push(...partsOf(target.path).reverse());
    }
  }
  return { kind: 'found', path: at };
}

function partsOf(path: string): string[] {
  return path.split(sep).filter((part) => part !== '' && part !== '.');
}

function linkTarget(path: string): 'missing' | 'no link' | { readonly path: string } {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 'missing';
    return found.isSymbolicLink() ? { path: readlinkSync(path) } : 'no link';
  } catch (error) {
    if (hasCode(error, 'ENOTDIR', 'ENAMETOOLONG')) return 'missing';
    throw error;
  }
}

function startOf(root: AppRoot, from: 'app' | 'tree' | { readonly directory: string }): string {
  if (from === 'app') return root.app;
  return from === 'tree' ? root.tree : from.directory;
}

function cmpWorkDirectory(app: string): string | undefined {
  const parts = app.split(sep);
  // The outermost one: a directory of that name inside a repository must not narrow the tree.
  const at = parts.findIndex((part, index) => part === '_cmp_server' && UUID.test(parts[index + 1] ?? ''));
  return at === -1 ? undefined : parts.slice(0, at + 2).join(sep);
}

function gitTopLevel(app: string): string | undefined {
  for (let at = app; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (at === parse(at).root) return undefined;
  }
}

function realDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new UserError(
      'FILE_MISSING',
      { what: 'the directory is not there', where: path, fix: 'name the directory of the application' },
      error,
    );
  }
}

function outside(where: string, what: string): UserError {
  return new UserError('PATH_OUTSIDE_TREE', {
    what,
    where,
    fix: 'keep everything the application needs inside its own repository',
  });
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
