import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Notice } from '../../src/error/user-error.ts';
import type { Tag } from '../../src/image/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey, ListingKey, Store, StoredDecision } from '../../src/store/store.ts';

let root: string;
let directory: string;
let notices: Notice[];
const open = (): Promise<Store> =>
  openStore({ directory, now: () => 1_000, notices: (notice) => notices.push(notice) });
const key = 'key' as DecisionKey;
const listing = '["scope","repository"]' as ListingKey;
const decision = (tag: string): StoredDecision => ({ tag: tag as Tag, movedAt: 1, confirmedAt: 2 });
const codes = (): readonly string[] => notices.map(({ code }) => code);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'store-'));
  directory = join(root, 'state', 'deep');
  notices = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A store that holds one decision, closed. */
async function filled(): Promise<string> {
  const store = await open();
  await store.decisions.put(key, decision('1.0.5'), null);
  await store.listings.put(listing, { fetchedAt: 3, tags: ['a', 'b'] as Tag[] });
  await store.close();
  return join(directory, 'store-1.sqlite');
}

async function tagIn(store: Store): Promise<string | undefined> {
  return (await store.decisions.get(key))?.value.tag;
}

test('directory and file are made for the user alone', async () => {
  const store = await open();
  await store.decisions.put(key, decision('1.0.5'), null);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(directory))
    expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
  await store.close();
  expect(notices).toEqual([]);
});

test('what was written is there for the next process', async () => {
  await filled();
  const store = await open();
  expect(await tagIn(store)).toBe('1.0.5');
  expect(await store.listings.tags(listing, 3)).toEqual(['a', 'b']);
  await store.close();
});

test.for<{ name: string; damage: (file: string) => void }>([
  { name: 'garbage', damage: (file) => writeFileSync(file, 'garbage'.repeat(9_999)) },
  { name: 'a text file', damage: (file) => writeFileSync(file, 'hello') },
  {
    name: 'a page overwritten in the middle',
    damage: (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0xab, 100, 4096 * 6);
      writeFileSync(file, bytes);
    },
  },
  { name: 'a cut file', damage: (file) => truncateSync(file, 5_000) },
  {
    name: 'a database of somebody else with our version',
    damage: (file) => {
      rmSync(file);
      const other = new DatabaseSync(file);
      other.exec('CREATE TABLE decisions (x); PRAGMA user_version = 1');
      other.close();
    },
  },
])('$name is set aside, said once, and begun anew', async ({ damage }) => {
  damage(await filled());
  const store = await open();
  expect(await tagIn(store)).toBeUndefined();
  expect(await store.decisions.put(key, decision('1.0.6'), null)).toBeDefined();
  await store.close();
  expect(codes()).toEqual(['STORE_REBUILT']);
  expect(readdirSync(directory).filter((name) => !name.endsWith('-wal') && !name.endsWith('-shm'))).toEqual([
    'store-2.sqlite',
    'store.damaged-1',
  ]);
  const again = await open();
  expect(await tagIn(again)).toBe('1.0.6');
  await again.close();
  expect(notices).toHaveLength(1);
});

test('an empty file is a new store', async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'store-1.sqlite'), '');
  const store = await open();
  expect(await store.decisions.put(key, decision('1.0.6'), null)).toBeDefined();
  await store.close();
  expect(notices).toEqual([]);
});

test('a number that was damaged is not used again', async () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'store.damaged-4'), 'garbage');
  await (await open()).close();
  expect(readdirSync(directory)).toEqual(['store-5.sqlite', 'store.damaged-4']);
});

test('only the last three damaged files are kept', async () => {
  await filled();
  for (let n = 1; n <= 6; n++) {
    writeFileSync(join(directory, `store-${n}.sqlite`), 'garbage'.repeat(9_999));
    await (await open()).close();
  }
  expect(readdirSync(directory).filter((name) => /damaged-\d+$/.test(name))).toEqual([
    'store.damaged-4',
    'store.damaged-5',
    'store.damaged-6',
  ]);
});

test('a process that has the damaged file open goes on with its successor', async () => {
  const file = await filled();
  const first = await open();
  writeFileSync(file, Buffer.alloc(statSync(file).size, 0xab));
  rmSync(`${file}-wal`, { force: true });
  const second = await open();
  await second.decisions.put(key, decision('1.0.7'), null);
  expect(await tagIn(first)).toBe('1.0.7');
  for (const store of [first, second]) await store.close();
  expect(new Set(codes())).toEqual(new Set(['STORE_REBUILT']));
});

test('a store of a newer version is left alone, and this process works in memory', async () => {
  const file = await filled();
  const newer = new DatabaseSync(file);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  const store = await open();
  expect(await store.decisions.put(key, decision('1.0.6'), null)).toBeDefined();
  expect(await tagIn(store)).toBe('1.0.6');
  await store.close();
  expect(codes()).toEqual(['STORE_UNAVAILABLE']);
  expect(readdirSync(directory)).toEqual(['store-1.sqlite']);
});

test('where no directory can be made, this process works in memory', async () => {
  writeFileSync(join(root, 'state'), 'a file in the way');
  const store = await open();
  expect(await store.decisions.put(key, decision('1.0.6'), null)).toBeDefined();
  expect(await tagIn(store)).toBe('1.0.6');
  await store.close();
  expect(codes()).toEqual(['STORE_UNAVAILABLE']);
});

test('a file in the way of the store is left alone', async () => {
  mkdirSync(join(directory, 'store-1.sqlite'), { recursive: true });
  const store = await open();
  expect(await store.decisions.put(key, decision('1.0.6'), null)).toBeDefined();
  await store.close();
  expect(codes()).toEqual(['STORE_UNAVAILABLE']);
});

// root may write everywhere; where these tests run as root, the mount and size limits of disk.test.ts show the same.
test.skipIf(process.getuid?.() === 0)('a read-only directory is read, and written in memory', async () => {
  await filled();
  chmodSync(join(directory, 'store-1.sqlite'), 0o400);
  chmodSync(directory, 0o500);
  const store = await open();
  expect(await tagIn(store)).toBe('1.0.5');
  expect((await store.decisions.get(key))?.version).toBe('1');
  expect(await store.decisions.put(key, decision('1.0.6'), '1')).toBeDefined();
  await store.close();
  expect(codes()).toEqual(['STORE_UNAVAILABLE']);
});
