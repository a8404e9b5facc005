import type { Database } from './database.ts';
import { numberOf, textOf } from './row.ts';
import { usageIsOutdated } from './usage.ts';

/** What nobody asked for this long is forgotten, in milliseconds: 30 days. */
const KEEP_UNUSED_MS: number = 30 * 24 * 60 * 60 * 1000;
/** Repositories whose facts are looked through at one time, so that ending a process stays quick. */
const REPOSITORIES_AT_ONCE = 50;

const CLAIM = `INSERT INTO upkeep (id, pruned_at) VALUES (1, ?1)
  ON CONFLICT (id) DO UPDATE SET pruned_at = ?1 WHERE pruned_at = ?2`;
const BY_AGE = [
  'DELETE FROM decisions WHERE used_at < ?',
  'DELETE FROM answers WHERE used_at < ?',
  'DELETE FROM received WHERE used_at < ?',
  'DELETE FROM repositories WHERE used_at < ?',
  'DELETE FROM faults WHERE at < ?',
  'DELETE FROM leases WHERE until < ?',
  'DELETE FROM pauses WHERE until < ?',
];
/** Repositories that hold facts of tags they do not list any more, the fullest first. */
const OVERFULL = `SELECT h.repository AS id, l.tags AS tags FROM heads h JOIN listings l ON l.repository = h.repository
  GROUP BY h.repository HAVING count(*) > l.count ORDER BY count(*) - l.count DESC LIMIT ?`;
const OLD_HEADS = 'SELECT tag FROM heads WHERE repository = ? AND seen_at < ?';
const DROP_HEAD = 'DELETE FROM heads WHERE repository = ? AND tag = ?';
const DROP_BUILDS = `DELETE FROM builds WHERE kept_at < ? AND NOT EXISTS
  (SELECT 1 FROM heads WHERE heads.repository = builds.repository AND heads.digest = builds.digest)`;

/** Forgets what was not used for long; at most once a day in all processes together. */
export function pruneWhenDue(database: Database, now: number): void {
  const row = database.get('SELECT pruned_at FROM upkeep');
  const last = row === undefined ? undefined : numberOf(row, 'pruned_at');
  if (last !== undefined && !usageIsOutdated(last, now)) return;
  if (database.change(CLAIM, now, last ?? null) === 0) return;
  // The first process only notes the time: nothing can be old yet.
  if (last !== undefined) prune(database, now - KEEP_UNUSED_MS);
}

function prune(database: Database, before: number): void {
  database.transaction(() => {
    for (const statement of BY_AGE) database.change(statement, before);
    for (const repository of database.all(OVERFULL, REPOSITORIES_AT_ONCE)) {
      const id = numberOf(repository, 'id');
      const listed = new Set(textOf(repository, 'tags').split('\n'));
      for (const head of database.all(OLD_HEADS, id, before)) {
        const tag = textOf(head, 'tag');
        if (!listed.has(tag)) database.change(DROP_HEAD, id, tag);
      }
    }
    database.change(DROP_BUILDS, before);
  });
}
