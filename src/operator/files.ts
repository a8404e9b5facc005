import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** What reading an operator's file gives. */
export type FileRead =
  | {
      readonly kind: 'read';
      readonly text: string;
      /** As of before reading; see {@link FilePorts.stamp}. */ readonly stamp: string;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; /** A clause without the path: "is a directory". */ readonly problem: string };

/** The operator's files. Everything is synchronous: they are few, small and local, and a generation waits for them anyway. */
export interface FilePorts {
  /** Changes when the file does: device, inode, size, times. Links are followed, so a renewed Secret volume shows. Undefined: no such file. */
  stamp(path: string): string | undefined;
  read(path: string): FileRead;
  /** As {@link read}, but `missing` when somebody else could have written the file. */
  readPrivate(path: string): FileRead;
  /** Puts a file in place at once, readable by this user alone. False when that cannot be done (read-only, full, another process is at it). */
  replacePrivate(path: string, text: string): boolean;
}

/** A Kubernetes Secret or ConfigMap holds at most 1 MiB. */
export const MAX_FILE_BYTES: number = 1024 * 1024;

/** The file system. */
export const systemFiles: FilePorts = {
  stamp(path) {
    try {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false });
      return found && stampOf(found);
    } catch {
      return undefined;
    }
  },
  read: (path) => readFrom(path, () => true),
  readPrivate: (path) =>
    readFrom(path, ({ uid, mode }) => uid === BigInt(process.geteuid?.() ?? -1) && (mode & 0o022n) === 0n),
  replacePrivate,
};

/** Makes the directory, open to the user alone. One that is there keeps its rights: the operator made it. */
export function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  // Not `recursive`: below a folder that takes no entries, as /proc, Node tries that for ever.
  const parent = dirname(directory);
  if (parent !== directory) makeDirectory(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly uid: bigint;
  readonly mode: bigint;
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: Stats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].map((part) => part.toString(36)).join('.');
}

function readFrom(path: string, accept: (stats: Stats) => boolean): FileRead {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const stats = fstatSync(descriptor, { bigint: true });
    if (!accept(stats)) return { kind: 'missing' };
    if (stats.size > MAX_FILE_BYTES) return { kind: 'unreadable', problem: 'is larger than 1 MiB' };
    return { kind: 'read', text: readFileSync(descriptor, 'utf8'), stamp: stampOf(stats) };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'unreadable', problem: READ_PROBLEMS[code] ?? `cannot be read (${code})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

const READ_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
  ELOOP: 'is a link to itself',
};

/** A writer that was killed left its file; a minute is far longer than any writer takes. */
const ABANDONED_AFTER_MS = 60_000;

function replacePrivate(path: string, text: string): boolean {
  // One name for all writers, so that at most one file can be left behind; `wx` lets one of them in.
  const unfinished = `${path}.new`;
  try {
    const left = statSync(unfinished, { throwIfNoEntry: false });
    if (left && Date.now() - left.mtimeMs > ABANDONED_AFTER_MS) rmSync(unfinished, { force: true });
    writeFileSync(unfinished, text, { flag: 'wx', mode: 0o600 });
  } catch {
    return false;
  }
  try {
    renameSync(unfinished, path);
    return true;
  } catch {
    rmSync(unfinished, { force: true });
    return false;
  }
}
