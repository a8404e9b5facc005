import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey, ListingKey, Store } from '../../src/store/store.ts';
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
  expect(await store.decisions.put(KEY, decision, before?.version ?? null)).toBe('ok');
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

test('what is on the disk from before gives way as a whole', async () => {
  const first = await open(true);
  await decide(first, '1.0.1');
  await first.faults.put('old', { at: 1, fault: { kind: 'outage' } } as never);
  await first.close();
  const moved = `${directory}.away`;
  renameSync(directory, moved);
  block();
  const store = await open(true);
  await decide(store, '1.0.2');
  free();
  renameSync(moved, directory);
  await store.close();
  expect(await keptTag()).toBe('1.0.2');
  const after = await open(false);
  expect(await after.faults.get('old')).toBeUndefined();
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
