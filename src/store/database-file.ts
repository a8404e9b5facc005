import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

// Every damaged store gets a successor with a higher number instead of a file of the same name. So processes that still
// have the damaged one open can never mix its pages with the write-ahead log of the new one, and no lock is needed: who
// finds generation n damaged opens n + 1, whoever creates it first. Setting the old one aside is only tidying.
const CURRENT = /^store-([0-9]{1,9})\.sqlite$/;
const DAMAGED = /^store\.damaged-([0-9]{1,9})(-wal|-shm)?$/;

/** Damaged stores that are kept for someone to look at. */
const DAMAGED_KEPT = 3;

/** The file of a generation. */
export function generationPath(directory: string, generation: number): string {
  return join(directory, `store-${generation}.sqlite`);
}

/**
 * The generation to use: the newest there is; after a damaged one and without successor, the next.
 *
 * @throws the file system's error when the directory cannot be read.
 */
export function newestGeneration(directory: string): { readonly generation: number; readonly isThere: boolean } {
  let newest = 0;
  let damaged = 0;
  for (const name of readdirSync(directory)) {
    newest = Math.max(newest, Number(CURRENT.exec(name)?.[1] ?? 0));
    damaged = Math.max(damaged, Number(DAMAGED.exec(name)?.[1] ?? 0));
  }
  const isThere = newest > damaged;
  return { generation: isThere ? newest : damaged + 1, isThere };
}

/** Makes an empty file that only the user may read; SQLite gives its companions the same rights. */
export function makeFile(path: string): void {
  // An existing file is not opened: closing it would end the locks of other connections of this process
  // (https://www.sqlite.org/howtocorrupt.html, 2.2).
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Renames a damaged generation to `store.damaged-<n>` and drops those too old to keep. Failing is harmless. */
export function setAside(directory: string, generation: number): void {
  for (const suffix of ['', '-wal', '-shm']) {
    quietly(() =>
      renameSync(
        `${generationPath(directory, generation)}${suffix}`,
        join(directory, `store.damaged-${generation}${suffix}`),
      ),
    );
  }
  quietly(() => {
    for (const name of readdirSync(directory)) {
      const number = DAMAGED.exec(name)?.[1];
      if (number !== undefined && Number(number) <= generation - DAMAGED_KEPT)
        rmSync(join(directory, name), { force: true });
    }
  });
}

/** Another process may have done the same a moment ago, and a full or read-only disk does not allow it. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
