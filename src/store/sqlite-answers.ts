import type { Digest, Tag } from '../image/reference.ts';
import type { AccessScope } from '../registry/access.ts';
import type { Database, Row } from './database.ts';
import { numberOf, optionalText, textOf } from './row.ts';
import type { Answer, AnswerStore, DecisionKey } from './store.ts';
import { usageIsOutdated } from './usage.ts';

const SELECT = 'SELECT * FROM answers WHERE application = ?';
const TOUCH = 'UPDATE answers SET used_at = ? WHERE application = ?';
const REPLACE = `INSERT INTO answers (application, image, scope, key, tag, digest, moved_at, confirmed_at, used_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (application, image) DO UPDATE SET scope = excluded.scope, key = excluded.key,
  tag = excluded.tag, digest = excluded.digest, moved_at = excluded.moved_at, confirmed_at = excluded.confirmed_at,
  used_at = excluded.used_at`;

/** Answers in SQLite. */
export function sqliteAnswers(database: Database, now: () => number): AnswerStore {
  return {
    async last(application) {
      const rows = database.all(SELECT, application);
      if (rows.some((row) => usageIsOutdated(numberOf(row, 'used_at'), now()))) {
        database.change(TOUCH, now(), application);
      }
      return new Map(rows.map((row) => [textOf(row, 'image'), answerOf(row)]));
    },
    async record(application, answers) {
      if (answers.length === 0) return;
      database.transaction(() => {
        for (const { image, scope, key, decision } of answers) {
          database.change(
            REPLACE,
            application,
            image,
            scope,
            key,
            decision.tag,
            decision.digest ?? null,
            decision.movedAt,
            decision.confirmedAt,
            now(),
          );
        }
      });
    },
  };
}

function answerOf(row: Row): Answer {
  const digest = optionalText(row, 'digest');
  return {
    image: textOf(row, 'image'),
    scope: textOf(row, 'scope') as AccessScope,
    key: textOf(row, 'key') as DecisionKey,
    decision: {
      tag: textOf(row, 'tag') as Tag,
      ...(digest === undefined ? {} : { digest: digest as Digest }),
      movedAt: numberOf(row, 'moved_at'),
      confirmedAt: numberOf(row, 'confirmed_at'),
    },
  };
}
