import type { Database } from './database.ts';
import { numberOf } from './row.ts';
import type { ListingKey } from './store.ts';
import { usageIsOutdated } from './usage.ts';

const SELECT = 'SELECT id, used_at FROM repositories WHERE key = ?';
const TOUCH = 'UPDATE repositories SET used_at = ? WHERE key = ?';
const INSERT = 'INSERT INTO repositories (key, used_at) VALUES (?, ?) RETURNING id';

/** The number that listings and facts of a listing key are kept under, as part of a statement with the key as parameter. */
export const REPOSITORY_OF_KEY = '(SELECT id FROM repositories WHERE key = ?)';

/**
 * The same number where it is written to, made when there is none. Call it inside the transaction that uses it, and
 * remember it no longer: after the store was begun anew it may belong to somebody else.
 */
export function repositoryNumber(database: Database, key: ListingKey, now: number): number {
  const known = database.get(SELECT, key);
  if (known === undefined) {
    const made = database.get(INSERT, key, now);
    if (made === undefined) throw new Error('a repository got no number');
    return numberOf(made, 'id');
  }
  // Whatever is in use is written to at every renewal, so looking here is enough.
  if (usageIsOutdated(numberOf(known, 'used_at'), now)) database.change(TOUCH, now, key);
  return numberOf(known, 'id');
}

/** Notes that something is in use that is written to without its number. @param usedAt when that was noted last. */
export function touchRepository(database: Database, key: ListingKey, usedAt: number, now: number): void {
  if (usageIsOutdated(usedAt, now)) database.change(TOUCH, now, key);
}
