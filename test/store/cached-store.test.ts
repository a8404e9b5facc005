import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { cachedStore } from '../../src/store/cached-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { AccessScope } from '../../src/registry/access.ts';
import type { Answer, DecisionKey, KeptFault, ListingKey, Store, StoredDecision } from '../../src/store/store.ts';
import { FakeClock } from '../support/clock.ts';

const limits = { decisions: 10, answers: 10, listings: 10, tagBytes: 10_000 };
const key = 'k' as DecisionKey;
const listing = '["s","r"]' as ListingKey;
const decision = (tag: string): StoredDecision => ({ tag: tag as Tag, movedAt: 1, confirmedAt: 2 });

interface Counted extends AsyncDisposable {
  readonly cached: Store;
  readonly behind: Store;
  readonly clock: FakeClock;
  reads: number;
}

/** A store whose reads are counted, with the cache in front. */
async function counted(): Promise<Counted> {
  const directory = mkdtempSync(join(tmpdir(), 'store-'));
  const clock = new FakeClock();
  const store = await openStore({ directory, now: clock.now, notices: () => expect.unreachable() });
  const count = <T>(answer: T): T => {
    self.reads += 1;
    return answer;
  };
  const { answers, decisions, faults, leases, listings, pauses } = store;
  const behind: Store = {
    ...store,
    answers: { ...answers, last: (one) => count(answers.last(one)) },
    decisions: { ...decisions, get: (one) => count(decisions.get(one)) },
    faults: { ...faults, get: (one) => count(faults.get(one)) },
    leases: { acquire: (...of) => count(leases.acquire(...of)) },
    pauses: { ...pauses, pausedUntil: (one) => count(pauses.pausedUntil(one)) },
    listings: {
      ...listings,
      get: (one) => count(listings.get(one)),
      tags: (one, fetchedAt) => count(listings.tags(one, fetchedAt)),
    },
  };
  const self: Counted = {
    cached: cachedStore(behind, limits, clock.now),
    behind,
    clock,
    reads: 0,
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return self;
}

test('a decision that is only ever read is not forgotten', async () => {
  await using self = await counted();
  const { cached, clock } = self;
  await cached.forgetUnused();
  await cached.decisions.put(key, decision('1.0.5'), null);
  for (let day = 0; day < 40; day++) {
    await cached.decisions.get(key);
    expect(await cached.forgetUnused()).toBe(false);
    clock.jump(25 * 60 * 60 * 1000);
  }
  expect(await self.behind.decisions.get(key)).toBeDefined();
});

test('a decision is read once, and a new one is seen at once', async () => {
  await using self = await counted();
  const { decisions } = self.cached;
  await self.behind.decisions.put(key, decision('1.0.5'), null);
  for (const _ of [1, 2, 3]) expect((await decisions.get(key))?.value.tag).toBe('1.0.5');
  expect(self.reads).toBe(1);
  const reading = decisions.get(key);
  expect(await decisions.put(key, decision('1.0.6'), '1')).toBeDefined();
  await reading;
  expect(await decisions.get(key)).toEqual({ value: decision('1.0.6'), version: '2' });
});

test('a decision is held from when it is put', async () => {
  await using self = await counted();
  const { decisions } = self.cached;
  await decisions.put(key, decision('1.0.5'), null);
  self.reads = 0;
  expect(await decisions.get(key)).toEqual({ value: decision('1.0.5'), version: '1' });
  expect(self.reads).toBe(0);
});

test('a conflict makes it be read again', async () => {
  await using self = await counted();
  const { decisions } = self.cached;
  await decisions.put(key, decision('1.0.5'), null);
  await decisions.get(key);
  expect(await decisions.put(key, decision('1.0.6'), null)).toBeUndefined();
  expect((await decisions.get(key))?.value.tag).toBe('1.0.5');
  expect(self.reads).toBe(1);
});

test('a listing and its tags are read once, and a new listing is seen at once', async () => {
  await using self = await counted();
  const { listings } = self.cached;
  await listings.put(listing, { fetchedAt: 1, tags: ['a'] as Tag[] });
  for (const _ of [1, 2, 3]) {
    expect((await listings.get(listing))?.count).toBe(1);
    expect(await listings.tags(listing, 1)).toEqual(['a']);
  }
  // Its tags were not read at all: they were just written.
  expect(self.reads).toBe(1);
  await listings.put(listing, { fetchedAt: 2, tags: ['a', 'b'] as Tag[] });
  expect(await listings.tags(listing, 1)).toBeUndefined();
  expect(await listings.tags(listing, 2)).toEqual(['a', 'b']);
  await listings.get(listing);
  const beforeUpdates = self.reads;
  await listings.update(listing, { suspect: { since: 2, times: 1 } });
  expect(await listings.get(listing)).toEqual({
    fetchedAt: 2,
    count: 2,
    sameSince: 2,
    suspect: { since: 2, times: 1 },
  });
  await listings.update(listing, { fetchedAt: 3, suspect: undefined });
  expect(await listings.get(listing)).toEqual({ fetchedAt: 3, count: 2, sameSince: 2 });
  // What was written is known.
  expect(self.reads).toBe(beforeUpdates);
  expect(await listings.tags(listing, 2)).toBeUndefined();
  const before = self.reads;
  for (const _ of [1, 2, 3]) expect(await listings.tags(listing, 3)).toEqual(['a', 'b']);
  expect(self.reads).toBe(before + 1);
});

test('since when a listing has the very same tags is known of what was put here', async () => {
  await using self = await counted();
  const { listings } = self.cached;
  const sameSince = async (): Promise<number | undefined> => (await listings.get(listing))?.sameSince;
  const put = (fetchedAt: number, tags: readonly string[]): Promise<void> =>
    listings.put(listing, { fetchedAt, tags: tags as Tag[] });
  await put(1, ['a', 'b']);
  await put(2, ['a', 'b']);
  expect(await sameSince()).toBe(1);
  await listings.update(listing, { fetchedAt: 3, suspect: undefined });
  expect(await sameSince()).toBe(1);
  await listings.update(listing, { suspect: { since: 3, times: 1 } });
  expect(await sameSince()).toBe(1);
  await put(4, ['a', 'c']);
  expect(await sameSince()).toBe(4);
  await put(5, ['a', 'c']);
  await listings.tags(listing, 5);
  await put(6, ['a', 'c', 'd']);
  expect(await sameSince()).toBe(6);
});

test('what a listing was read from is known of what was put here, for as long as the listing stands', async () => {
  await using self = await counted();
  const { listings } = self.cached;
  const fingerprint = async (): Promise<string | undefined> => (await listings.get(listing))?.fingerprint;
  await listings.put(listing, { fetchedAt: 1, tags: ['a'] as Tag[], fingerprint: 'one' });
  expect(await fingerprint()).toBe('one');
  await listings.update(listing, { fetchedAt: 2, suspect: undefined });
  await listings.update(listing, { suspect: { since: 3, times: 1 } });
  expect(await fingerprint()).toBe('one');
  await listings.put(listing, { fetchedAt: 4, tags: ['a'] as Tag[] });
  expect(await fingerprint()).toBeUndefined();
  await listings.put(listing, { fetchedAt: 5, tags: ['a'] as Tag[], fingerprint: 'two' });
  // Written by somebody else.
  await self.behind.listings.put(listing, { fetchedAt: 6, tags: ['b'] as Tag[] });
  const again = cachedStore(self.behind, limits, self.clock.now);
  expect(await again.listings.get(listing)).toEqual({ fetchedAt: 6, count: 1 });
});

test('that the tags are the same is known also where there is no room for them', async () => {
  await using self = await counted();
  const { listings } = self.cached;
  const large = Array.from({ length: 200 }, (_, index) => `1.0.${index}`) as Tag[];
  const keys = Array.from({ length: 5 }, (_, index) => `["s","r${index}"]` as ListingKey);
  for (const fetchedAt of [1, 2]) for (const one of keys) await listings.put(one, { fetchedAt, tags: large });
  for (const one of keys) expect((await listings.get(one))?.sameSince).toBe(1);
});

test('where there is no fault nothing is read, and a new one is seen at once, as is that it is gone', async () => {
  await using self = await counted();
  const { faults } = self.cached;
  const kept = (what: string): KeptFault => ({
    at: 1,
    fault: { kind: 'outage', error: { code: 'REGISTRY_UNAVAILABLE', what, where: 'w', fix: 'f' } },
  });
  for (const _ of [1, 2, 3]) expect(await faults.get('list')).toBeUndefined();
  expect(self.reads).toBe(0);
  let reading = faults.get('list');
  await faults.put('list', kept('first'));
  await reading;
  for (const _ of [1, 2, 3]) expect(await faults.get('list')).toEqual(kept('first'));
  expect(self.reads).toBe(1);
  await faults.put('list', kept('second'));
  expect(await faults.get('list')).toEqual(kept('second'));
  reading = faults.get('list');
  await faults.clear('list');
  await reading;
  expect(await faults.get('list')).toBeUndefined();
  expect(self.reads).toBe(2);
});

test('a fault of before the start is known', async () => {
  await using self = await counted();
  const { faults } = self.behind;
  const error = { code: 'REGISTRY_DENIED', what: 'no', where: 'w', fix: 'f' } as const;
  await faults.put('kept', { at: 1, fault: { kind: 'denied', error } });
  expect(await self.cached.faults.names()).toEqual(['kept']);
  expect((await self.cached.faults.get('kept'))?.fault.error).toEqual(error);
  expect(await self.cached.faults.get('other')).toBeUndefined();
  await self.cached.faults.clear('kept');
  expect(await faults.get('kept')).toBeUndefined();
});

test('the answers of an application are read once, and new ones are seen at once', async () => {
  await using self = await counted();
  const { answers } = self.cached;
  const given = (tag: string): Answer => ({ image: 'web', scope: 's' as AccessScope, key, decision: decision(tag) });
  const last = async (): Promise<string | undefined> => (await answers.last('shop')).get('web')?.decision.tag;
  await answers.record('shop', [given('1.0.5')]);
  for (const _ of [1, 2, 3]) expect(await last()).toBe('1.0.5');
  expect(self.reads).toBe(1);
  const reading = last();
  await answers.record('shop', [given('1.0.6')]);
  await reading;
  expect(await last()).toBe('1.0.6');
});

test('that there is no pause is read once; a new one is seen at once, and its end', async () => {
  await using self = await counted();
  const { clock } = self;
  const { pauses } = self.cached;
  for (const _ of [1, 2, 3]) expect(pauses.pausedUntil('host')).toBeUndefined();
  expect(self.reads).toBe(1);
  const until = clock.now() + 10_000;
  pauses.pause('host', until);
  for (const _ of [1, 2]) expect(pauses.pausedUntil('host')).toBe(until);
  expect(self.behind.pauses.pausedUntil('host')).toBe(until);
  clock.jump(10_000);
  expect(pauses.pausedUntil('host')).toBeUndefined();
  pauses.pause('host', clock.now() + 1);
  expect(pauses.pausedUntil('host')).toBe(clock.now() + 1);
});

test('a pause of before the start holds', async () => {
  await using self = await counted();
  const until = self.clock.now() + 10_000;
  self.behind.pauses.pause('host', until);
  expect(self.cached.pauses.pausedUntil('host')).toBe(until);
});

test('a listing that the store has lost is not confirmed in memory', async () => {
  await using self = await counted();
  await using begunAnew = await counted();
  let { listings: inUse } = self.behind;
  const behind: Store = {
    ...self.behind,
    listings: {
      get: (...of) => inUse.get(...of),
      tags: (...of) => inUse.tags(...of),
      put: (...of) => inUse.put(...of),
      update: (...of) => inUse.update(...of),
    },
  };
  const { listings } = cachedStore(behind, limits, self.clock.now);
  await listings.put(listing, { fetchedAt: 1, tags: ['a'] as Tag[] });
  expect((await listings.get(listing))?.fetchedAt).toBe(1);
  inUse = begunAnew.behind.listings;
  expect(await listings.update(listing, { fetchedAt: 2, suspect: undefined })).toBe(false);
  expect(await listings.get(listing)).toBeUndefined();
});

test('who is alone has leases of its own, and nothing of them is written', async () => {
  await using self = await counted();
  const lease = await self.cached.leases.acquire('list', 8_000);
  expect(await self.cached.leases.acquire('list', 8_000)).toBeUndefined();
  expect(lease).not.toHaveProperty('extend');
  self.clock.jump(3_600_000);
  expect(await self.cached.leases.acquire('list', 8_000)).toBeUndefined();
  await lease?.release();
  expect(await self.cached.leases.acquire('list', 8_000)).toBeDefined();
  // Somebody else's by now.
  await lease?.release();
  expect(await self.cached.leases.acquire('list', 8_000)).toBeUndefined();
  expect(self.reads).toBe(0);
});
