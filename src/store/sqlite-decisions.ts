import type { Digest, Tag } from '../image/reference.ts';
import type { Database, Row } from './database.ts';
import { numberOf, optionalNumber, optionalText, textOf } from './row.ts';
import type { DecisionStore, StoredDecision } from './store.ts';
import { usageIsOutdated } from './usage.ts';

const SELECT = 'SELECT * FROM decisions WHERE key = ?';
const TOUCH = 'UPDATE decisions SET used_at = ? WHERE key = ?';
const INSERT = `INSERT INTO decisions
  (tag, digest, moved_at, confirmed_at, created_ms, missing_since, missing_times, used_at, key, version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (key) DO NOTHING`;
const UPDATE = `UPDATE decisions SET tag = ?, digest = ?, moved_at = ?, confirmed_at = ?, created_ms = ?, missing_since = ?,
  missing_times = ?, used_at = ?, version = version + 1 WHERE key = ? AND version = ?`;

/** Decisions in SQLite; the version is a counter. */
export function sqliteDecisions(database: Database, now: () => number): DecisionStore {
  return {
    async get(key) {
      const row = database.get(SELECT, key);
      if (row === undefined) return undefined;
      if (usageIsOutdated(numberOf(row, 'used_at'), now())) database.change(TOUCH, now(), key);
      return { value: decisionOf(row), version: String(numberOf(row, 'version')) };
    },
    async put(key, value, ifVersion) {
      const values = [
        value.tag,
        value.digest ?? null,
        value.movedAt,
        value.confirmedAt,
        value.createdMs ?? null,
        value.missing?.since ?? null,
        value.missing?.times ?? null,
        now(),
        key,
      ];
      const changed =
        ifVersion === null ? database.change(INSERT, ...values) : database.change(UPDATE, ...values, Number(ifVersion));
      return changed === 1 ? String(Number(ifVersion ?? 0) + 1) : undefined;
    },
  };
}

function decisionOf(row: Row): StoredDecision {
  const digest = optionalText(row, 'digest');
  const createdMs = optionalNumber(row, 'created_ms');
  const since = optionalNumber(row, 'missing_since');
  const times = optionalNumber(row, 'missing_times');
  return {
    // Written by us from a checked tag; the editor checks again before anything reaches a manifest.
    tag: textOf(row, 'tag') as Tag,
    ...(digest === undefined ? {} : { digest: digest as Digest }),
    movedAt: numberOf(row, 'moved_at'),
    confirmedAt: numberOf(row, 'confirmed_at'),
    ...(createdMs === undefined ? {} : { createdMs }),
    ...(since === undefined || times === undefined ? {} : { missing: { since, times } }),
  };
}
