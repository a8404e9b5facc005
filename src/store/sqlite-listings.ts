import type { Tag } from '../image/reference.ts';
import type { Database, Row } from './database.ts';
import { REPOSITORY_OF_KEY, repositoryNumber, touchRepository } from './repository-number.ts';
import { numberOf, optionalNumber, optionalText, textOf } from './row.ts';
import type { ListingRecord, ListingStore } from './store.ts';

const SELECT = `SELECT fetched_at, count, etag, last_modified, suspect_since, suspect_times FROM listings
  WHERE repository = ${REPOSITORY_OF_KEY}`;
const SELECT_TAGS = `SELECT tags FROM listings WHERE repository = ${REPOSITORY_OF_KEY} AND fetched_at = ?`;
const REPLACE = `INSERT INTO listings (repository, fetched_at, count, etag, last_modified, tags) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (repository) DO UPDATE SET fetched_at = excluded.fetched_at, count = excluded.count, etag = excluded.etag,
  last_modified = excluded.last_modified, suspect_since = NULL, suspect_times = NULL, tags = excluded.tags`;
const UPDATE = `UPDATE listings SET fetched_at = coalesce(?, fetched_at), suspect_since = ?, suspect_times = ?
  WHERE repository = ${REPOSITORY_OF_KEY} RETURNING (SELECT used_at FROM repositories WHERE id = repository) AS used_at`;

/** No legal tag holds a newline. */
const SEPARATOR = '\n';

/** Listings in SQLite; the tags are one text, because they are only ever read together. */
export function sqliteListings(database: Database, now: () => number): ListingStore {
  return {
    async get(key) {
      const row = database.get(SELECT, key);
      return row === undefined ? undefined : listingOf(row);
    },
    async tags(key, fetchedAt) {
      const row = database.get(SELECT_TAGS, key, fetchedAt);
      if (row === undefined) return undefined;
      const text = textOf(row, 'tags');
      return (text === '' ? [] : text.split(SEPARATOR)) as Tag[];
    },
    async put(key, { fetchedAt, tags, validators }) {
      database.transaction(() => {
        const { etag = null, lastModified = null } = validators ?? {};
        const text = tags.join(SEPARATOR);
        database.change(
          REPLACE,
          repositoryNumber(database, key, now()),
          fetchedAt,
          tags.length,
          etag,
          lastModified,
          text,
        );
      });
    },
    async update(key, { fetchedAt, suspect }) {
      const values = [fetchedAt ?? null, suspect?.since ?? null, suspect?.times ?? null, key];
      const updated = database.get(UPDATE, ...values);
      if (updated === undefined) return false;
      touchRepository(database, key, numberOf(updated, 'used_at'), now());
      return true;
    },
  };
}

function listingOf(row: Row): ListingRecord {
  const etag = optionalText(row, 'etag');
  const lastModified = optionalText(row, 'last_modified');
  const since = optionalNumber(row, 'suspect_since');
  const times = optionalNumber(row, 'suspect_times');
  return {
    fetchedAt: numberOf(row, 'fetched_at'),
    count: numberOf(row, 'count'),
    ...(etag === undefined && lastModified === undefined
      ? {}
      : {
          validators: {
            ...(etag === undefined ? {} : { etag }),
            ...(lastModified === undefined ? {} : { lastModified }),
          },
        }),
    ...(since === undefined || times === undefined ? {} : { suspect: { since, times } }),
  };
}
