import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Notice, UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree, tooManyEntries } from '../app-root.ts';
import { MAX_TREE_ENTRIES } from '../limits.ts';
import type { DirectorySpec } from '../render-spec.ts';

/** A file that may hold manifests, with its content. */
export interface ManifestFile {
  /** Relative to the tree, for messages. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'yaml' | 'json' | 'jsonnet';
  readonly content: Buffer;
}

/** Bytes of all YAML and JSON files together: Argo CD's default for `reposerver.max.combined.directory.manifests.size`. */
const MAX_COMBINED_BYTES: number = 10_000_000;

const MANIFEST_FILE = /\.(?<kind>yaml|yml|json|jsonnet)$/;
/** Image policies stand beside the manifests and are none. */
const POLICY_FILE = '.image-resolver.yaml';
/** A file that holds it anywhere is left out, as Argo CD leaves it out. */
const SKIP_MARKER = '+argocd:skip-file-rendering';

/**
 * The files Argo CD would read as manifests, in its order: directory by directory, names sorted by their bytes.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE` for a link out of the tree, `FILE_TOO_LARGE`, `FILTER_INVALID`.
 * @see https://github.com/argoproj/argo-cd/blob/v3.2.11/reposerver/repository/repository.go `getPotentiallyValidManifests`
 */
export async function findManifestFiles(
  root: AppRoot,
  spec: DirectorySpec,
): Promise<{ readonly files: readonly ManifestFile[]; readonly notices: readonly Notice[] }> {
  const wanted = await pathFilter(spec);
  const files: ManifestFile[] = [];
  const notices: Notice[] = [];
  let combinedBytes = 0;
  for await (const { path, entry, kind } of walk(root.app, spec.recurse)) {
    const name = nameInTree(root.tree, path);
    const found = await regularFile(root, path, entry);
    if (found.kind === 'skipped') {
      if (found.why !== undefined) notices.push({ code: 'RENDER_WARNING', what: found.why, where: name });
      continue;
    }
    if (!wanted(relative(root.app, path))) continue;
    // Before it is read: a sparse file of any size costs its author nothing.
    if (found.bytes > MAX_COMBINED_BYTES) throw tooLarge(name);
    const content = await readFile(found.path);
    if (content.includes(SKIP_MARKER)) continue;
    if (kind !== 'jsonnet') combinedBytes += content.length;
    if (combinedBytes > MAX_COMBINED_BYTES) throw tooLarge(name);
    files.push({ name, path, kind, content });
  }
  return { files, notices };
}

interface Candidate {
  readonly path: string;
  readonly entry: Dirent;
  readonly kind: ManifestFile['kind'];
}

/** Every entry with a manifest's name, in the order of Go's `filepath.Walk`. Links to directories are not entered. */
async function* walk(app: string, recurse: boolean): AsyncGenerator<Candidate> {
  let entries = 0;
  const list = async (directory: string): Promise<{ directory: string; entry: Dirent }[]> => {
    const found = await readdir(directory, { withFileTypes: true });
    entries += found.length;
    if (entries > MAX_TREE_ENTRIES) throw tooManyEntries('the application directory');
    // A stack: the first name must be on top.
    return found.sort(byNameDescending).map((entry) => ({ directory, entry }));
  };
  const waiting = await list(app);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { directory, entry } = next;
    const path = join(directory, entry.name);
    const extension = MANIFEST_FILE.exec(entry.name)?.groups?.['kind'];
    if (entry.isDirectory()) {
      if (recurse && entry.name !== '.git') waiting.push(...(await list(path)));
    } else if (extension !== undefined && entry.name !== POLICY_FILE) {
      yield { path, entry, kind: extension === 'json' || extension === 'jsonnet' ? extension : 'yaml' };
    }
  }
}

function byNameDescending(a: Dirent, b: Dirent): number {
  return Buffer.compare(Buffer.from(b.name), Buffer.from(a.name));
}

type Found =
  | { readonly kind: 'regular'; readonly path: string; readonly bytes: number }
  /** `why` is absent where Argo CD says nothing either. */
  | { readonly kind: 'skipped'; readonly why?: string };

async function regularFile(root: AppRoot, path: string, entry: Dirent): Promise<Found> {
  if (!entry.isSymbolicLink() && !entry.isFile()) return { kind: 'skipped', why: 'not a regular file; left out' };
  const real = entry.isSymbolicLink() ? await followLink(root, path) : path;
  if (real === undefined) return { kind: 'skipped', why: 'the symbolic link leads nowhere; left out' };
  const found = await stat(real);
  if (!found.isFile()) return { kind: 'skipped', why: 'the symbolic link leads to no regular file; left out' };
  return { kind: 'regular', path: real, bytes: found.size };
}

async function followLink(root: AppRoot, path: string): Promise<string | undefined> {
  try {
    const name = nameInTree(root.tree, path);
    return await resolveInTree(root, name, { from: 'tree', what: name });
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  }
}

/** Patterns count from the application's directory. The glob compiler is loaded only when there is one. */
async function pathFilter(spec: DirectorySpec): Promise<(path: string) => boolean> {
  const { include = '', exclude = '' } = spec;
  if (include === '' && exclude === '') return () => true;
  const { compileGlob } = await import('./glob.ts');
  const included = include === '' ? () => true : compileGlob(include, 'parameter directory-include');
  const excluded = exclude === '' ? () => false : compileGlob(exclude, 'parameter directory-exclude');
  return (path) => !excluded(path) && included(path);
}

function tooLarge(name: string): UserError {
  return new UserError('FILE_TOO_LARGE', {
    what: `the manifest files of the directory hold more than ${MAX_COMBINED_BYTES} bytes`,
    where: name,
    fix: 'split the application, or leave files out with directory-exclude',
  });
}
