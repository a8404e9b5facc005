import type { Database } from './database.ts';
import { textOf } from './row.ts';
import type { OutboxStore } from './store.ts';

/** As many as there are applications in the largest installations we know of. */
const MAX_MESSAGES = 10_000;

// Row numbers grow, and one that is replaced gets a new one: they are the order in which messages came.
const SELECT = `SELECT key, value FROM documents WHERE collection = 'outbox' ORDER BY rowid LIMIT ?`;
const REPLACE = `INSERT OR REPLACE INTO documents (collection, key, value) VALUES ('outbox', ?, ?)`;
const DROP_OLDEST = `DELETE FROM documents WHERE collection = 'outbox' AND rowid <=
  (SELECT rowid FROM documents WHERE collection = 'outbox' ORDER BY rowid DESC LIMIT 1 OFFSET ?)`;
const REMOVE = `DELETE FROM documents WHERE collection = 'outbox' AND key = ? AND value = ?`;

/** Messages in SQLite, beside the documents. */
export function sqliteOutbox(database: Database): OutboxStore {
  return {
    async oldest(count) {
      return database.all(SELECT, count).map((row) => ({ key: textOf(row, 'key'), text: textOf(row, 'value') }));
    },
    async put(messages) {
      database.transaction(() => {
        for (const { key, text } of messages) database.change(REPLACE, key, text);
        database.change(DROP_OLDEST, MAX_MESSAGES);
      });
    },
    async remove(messages) {
      database.transaction(() => {
        for (const { key, text } of messages) database.change(REMOVE, key, text);
      });
    },
  };
}
