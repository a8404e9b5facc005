// Moves what is in the write-ahead log of a database into its file, again and again. Its own small file in the bundle.

import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { workerData } from 'node:worker_threads';
import { isSystemError } from './sqlite-error.ts';

export interface CheckpointTask {
  /** Of the database. */
  readonly path: string;
  readonly everyMs: number;
}

const { path, everyMs } = workerData as CheckpointTask;
const existing = pathToFileURL(path);
// Set aside meanwhile, it must not begin a second one of its name.
existing.searchParams.set('mode', 'rw');
const database = new DatabaseSync(existing);

setInterval(() => {
  try {
    // Waits for nobody, and nobody for it.
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch (error) {
    // A full disk may have room again.
    if (!isSystemError(error)) throw error;
  }
}, everyMs);
