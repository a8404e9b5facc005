import type { Database } from './database.ts';
import { holds } from './freshness.ts';
import { numberOf } from './row.ts';
import type { PauseStore } from './store.ts';

const SELECT = 'SELECT since, until FROM pauses WHERE key = ?';
const REPLACE =
  'INSERT INTO pauses (key, since, until) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET since = excluded.since, until = excluded.until';

/** Pauses in SQLite, so that all processes of a container leave a registry alone together. */
export function sqlitePauses(database: Database, now: () => number): PauseStore {
  return {
    pausedUntil(key) {
      const row = database.get(SELECT, key);
      if (row === undefined) return undefined;
      const until = numberOf(row, 'until');
      return holds(numberOf(row, 'since'), until, now()) ? until : undefined;
    },
    pause(key, until) {
      database.change(REPLACE, key, now(), until);
    },
  };
}
