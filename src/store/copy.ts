import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { TABLES } from './schema.ts';
import { isSystemError } from './sqlite-error.ts';

// Rows from one database to another. The tables are equal, since the schema versions are.

/** Copies every row that can be read; false: some could not. */
export function copyReadable(from: DatabaseSync, to: DatabaseSync): boolean {
  let isWhole = true;
  for (const table of TABLES) {
    try {
      insertAll(from, to, table, 'INSERT OR IGNORE');
    } catch (error) {
      if (!isSystemError(error)) throw error;
      isWhole = false;
    }
  }
  return isWhole;
}

/** Makes `to` what `from` is, all or nothing. */
export function replaceAll(from: DatabaseSync, to: DatabaseSync): void {
  atOnce(to, () => {
    for (const table of TABLES.toReversed()) to.exec(`DELETE FROM ${table}`);
    for (const table of TABLES) insertAll(from, to, table, 'INSERT');
  });
}

/**
 * What is taken over from one that never held what is there. Listings and facts are not: they hang on numbers that stand for
 * other repositories there, and cost only requests. Leases are nobody's any more.
 */
const MERGED: readonly string[] = ['answers', 'faults', 'pauses', 'received', 'documents'];

// Versions as neither of the two gave out, so that nobody replaces a decision by a version that meant another one.
const SUPERSEDE = 'UPDATE decisions SET version = max(version, ?1) + 1 WHERE key = ?2';
// The one that moved last wins; what moved in the future was moved by a wrong clock.
const ADOPT = `INSERT INTO decisions
  (key, version, tag, digest, moved_at, confirmed_at, created_ms, missing_since, missing_times, used_at)
  VALUES (:key, :version, :tag, :digest, :moved_at, :confirmed_at, :created_ms, :missing_since, :missing_times, :used_at)
  ON CONFLICT (key) DO UPDATE SET tag = excluded.tag, digest = excluded.digest, moved_at = excluded.moved_at,
  confirmed_at = excluded.confirmed_at, created_ms = excluded.created_ms, missing_since = excluded.missing_since,
  missing_times = excluded.missing_times, used_at = excluded.used_at
  WHERE excluded.moved_at >= decisions.moved_at OR decisions.moved_at > :now`;

/**
 * Adds what `from` holds to `to`, all or nothing, and removes nothing there.
 *
 * @param now milliseconds since the epoch.
 */
export function merge(from: DatabaseSync, to: DatabaseSync, now: number): void {
  atOnce(to, () => {
    const supersede = to.prepare(SUPERSEDE);
    const adopt = to.prepare(ADOPT);
    for (const row of from.prepare('SELECT * FROM decisions').iterate()) {
      supersede.run(row['version'] ?? null, row['key'] ?? null);
      adopt.run({ ...row, now });
    }
    for (const table of MERGED) insertAll(from, to, table, 'INSERT OR REPLACE');
  });
}

function atOnce(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

type Verb = 'INSERT' | 'INSERT OR IGNORE' | 'INSERT OR REPLACE';

function insertAll(from: DatabaseSync, to: DatabaseSync, table: string, verb: Verb): void {
  let insert: StatementSync | undefined;
  for (const row of from.prepare(`SELECT * FROM ${table}`).iterate()) {
    const values = Object.values(row);
    insert ??= to.prepare(`${verb} INTO ${table} VALUES (${values.map(() => '?').join(', ')})`);
    insert.run(...values);
  }
}
