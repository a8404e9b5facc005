import type { Database } from './database.ts';
import { numberOf, textOf } from './row.ts';
import { usageIsOutdated } from './usage.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** What nobody asked for this long is forgotten, in milliseconds. */
const KEEP_UNUSED_MS: number = 30 * DAY_MS;
/** The longest between two times of pruning that is believed, in milliseconds: after a longer one the clock may have jumped. */
const LONGEST_GAP_MS: number = 7 * DAY_MS;
/** Rows of one table that go at one time, and repositories, which take many with them. */
const ROWS_AT_ONCE = 1_000;
const REPOSITORIES_AT_ONCE = 20;
/** Repositories whose facts are looked through at one time. */
const LOOKED_THROUGH = 50;

const NOTE = 'INSERT INTO upkeep (id, pruned_at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET pruned_at = ?1';
const BY_AGE = [
  oldest('decisions', 'used_at', ROWS_AT_ONCE),
  oldest('answers', 'used_at', ROWS_AT_ONCE),
  oldest('received', 'used_at', ROWS_AT_ONCE),
  oldest('repositories', 'used_at', REPOSITORIES_AT_ONCE),
  oldest('faults', 'at', ROWS_AT_ONCE),
  oldest('leases', 'until', ROWS_AT_ONCE),
  oldest('pauses', 'until', ROWS_AT_ONCE),
];
const USE_NOW = ['decisions', 'answers', 'received', 'repositories'].map((table) => `UPDATE ${table} SET used_at = ?`);
// At random, so that in the course of time all are, and nothing is to be remembered.
const SOME_LISTINGS = 'SELECT repository, tags FROM listings ORDER BY random() LIMIT ?';
const OLD_HEADS = 'SELECT tag FROM heads WHERE repository = ? AND seen_at < ?';
const DROP_HEAD = 'DELETE FROM heads WHERE repository = ? AND tag = ?';
const DROP_BUILDS = `DELETE FROM builds WHERE repository = ?1 AND kept_at < ?2
  AND digest NOT IN (SELECT digest FROM heads WHERE repository = ?1)`;

/**
 * Forgets what was not used for long; at most once a day in all processes together, and so little at a time that ending a
 * process stays quick and others get their turn.
 *
 * @returns whether more is left: it is still due then.
 */
export function pruneWhenDue(database: Database, now: number): boolean {
  // Looked at before it is locked, because it hardly ever is due; and again after.
  if (!isDue(prunedAt(database), now)) return false;
  return database.transaction(() => {
    const last = prunedAt(database);
    if (!isDue(last, now)) return false;
    if (last === undefined || last > now || now - last > LONGEST_GAP_MS) beginAnew(database, now);
    else if (prune(database, now - KEEP_UNUSED_MS)) return true;
    database.change(NOTE, now);
    return false;
  });
}

function isDue(last: number | undefined, now: number): boolean {
  return last === undefined || usageIsOutdated(last, now);
}

function prunedAt(database: Database): number | undefined {
  const row = database.get('SELECT pruned_at FROM upkeep');
  return row === undefined ? undefined : numberOf(row, 'pruned_at');
}

/** The clock is another than before, or nobody was here for long: how old anything is cannot be told, so it ages from now. */
function beginAnew(database: Database, now: number): void {
  for (const statement of USE_NOW) database.change(statement, now);
}

/** @returns whether more is left. */
function prune(database: Database, before: number): boolean {
  let isMore = false;
  for (const { statement, limit } of BY_AGE) {
    if (database.change(statement, before, limit) === limit) isMore = true;
  }
  if (!isMore) pruneFacts(database, before);
  return isMore;
}

/** Drops facts of tags that are not listed any more. */
function pruneFacts(database: Database, before: number): void {
  for (const listing of database.all(SOME_LISTINGS, LOOKED_THROUGH)) {
    const repository = numberOf(listing, 'repository');
    const listed = new Set(textOf(listing, 'tags').split('\n'));
    for (const head of database.all(OLD_HEADS, repository, before)) {
      const tag = textOf(head, 'tag');
      if (!listed.has(tag)) database.change(DROP_HEAD, repository, tag);
    }
    database.change(DROP_BUILDS, repository, before);
  }
}

function oldest(table: string, column: string, limit: number): { readonly statement: string; readonly limit: number } {
  const statement = `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${column} < ? LIMIT ?)`;
  return { statement, limit };
}
