import type { Database } from './database.ts';
import { numberOf, textOf } from './row.ts';
import type { ReceivedAnswer, ReceivedAnswerStore } from './store.ts';
import { usageIsOutdated } from './usage.ts';

const SELECT = 'SELECT question, answer, received_at, used_at FROM received WHERE application = ?';
const TOUCH = 'UPDATE received SET used_at = ? WHERE application = ? AND question = ?';
const REPLACE = `INSERT INTO received (application, question, answer, received_at, used_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (application, question) DO UPDATE SET answer = excluded.answer, received_at = excluded.received_at,
  used_at = excluded.used_at`;

/** Received answers in SQLite. */
export function sqliteReceived(database: Database, now: () => number): ReceivedAnswerStore {
  return {
    async get(application, questions) {
      const wanted = new Set(questions);
      const found = new Map<string, ReceivedAnswer>();
      for (const row of database.all(SELECT, application)) {
        const question = textOf(row, 'question');
        if (!wanted.has(question)) continue;
        if (usageIsOutdated(numberOf(row, 'used_at'), now())) database.change(TOUCH, now(), application, question);
        found.set(question, { answer: textOf(row, 'answer'), receivedAt: numberOf(row, 'received_at') });
      }
      return found;
    },
    async put(application, answers) {
      if (answers.size === 0) return;
      database.transaction(() => {
        for (const [question, { answer, receivedAt }] of answers) {
          database.change(REPLACE, application, question, answer, receivedAt, now());
        }
      });
    },
  };
}
