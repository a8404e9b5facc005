import { mkdtempSync, promises, readdirSync, rmSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { UserError } from '../error/user-error.ts';
import { type AppRoot, isInside, tooManyEntries } from './app-root.ts';
import { MAX_TREE_BYTES, MAX_TREE_ENTRIES } from './limits.ts';
import { startTimeOf } from './start-time.ts';

/** Where one generation may write. Nothing is created before it is asked for. */
export interface Workspace {
  /** A private, empty folder outside the tree, the same at each call. */
  temporary(): Promise<string>;
  /** A tree whose files may be changed: a private copy, or the tree itself when working in place. The same at each call. */
  editable(): Promise<AppRoot>;
  /** Removes everything that was created. May be called more than once. */
  dispose(): Promise<void>;
}

export interface WorkspaceOptions {
  readonly root: AppRoot;
  /** Edit the tree itself: right where it is a private copy already, as in argocd-cmp-server's work directory. */
  readonly inPlace: boolean;
  /** Where folders are created: `os.tmpdir()`. */
  readonly temporaryDirectory: string;
}

/** `image-resolver-<pid>-<start time>-<random>`: whoever finds it can tell whether its owner lives, although pids are used again. */
const FOLDER = /^image-resolver-(?<pid>[0-9]+)-(?<start>[0-9]+)-/;

/** A workspace for one generation; {@link Workspace.dispose} it in a `finally`. */
export function openWorkspace(options: WorkspaceOptions): Workspace {
  let folder: string | undefined;
  let copy: Promise<AppRoot> | undefined;
  const own = (): string => {
    folder ??= mkdtempSync(join(options.temporaryDirectory, prefixOfOwn()));
    return folder;
  };
  return {
    temporary: async () => own(),
    editable() {
      copy ??= options.inPlace ? Promise.resolve(options.root) : copyRoot(options.root, own());
      return copy;
    },
    async dispose() {
      // A copy under way would create files while they are removed.
      await copy?.catch(() => {});
      const created = folder;
      folder = undefined;
      copy = undefined;
      // One native call: the asynchronous one takes 8 ms for three empty folders, while somebody waits for manifests.
      if (created !== undefined) rmSync(created, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function prefixOfOwn(): string {
  return `image-resolver-${process.pid}-${startTimeOf('self') ?? '0'}-`;
}

/**
 * Removes what predecessors left that were killed: their folders, and processes still running for them (children are in
 * groups of their own, so a SIGKILL of their parent does not reach them). Safe beside running generations. Never throws: a
 * folder that cannot be removed is tried again next time.
 */
export async function sweepLeftovers(temporaryDirectory: string): Promise<void> {
  for (const name of namesIn(temporaryDirectory)) {
    const { pid, start } = FOLDER.exec(name)?.groups ?? {};
    if (pid === undefined || start === undefined || isRunning(Number(pid), start)) continue;
    const folder = join(temporaryDirectory, name);
    const found = await promises.lstat(folder).catch(() => {});
    if (found === undefined || !found.isDirectory() || found.uid !== process.getuid?.()) continue;
    await killUsersOf(folder);
    await promises.rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

function isRunning(pid: number, start: string): boolean {
  if (start !== '0') return startTimeOf(String(pid)) === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Kills processes whose environment names the folder (HOME and TMPDIR of every child are in it). Linux only. */
async function killUsersOf(folder: string): Promise<void> {
  for (const pid of namesIn('/proc').filter((entry) => /^[0-9]+$/.test(entry))) {
    const environment = await promises.readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(`=${folder}/`)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

async function copyRoot(root: AppRoot, temporary: string): Promise<AppRoot> {
  const tree = join(temporary, 'tree');
  await copyTree(root.tree, tree);
  return { tree, app: join(tree, relative(root.tree, root.app)) };
}

/** Copies files, directories and links; `.git` and what is none of them (sockets, pipes) is left out. */
async function copyTree(from: string, to: string): Promise<void> {
  const waiting = ['.'];
  let entries = 0;
  let bytes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    await promises.mkdir(join(to, next));
    for (const entry of await promises.readdir(join(from, next), { withFileTypes: true })) {
      if (++entries > MAX_TREE_ENTRIES) throw tooManyEntries('the repository');
      const path = join(next, entry.name);
      if (entry.name === '.git') continue;
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isSymbolicLink()) await copyLink(from, to, path);
      else if (entry.isFile()) {
        bytes += (await promises.lstat(join(from, path))).size;
        if (bytes > MAX_TREE_BYTES) throw tooManyBytes();
        await promises.copyFile(join(from, path), join(to, path));
      }
    }
  }
}

/** A link stays a link. An absolute one into the tree points into the copy, or edits would go through it to the original. */
async function copyLink(from: string, to: string, path: string): Promise<void> {
  const target = await promises.readlink(join(from, path));
  const moved = isAbsolute(target) && isInside(from, target) ? join(to, relative(from, target)) : target;
  await promises.symlink(moved, join(to, path));
}

function tooManyBytes(): UserError {
  return new UserError('FILE_TOO_LARGE', {
    what: `the repository holds more than ${MAX_TREE_BYTES} bytes and would have to be copied`,
    where: 'the repository',
    fix: 'run generate --in-place on a checkout that may be changed',
  });
}
