import type { DatabaseSync } from 'node:sqlite';

/**
 * Steps from one schema version to the next: step n leads from version n to n + 1. A released step is never changed; a
 * new one is added.
 *
 * Listings and facts hang on a short repository number, because a listing key is long and there are many facts. Wide
 * columns stand last, so that reading the narrow ones does not touch their pages. Nothing is ever deleted but by age.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE decisions (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, tag TEXT NOT NULL, digest TEXT, moved_at INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL, created_ms INTEGER, missing_since INTEGER, missing_times INTEGER, used_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE answers (
    application TEXT NOT NULL, image TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT,
    moved_at INTEGER NOT NULL, confirmed_at INTEGER NOT NULL, used_at INTEGER NOT NULL,
    PRIMARY KEY (application, image)
  ) STRICT;
  CREATE TABLE repositories (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, used_at INTEGER NOT NULL) STRICT;
  CREATE TABLE listings (
    repository INTEGER PRIMARY KEY REFERENCES repositories ON DELETE CASCADE, fetched_at INTEGER NOT NULL, count INTEGER NOT NULL,
    etag TEXT, last_modified TEXT, suspect_since INTEGER, suspect_times INTEGER, tags TEXT NOT NULL
  ) STRICT;
  CREATE TABLE heads (
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE, tag TEXT NOT NULL, digest TEXT NOT NULL, seen_at INTEGER NOT NULL,
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE builds (
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE, digest TEXT NOT NULL, platforms TEXT NOT NULL,
    kind TEXT NOT NULL, created_ms INTEGER, kept_at INTEGER NOT NULL,
    PRIMARY KEY (repository, digest, platforms)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE faults (name TEXT PRIMARY KEY, at INTEGER NOT NULL, fault TEXT NOT NULL) STRICT;
  CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE TABLE pauses (key TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;
  CREATE TABLE upkeep (id INTEGER PRIMARY KEY CHECK (id = 1), pruned_at INTEGER NOT NULL) STRICT;
  `,
  `
  CREATE TABLE received (
    application TEXT NOT NULL, question TEXT NOT NULL, received_at INTEGER NOT NULL, used_at INTEGER NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (application, question)
  ) STRICT;
  CREATE TABLE documents (
    collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT;
  `,
];

/** Tables in an order in which rows can be copied without breaking a reference. */
export const TABLES: readonly string[] = [
  'decisions',
  'answers',
  'repositories',
  'listings',
  'heads',
  'builds',
  'faults',
  'leases',
  'pauses',
  'upkeep',
  'received',
  'documents',
];

/** The schema version this program writes. */
export const SCHEMA_VERSION: number = STEPS.length;

/** The schema version a database has; 0 for an empty one. */
export function schemaVersion(database: DatabaseSync): number {
  const row = database.prepare('PRAGMA user_version').get();
  return Number(row?.['user_version'] ?? 0);
}

/** Brings a database to {@link SCHEMA_VERSION}, all or nothing; many processes may try at once. */
export function migrate(database: DatabaseSync): void {
  if (schemaVersion(database) >= SCHEMA_VERSION) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may have done it meanwhile.
    for (const step of STEPS.slice(schemaVersion(database))) database.exec(step);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
