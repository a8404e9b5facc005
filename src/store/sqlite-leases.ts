import type { Database } from './database.ts';
import { isGone } from './holder.ts';
import { textOf } from './row.ts';
import type { LeaseStore } from './store.ts';

// Taken when free, when it has run out, or when it begins in the future (by more than clocks are slewed): then a clock was wrong, and waiting for it could
// take as long as the clock jumped.
const ACQUIRE = `INSERT INTO leases (name, owner, since, until) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (name) DO UPDATE SET owner = ?2, since = ?3, until = ?4 WHERE until <= ?3 OR since > ?3 + 1000`;
const HELD = 'SELECT owner FROM leases WHERE name = ?';
const TAKE_OVER = 'UPDATE leases SET owner = ?, since = ?, until = ? WHERE name = ? AND owner = ?';
const EXTEND = 'UPDATE leases SET since = ?, until = ? WHERE name = ? AND owner = ?';
const RELEASE = 'DELETE FROM leases WHERE name = ? AND owner = ?';

/**
 * Leases in SQLite. One that its holder could not release (SIGKILL) is taken at once where it can be told that the holder is
 * gone, else after its time.
 */
export function sqliteLeases(database: Database, now: () => number, owner: () => string): LeaseStore {
  return {
    async acquire(name, ttlMs) {
      const me = owner();
      const until = now() + ttlMs;
      if (database.change(ACQUIRE, name, me, now(), until) === 0) {
        const held = database.get(HELD, name);
        if (held === undefined) return undefined;
        const holder = textOf(held, 'owner');
        if (!isGone(holder) || database.change(TAKE_OVER, me, now(), until, name, holder) === 0) return undefined;
      }
      return {
        extend: async () => database.change(EXTEND, now(), now() + ttlMs, name, me) === 1,
        release: async () => {
          database.change(RELEASE, name, me);
        },
      };
    },
  };
}
