/** What a failing database calls for. */
export type Trouble =
  /** The file is not what we wrote: set it aside. */
  | 'damaged'
  /** The file is fine but cannot be used (read-only, full disk, locked for too long): go on in memory. */
  | 'unusable';

// Primary result codes, https://www.sqlite.org/rescode.html
const DAMAGED: ReadonlySet<number> = new Set([
  1, // ERROR: preparing our own statements fails only where the tables are not ours
  11, // CORRUPT
  26, // NOTADB
]);
const UNUSABLE: ReadonlySet<number> = new Set([
  3, // PERM
  5, // BUSY, after the busy timeout
  6, // LOCKED
  8, // READONLY
  10, // IOERR
  13, // FULL
  14, // CANTOPEN
  15, // PROTOCOL
  22, // NOLFS
  23, // AUTH
]);

/** Tells what an error of `node:sqlite` means; undefined for anything else, which is a bug and travels on. */
export function troubleOf(error: unknown): Trouble | undefined {
  const code = resultCode(error);
  if (code === undefined) return undefined;
  if (DAMAGED.has(code)) return 'damaged';
  return UNUSABLE.has(code) ? 'unusable' : undefined;
}

/** Whether another connection was in the way, and trying again may help. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === 5;
}

/** An error of SQLite or the file system, as opposed to a bug of ours. */
export function isSystemError(error: unknown): boolean {
  return troubleOf(error) !== undefined || (error instanceof Error && 'syscall' in error);
}

/** The reason in words, without path: `disk I/O error`, `attempt to write a readonly database`. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error && 'errstr' in error ? error.errstr : undefined;
  if (typeof text === 'string') return text;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}

/** The primary result code; extended codes carry it in their lowest byte. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
