import type { Digest } from '../image/reference.ts';
import type { Database, Row } from './database.ts';
import { REPOSITORY_OF_KEY, repositoryNumber } from './repository-number.ts';
import { numberOf, optionalNumber, optionalText, textOf } from './row.ts';
import type { FactStore, KeptBuild, SeenDigest } from './store.ts';

const SELECT_HEAD = `SELECT digest, seen_at FROM heads WHERE repository = ${REPOSITORY_OF_KEY} AND tag = ?`;
const SELECT_ALL = `SELECT h.tag, h.digest, h.seen_at, b.kind, b.created_ms FROM heads h
  LEFT JOIN builds b ON b.repository = h.repository AND b.digest = h.digest AND b.platforms = ?
  WHERE h.repository = ${REPOSITORY_OF_KEY}`;
const SELECT_BUILD = `SELECT kind, created_ms FROM builds WHERE repository = ${REPOSITORY_OF_KEY} AND digest = ? AND platforms = ?`;
const REPLACE_HEAD = `INSERT INTO heads (repository, tag, digest, seen_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest, seen_at = excluded.seen_at`;
const INSERT_BUILD = `INSERT INTO builds (repository, digest, platforms, kind, created_ms, kept_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (repository, digest, platforms) DO NOTHING`;

/** Facts in SQLite. */
export function sqliteFacts(database: Database, now: () => number): FactStore {
  return {
    async head(key, tag) {
      const row = database.get(SELECT_HEAD, key, tag);
      return row === undefined ? undefined : headOf(row);
    },
    async all(key, platforms) {
      const rows = database.all(SELECT_ALL, platforms, key);
      return new Map(
        rows.map((row) => {
          const build = buildOf(row);
          return [textOf(row, 'tag'), { head: headOf(row), ...(build === undefined ? {} : { build }) }];
        }),
      );
    },
    async build(key, digest, platforms) {
      const row = database.get(SELECT_BUILD, key, digest, platforms);
      return row === undefined ? undefined : buildOf(row);
    },
    async putHead(key, tag, seen) {
      database.transaction(() => {
        database.change(REPLACE_HEAD, repositoryNumber(database, key, now()), tag, seen.digest, seen.seenAt);
      });
    },
    async putBuild(key, digest, platforms, build) {
      database.transaction(() => {
        const createdMs = build.kind === 'built' ? build.createdMs : null;
        database.change(
          INSERT_BUILD,
          repositoryNumber(database, key, now()),
          digest,
          platforms,
          build.kind,
          createdMs,
          now(),
        );
      });
    },
  };
}

function headOf(row: Row): SeenDigest {
  return { digest: textOf(row, 'digest') as Digest, seenAt: numberOf(row, 'seen_at') };
}

function buildOf(row: Row): KeptBuild | undefined {
  const kind = optionalText(row, 'kind');
  const createdMs = optionalNumber(row, 'created_ms');
  if (kind === 'no-platform' || kind === 'undated') return { kind };
  return kind === 'built' && createdMs !== undefined ? { kind, createdMs } : undefined;
}
