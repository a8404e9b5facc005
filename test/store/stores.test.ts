import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import type { AccessScope } from '../../src/registry/access.ts';
import { memoryLeases } from '../../src/store/memory-leases.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Answer, DecisionKey, ListingKey, Store, StoredDecision } from '../../src/store/store.ts';
import { FakeClock } from '../support/clock.ts';
import { digestOf, faultOf } from '../support/memory-registry.ts';

const DAY = 24 * 60 * 60 * 1000;
let directory: string;
let store: Store;
let clock: FakeClock;
const reopen = async (): Promise<void> => {
  await store.close();
  store = await openStore({ directory, now: clock.now, notices: () => expect.unreachable() });
};
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'store-'));
  clock = new FakeClock();
  store = await openStore({ directory, now: clock.now, notices: () => expect.unreachable() });
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

const key = 'k' as DecisionKey;
const here = '["s","r"]' as ListingKey;
const there = '["t","r"]' as ListingKey;
const tag = (text: string): Tag => text as Tag;
const full: StoredDecision = {
  tag: tag('1.0.5'),
  digest: digestOf('a'),
  movedAt: 1,
  confirmedAt: 2,
  createdMs: 3,
  missing: { since: 4, times: 5 },
};
const bare: StoredDecision = { tag: tag('1.0.6'), movedAt: 1, confirmedAt: 2 };

test('a decision comes back as it was put, and a later one leaves nothing of it', async () => {
  expect(await store.decisions.get(key)).toBeUndefined();
  await store.decisions.put(key, full, null);
  const first = await store.decisions.get(key);
  expect(first?.value).toEqual(full);
  expect(await store.decisions.put(key, bare, first?.version ?? null)).toBeDefined();
  expect((await store.decisions.get(key))?.value).toEqual(bare);
});

test.for([
  { name: 'a first decision when there is one', version: null },
  { name: 'a decision over a version that was replaced', version: '1' },
])('$name is a conflict', async ({ version }) => {
  await store.decisions.put(key, full, null);
  await store.decisions.put(key, full, '1');
  expect(await store.decisions.put(key, bare, version)).toBeUndefined();
  expect((await store.decisions.get(key))?.value).toEqual(full);
});

const answer = (image: string, decision: StoredDecision): Answer => {
  const { tag: name, digest, movedAt, confirmedAt } = decision;
  return {
    image,
    scope: 's' as AccessScope,
    key,
    decision: { tag: name, ...(digest && { digest }), movedAt, confirmedAt },
  };
};

test('answers are kept per application and image, each the last', async () => {
  await store.answers.record('shop', [answer('a', full), answer('b', bare)]);
  await store.answers.record('shop', [answer('a', bare)]);
  await store.answers.record('other', [answer('a', full)]);
  expect(await store.answers.last('shop')).toEqual(
    new Map([
      ['a', answer('a', bare)],
      ['b', answer('b', bare)],
    ]),
  );
  expect([...(await store.answers.last('other')).values()]).toEqual([answer('a', full)]);
  expect(await store.answers.last('nobody')).toEqual(new Map());
});

test('a listing is kept with its validators, and its tags are given for that listing only', async () => {
  const validators = { etag: 'e', lastModified: 'm' };
  await store.listings.put(here, { fetchedAt: 10, tags: [tag('a'), tag('b')], validators });
  await store.listings.put(there, { fetchedAt: 10, tags: [] });
  expect(await store.listings.get(here)).toEqual({ fetchedAt: 10, count: 2, validators });
  expect(await store.listings.get(there)).toEqual({ fetchedAt: 10, count: 0 });
  expect(await store.listings.tags(here, 10)).toEqual(['a', 'b']);
  expect(await store.listings.tags(there, 10)).toEqual([]);
  expect(await store.listings.tags(here, 11)).toBeUndefined();
  expect(await store.listings.update(here, { suspect: { since: 1, times: 2 } })).toBe(true);
  expect(await store.listings.get(here)).toMatchObject({ fetchedAt: 10, suspect: { since: 1, times: 2 } });
  await store.listings.update(here, { fetchedAt: 12, suspect: undefined });
  expect(await store.listings.get(here)).toEqual({ fetchedAt: 12, count: 2, validators });
  await store.listings.put(here, { fetchedAt: 13, tags: [] });
  expect(await store.listings.get(here)).toEqual({ fetchedAt: 13, count: 0 });
});

test('facts are kept per listing key; a build never changes', async () => {
  const digest = digestOf('a');
  await store.facts.putHead(here, tag('x'), { digest, seenAt: 1 });
  await store.facts.putHead(here, tag('y'), { digest: digestOf('b'), seenAt: 1 });
  await store.facts.putBuild(here, digest, 'linux/amd64', { kind: 'built', createdMs: 5 });
  await store.facts.putBuild(here, digest, 'linux/amd64', { kind: 'built', createdMs: 6 });
  await store.facts.putBuild(here, digest, 'linux/s390x', { kind: 'no-platform' });
  await store.facts.putHead(here, tag('x'), { digest, seenAt: 2 });
  expect(await store.facts.head(here, tag('x'))).toEqual({ digest, seenAt: 2 });
  expect(await store.facts.all(here, 'linux/amd64')).toEqual(
    new Map([
      ['x', { head: { digest, seenAt: 2 }, build: { kind: 'built', createdMs: 5 } }],
      ['y', { head: { digest: digestOf('b'), seenAt: 1 } }],
    ]),
  );
  expect(await store.facts.build(here, digest, 'linux/s390x')).toEqual({ kind: 'no-platform' });
  expect(await store.facts.build(there, digest, 'linux/amd64')).toBeUndefined();
  expect(await store.facts.head(there, tag('x'))).toBeUndefined();
});

test('a fault is kept until it is cleared', async () => {
  const kept = { at: 1, fault: faultOf('denied') };
  await store.faults.put('n', kept);
  expect(await store.faults.get('n')).toEqual(kept);
  await store.faults.clear('n');
  expect(await store.faults.get('n')).toBeUndefined();
});

const LEASES = [
  { where: 'on disk', open: () => store.leases },
  { where: 'in memory', open: () => memoryLeases() },
];

test.for(LEASES)('a lease is held by one, until it is released ($where)', async ({ open }) => {
  const leases = open();
  const lease = await leases.acquire('n', 8_000);
  expect(await leases.acquire('n', 8_000)).toBeUndefined();
  expect(await leases.acquire('other', 8_000)).toBeDefined();
  await lease?.release();
  expect(await leases.acquire('n', 8_000)).toBeDefined();
});

test('a lease that is not extended is taken, and its old holder learns it and can do no harm', async () => {
  const { leases } = store;
  const old = await leases.acquire('n', 8_000);
  clock.jump(7_000);
  expect(await old?.extend?.()).toBe(true);
  clock.jump(7_000);
  expect(await leases.acquire('n', 8_000)).toBeUndefined();
  clock.jump(1_000);
  const taken = await leases.acquire('n', 8_000);
  expect(taken).toBeDefined();
  expect(await old?.extend?.()).toBe(false);
  await old?.release();
  expect(await leases.acquire('n', 8_000)).toBeUndefined();
});

test('a lease of a clock that was a day ahead is taken at once', async () => {
  const { leases } = store;
  clock.jump(DAY);
  await leases.acquire('n', 8_000);
  clock.jump(-DAY);
  expect(await leases.acquire('n', 8_000)).toBeDefined();
});

test('a pause ends by itself, and one of a clock that was a day ahead never began', () => {
  store.pauses.pause('h', clock.now() + 10_000);
  expect(store.pauses.pausedUntil('h')).toBe(clock.now() + 10_000);
  expect(store.pauses.pausedUntil('other')).toBeUndefined();
  clock.jump(10_000);
  expect(store.pauses.pausedUntil('h')).toBeUndefined();
  clock.jump(DAY);
  store.pauses.pause('h', clock.now() + 10_000);
  clock.jump(-DAY);
  expect(store.pauses.pausedUntil('h')).toBeUndefined();
});

test('what was not used for a month is forgotten, and what is read stays', async () => {
  const used = 'used' as DecisionKey;
  for (const one of [key, used]) await store.decisions.put(one, bare, null);
  for (const one of ['idle', 'busy']) await store.answers.record(one, [answer('a', bare)]);
  for (const one of [here, there]) await store.listings.put(one, { fetchedAt: 1, tags: [tag('a')] });
  await store.facts.putHead(here, tag('a'), { digest: digestOf('a'), seenAt: clock.now() });
  await store.faults.put('n', { at: clock.now(), fault: faultOf('denied') });
  for (let day = 0; day < 32; day++) {
    await reopen();
    await store.decisions.get(used);
    await store.answers.last('busy');
    await store.listings.update(there, { fetchedAt: day, suspect: undefined });
    clock.jump(DAY + 1);
  }
  await reopen();
  expect(await store.decisions.get(key)).toBeUndefined();
  expect(await store.decisions.get(used)).toBeDefined();
  expect((await store.answers.last('idle')).size).toBe(0);
  expect((await store.answers.last('busy')).size).toBe(1);
  expect(await store.listings.get(here)).toBeUndefined();
  expect(await store.listings.get(there)).toBeDefined();
  expect(await store.facts.head(here, tag('a'))).toBeUndefined();
  expect(await store.faults.get('n')).toBeUndefined();
});

test.for([
  { name: 'a year ahead', jump: 365 * DAY },
  { name: 'three weeks ahead', jump: 21 * DAY },
])('a clock that was $name, also for days, forgets nothing', async ({ jump }) => {
  await reopen();
  await store.decisions.put(key, bare, null);
  await store.answers.record('weekly', [answer('a', bare)]);
  await store.listings.put(here, { fetchedAt: 1, tags: [tag('a')] });
  clock.jump(10 * DAY);
  await reopen();
  clock.jump(jump);
  for (let day = 0; day < 3; day++) {
    await reopen();
    clock.jump(DAY + 1);
  }
  clock.jump(-jump);
  for (let day = 0; day < 3; day++) {
    await reopen();
    clock.jump(DAY + 1);
  }
  expect(await store.decisions.get(key)).toBeDefined();
  expect((await store.answers.last('weekly')).size).toBe(1);
  expect(await store.listings.get(here)).toBeDefined();
});

test('what is forgotten goes in portions, and each says whether there is more', async () => {
  await reopen();
  for (let n = 0; n < 30; n++) await store.listings.put(`["s","${n}"]` as ListingKey, { fetchedAt: 1, tags: [] });
  for (let day = 0; day < 29; day++) {
    clock.jump(DAY + 1);
    expect(await store.forgetUnused()).toBe(false);
  }
  clock.jump(DAY + 1);
  expect(await store.forgetUnused()).toBe(true);
  expect(await store.forgetUnused()).toBe(false);
  for (let n = 0; n < 30; n++) expect(await store.listings.get(`["s","${n}"]` as ListingKey)).toBeUndefined();
});

test('facts of tags that are no longer listed go after a month, those of listed ones stay', async () => {
  for (const name of ['a', 'b', 'c']) {
    await store.facts.putHead(here, tag(name), { digest: digestOf(name), seenAt: clock.now() });
    await store.facts.putBuild(here, digestOf(name), 'p', { kind: 'undated' });
  }
  for (let day = 0; day < 32; day++) {
    await store.listings.put(here, { fetchedAt: day, tags: [tag('a')] });
    await reopen();
    clock.jump(DAY + 1);
  }
  await reopen();
  expect([...(await store.facts.all(here, 'p')).keys()]).toEqual(['a']);
  expect(await store.facts.build(here, digestOf('a'), 'p')).toBeDefined();
  expect(await store.facts.build(here, digestOf('b'), 'p')).toBeUndefined();
});

test('messages wait in their order, over a restart, until they were told', async () => {
  const message = (name: string, text = name) => ({ key: name, text });
  await store.outbox.put([message('a'), message('b')]);
  await store.outbox.put([message('c')]);
  expect(await store.outbox.oldest(2)).toEqual([message('a'), message('b')]);
  const told = await store.outbox.oldest(1);
  await store.outbox.put([message('a', 'newer')]);
  await store.outbox.remove(told);
  await reopen();
  expect(await store.outbox.oldest(9)).toEqual([message('b'), message('c'), message('a', 'newer')]);
  await store.outbox.remove(await store.outbox.oldest(9));
  expect(await store.outbox.oldest(9)).toEqual([]);
});

test('of too many messages the oldest are forgotten', async () => {
  const many = Array.from({ length: 10_002 }, (_, index) => ({ key: `${index}`, text: '' }));
  await store.outbox.put(many);
  expect(await store.outbox.oldest(1)).toEqual([many[2]]);
});
