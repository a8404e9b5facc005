import type { Database } from './database.ts';
import { textOf } from './row.ts';
import type { DocumentStore } from './store.ts';

const SELECT = 'SELECT key, value FROM documents WHERE collection = ?';
const REPLACE = `INSERT INTO documents (collection, key, value) VALUES (?, ?, ?)
  ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value`;
const REMOVE = 'DELETE FROM documents WHERE collection = ? AND key = ?';

/** One collection of documents in SQLite. */
export function sqliteDocuments<T>(
  database: Database,
  collection: string,
  read: (value: unknown) => T | undefined,
): DocumentStore<T> {
  return {
    async all() {
      const found = new Map<string, T>();
      for (const row of database.all(SELECT, collection)) {
        const key = textOf(row, 'key');
        const value = read(JSON.parse(textOf(row, 'value')));
        if (value === undefined) database.change(REMOVE, collection, key);
        else found.set(key, value);
      }
      return found;
    },
    async put(key, value) {
      database.change(REPLACE, collection, key, JSON.stringify(value));
    },
    async remove(key) {
      database.change(REMOVE, collection, key);
    },
  };
}
