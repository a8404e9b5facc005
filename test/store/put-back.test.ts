import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Answer, DecisionKey, DocumentStore, ListingKey, Store } from '../../src/store/store.ts';
import { FakeClock } from '../support/clock.ts';

// A process that is alone with its store keeps it in memory while the disk cannot be used, and puts it back afterwards.

const MINUTE = 60_000;
const KEY = 'key' as DecisionKey;
const LISTING = 'listing' as ListingKey;

let parent: string;
let directory: string;
let clock: FakeClock;
let notices: string[];
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'store-'));
  directory = join(parent, 'state');
  clock = new FakeClock();
  notices = [];
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const open = (isAlone: boolean): Promise<Store> =>
  openStore({ directory, isAlone, now: clock.now, notices: ({ code }) => notices.push(code) });

async function decide(store: Store, tag: string): Promise<void> {
  const before = await store.decisions.get(KEY);
  const decision = { tag: tag as Tag, movedAt: clock.now(), confirmedAt: clock.now() };
  expect(await store.decisions.put(KEY, decision, before?.version ?? null)).toBeDefined();
  await store.listings.put(LISTING, { fetchedAt: clock.now(), tags: [tag as Tag] });
}

async function keptTag(): Promise<string | undefined> {
  const store = await open(false);
  const decision = await store.decisions.get(KEY);
  const listing = await store.listings.get(LISTING);
  const tags = listing === undefined ? [] : await store.listings.tags(LISTING, listing.fetchedAt);
  await store.close();
  expect(tags).toEqual(decision === undefined ? [] : [decision.value.tag]);
  return decision?.value.tag;
}

/** Nothing can be kept: where the folder should be is a file. */
const block = (): void => writeFileSync(directory, 'a file');
const free = (): void => rmSync(directory);

test('what was decided in memory is on the disk when that can be used again, and what follows too', async () => {
  block();
  const store = await open(true);
  await decide(store, '1.0.1');
  await clock.advance(2 * MINUTE);
  await decide(store, '1.0.2');
  expect(store.size()).toBeUndefined();
  free();
  await clock.advance(2 * MINUTE);
  expect(store.size()).toBeGreaterThan(0);
  expect(await keptTag()).toBe('1.0.2');
  await decide(store, '1.0.3');
  expect(await keptTag()).toBe('1.0.3');
  await store.close();
  expect(notices).toEqual(['STORE_UNAVAILABLE']);
});

test('at its end it is put back at once', async () => {
  block();
  const store = await open(true);
  await decide(store, '1.0.1');
  free();
  await store.close();
  expect(await keptTag()).toBe('1.0.1');
});

/** The files are away while a store begins, and there again afterwards. */
async function begunWithoutFiles(work: (store: Store) => Promise<void>): Promise<Store> {
  const moved = `${directory}.away`;
  renameSync(directory, moved);
  block();
  const store = await open(true);
  await work(store);
  free();
  renameSync(moved, directory);
  return store;
}

const answer = (image: string, tag: string): Answer => ({
  image,
  scope: 'anonymous' as never,
  key: KEY,
  decision: { tag: tag as Tag, movedAt: 1, confirmedAt: 1 },
});
const documentsOf = (store: Store): DocumentStore<string> => store.documents('registrations', String);

test('memory that never held what is on the disk is added to it, and removes nothing', async () => {
  const first = await open(true);
  await decide(first, '1.0.1');
  await first.decisions.put('other' as DecisionKey, { tag: '3.0.0' as Tag, movedAt: 1, confirmedAt: 1 }, null);
  await first.answers.record('shop', [answer('api', '1.0.1'), answer('web', '2.0.0')]);
  await documentsOf(first).put('shop', 'then');
  await documentsOf(first).put('frozen', 'then');
  await first.faults.put('old', { at: 1, fault: { kind: 'outage' } } as never);
  await first.close();
  await clock.advance(MINUTE);
  const store = await begunWithoutFiles(async (memory) => {
    await decide(memory, '1.0.2');
    await memory.answers.record('shop', [answer('api', '1.0.2')]);
    await documentsOf(memory).put('shop', 'now');
  });
  await clock.advance(2 * MINUTE);
  expect(store.size()).toBeGreaterThan(0);
  const tags = Array.from(await store.answers.last('shop'), ([image, { decision }]) => [image, decision.tag]);
  expect(Object.fromEntries(tags)).toEqual({ api: '1.0.2', web: '2.0.0' });
  expect(Object.fromEntries(await documentsOf(store).all())).toEqual({ shop: 'now', frozen: 'then' });
  expect(await store.faults.get('old')).toBeDefined();
  expect((await store.decisions.get(KEY))?.value.tag).toBe('1.0.2');
  expect((await store.decisions.get('other' as DecisionKey))?.value.tag).toBe('3.0.0');
  // Numbers of repositories are each file's own.
  const listing = await store.listings.get(LISTING);
  expect(await store.listings.tags(LISTING, listing?.fetchedAt ?? 0)).toEqual(['1.0.1']);
  await store.close();
});

test.for([
  { name: 'a decision of the disk that moved later stays', movedAt: -1, tag: '1.0.9' },
  { name: 'a decision of the disk that a wrong clock moved gives way', movedAt: 60 * MINUTE, tag: '1.0.1' },
])('$name, and nobody can replace it by the version it had in memory', async ({ movedAt, tag }) => {
  const began = clock.now();
  const first = await open(true);
  const onDisk = { tag: '1.0.9' as Tag, movedAt: began + movedAt, confirmedAt: began };
  await first.decisions.put(KEY, onDisk, null);
  await first.close();
  let version: string | undefined;
  const store = await begunWithoutFiles(async (memory) => {
    const inMemory = { tag: '1.0.1' as Tag, movedAt: began - 2, confirmedAt: began };
    await memory.decisions.put(KEY, inMemory, null);
    version = (await memory.decisions.get(KEY))?.version;
  });
  await clock.advance(2 * MINUTE);
  expect(store.size()).toBeGreaterThan(0);
  expect((await store.decisions.get(KEY))?.value.tag).toBe(tag);
  expect(await store.decisions.put(KEY, onDisk, version ?? null)).toBeUndefined();
  await store.close();
});

test('memory that began with all that is on the disk takes its place as a whole', async () => {
  const store = await open(true);
  await decide(store, '1.0.1');
  await documentsOf(store).put('shop', 'then');
  // Locked for longer than is waited for.
  const other = new DatabaseSync(join(directory, 'store-1.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  await documentsOf(store).remove('shop');
  await decide(store, '1.0.2');
  expect(notices).toEqual(['STORE_UNAVAILABLE']);
  other.close();
  await store.close();
  expect(await keptTag()).toBe('1.0.2');
  const after = await open(false);
  expect((await documentsOf(after).all()).size).toBe(0);
  await after.close();
});

test('who shares its store leaves it to the others', async () => {
  block();
  const store = await open(false);
  await decide(store, '1.0.1');
  free();
  await clock.advance(10 * MINUTE);
  expect(store.size()).toBeUndefined();
  await store.close();
  expect(await keptTag()).toBeUndefined();
});
