import type { Fault } from '../registry/sources.ts';
import type { Database } from './database.ts';
import { numberOf, textOf } from './row.ts';
import type { FaultStore } from './store.ts';

const NAMES = 'SELECT name FROM faults';
const SELECT = 'SELECT at, fault FROM faults WHERE name = ?';
const REPLACE =
  'INSERT INTO faults (name, at, fault) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at, fault = excluded.fault';
const DELETE = 'DELETE FROM faults WHERE name = ?';

/** Faults in SQLite. */
export function sqliteFaults(database: Database): FaultStore {
  return {
    async names() {
      return database.all(NAMES).map((row) => textOf(row, 'name'));
    },
    async get(name) {
      const row = database.get(SELECT, name);
      return row === undefined
        ? undefined
        : { at: numberOf(row, 'at'), fault: JSON.parse(textOf(row, 'fault')) as Fault };
    },
    async put(name, { at, fault }) {
      database.change(REPLACE, name, at, JSON.stringify(fault));
    },
    async clear(name) {
      // Reading first: there hardly ever is one, and a write is dearer.
      if (database.get(SELECT, name) !== undefined) database.change(DELETE, name);
    },
  };
}
