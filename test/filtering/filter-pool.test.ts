import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createFilterPool, type FilterPool, type FilterPoolOptions } from '../../src/filtering/filter-pool.ts';
import type { Tag } from '../../src/image/reference.ts';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import type { NamesWanted, SelectedByName } from '../../src/resolve/job.ts';
import type { ListingKey } from '../../src/store/store.ts';
import type { FilterSpec, Selection, StrategySpec } from '../../src/strategy/selection.ts';
import { FakeClock } from '../support/clock.ts';

/** Legal, and long over many tags: what may follow is another set after nearly every character. */
const NASTY = '([ab]*a[ab]{20,60}|[ab]*b[ab]{20,60})*[0-9]{5}$';
const alphabetical: StrategySpec = { kind: 'alphabetical' };

const pools: FilterPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

function start(options: Partial<FilterPoolOptions> = {}): FilterPool {
  const pool = createFilterPool({ now: () => 0, ...options });
  pools.push(pool);
  return pool;
}

/** A pool whose limit passes when the test lets time pass. */
function startWithClock(options: Partial<FilterPoolOptions> = {}): {
  readonly pool: FilterPool;
  readonly clock: FakeClock;
} {
  const clock = new FakeClock();
  return { clock, pool: start({ now: clock.now, sleep: clock.sleep, ...options }) };
}

/** Tags on which {@link NASTY} takes as long as it can. */
function hostileTags(count: number): readonly Tag[] {
  let state = 1;
  const letter = (): string => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state < 0x40000000 ? 'a' : 'b';
  };
  return Array.from({ length: count }, (_, at) => `${Array.from({ length: 110 }, letter).join('')}${at}` as Tag);
}

function wanted(filters: readonly FilterSpec[], rest: Partial<NamesWanted & Selection> = {}): NamesWanted {
  const { project = 'shop', listing = '["","registry.example.com/api"]' as ListingKey, strategy = alphabetical } = rest;
  return { project, listing, selection: { strategy, filters, platforms: [] } };
}

function allow(pattern: string, rest: Partial<NamesWanted & Selection> = {}): NamesWanted {
  return wanted([{ effect: 'allow', kind: 'regexp', pattern }], rest);
}

/** `1.0.1 1.0.0`, or `refused FILTER_TOO_SLOW`. */
function inShort(selected: SelectedByName): string {
  return selected.kind === 'selected' ? selected.tags.join(' ') : `${selected.fault.kind} ${selected.fault.error.code}`;
}

const few = ['1.0.0', '1.0.1', 'main'] as readonly string[] as readonly Tag[];

/** Until so many tasks run: their limit is what sleeps. */
async function untilRunning(clock: FakeClock, tasks: number): Promise<void> {
  while (clock.sleeping < tasks) await new Promise((done) => setImmediate(done));
}

test('the answer is that of the same selection in this process, whatever it is', async () => {
  const pool = start();
  const tag = fc.oneof(
    fc.stringMatching(/^v?[0-9]\.[0-9](\.[0-9])?(-[a-z0-9]{1,3})?$/),
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,6}$/),
    fc.constant(`sha256-${'0'.repeat(64)}.sig`),
  ) as fc.Arbitrary<Tag>;
  const strategy = fc.oneof<fc.Arbitrary<StrategySpec>[]>(
    fc.record({ kind: fc.constant('semver'), constraint: fc.constantFrom('*', '~1.0', '>=0-0', '^2 || <1') }),
    fc.record({ kind: fc.constantFrom('alphabetical', 'newest-build') }),
    fc.record({ kind: fc.constant('digest'), tag }),
  );
  const filter = fc.oneof<fc.Arbitrary<FilterSpec>[]>(
    fc.record({
      effect: fc.constantFrom('allow', 'ignore'),
      kind: fc.constant('regexp'),
      pattern: fc.constantFrom('^v', '[0-9]$', '^[0-9.]+$', 'a|b', ''),
    }),
    fc.record({
      effect: fc.constantFrom('allow', 'ignore'),
      kind: fc.constant('glob'),
      pattern: fc.constantFrom('*', '*-*', 'v[0-4]*', '?.?.?', ''),
    }),
  );
  const filters = fc.array(filter, { minLength: 1, maxLength: 3 });
  const tags = fc.uniqueArray(tag, { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(strategy, filters, tags, fc.nat(3), async (by, through, listed, told) => {
      const asked = wanted(through, { strategy: by });
      expect(await pool.selectByName(asked, listed, told)).toEqual(await selectByNameHere(asked, listed, told));
    }),
    { numRuns: 200 },
  );
});

test('a long list is ranked elsewhere also without a filter, and rightly', async () => {
  const tags = Array.from({ length: 30_000 }, (_, at) => `1.${at % 300}.${Math.floor(at / 300)}` as Tag);
  const asked = wanted([], { strategy: { kind: 'semver', constraint: '~1.7' } });
  expect(await start().selectByName(asked, tags, 5)).toEqual(await selectByNameHere(asked, tags, 5));
});

/** The longest time in milliseconds for which this process did nothing else while the work went on. */
async function longestStall(work: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  // The first of its samples says how late the second one is.
  await delay(20);
  await work();
  await delay(20);
  delays.disable();
  return delays.max / 1e6;
}

test.for([
  { name: 'a nasty expression over 2,000 tags', filters: [NASTY], kind: 'regexp', count: 2_000 },
  {
    name: '16 globs over 100,000 tags',
    filters: Array.from({ length: 16 }, (_, at) => `*a*b${'?'.repeat(at)}*a*`),
    kind: 'glob',
    count: 100_000,
  },
] as const)('stalls this process a tenth at most of what it does here: $name', async ({ filters, kind, count }) => {
  const tags = hostileTags(count);
  const asked = wanted(filters.map((pattern) => ({ effect: 'allow', kind, pattern })));
  const pool = start();
  await pool.selectByName(allow('^v'), few, 0);
  const there = await longestStall(() => pool.selectByName(asked, tags, 0));
  const here = await longestStall(() => selectByNameHere(asked, tags, 0));
  expect(there).toBeLessThan(here / 10);
});

test('a policy that takes longer than a second is killed, told so, and hinders nobody afterwards', async () => {
  const { pool, clock } = startWithClock({ threads: 1 });
  const nasty = pool.selectByName(allow(NASTY), hostileTags(50_000), 0);
  const next = pool.selectByName(allow('^1'), few, 0);
  await untilRunning(clock, 1);
  await clock.advance(999);
  expect(pool.killed).toBe(0);
  await clock.advance(1);
  expect(await nasty).toEqual({
    kind: 'fault',
    fault: {
      kind: 'refused',
      error: {
        code: 'FILTER_TOO_SLOW',
        what: 'selecting from 50000 tags took longer than the 1 s that one policy may use, and was stopped',
        where: '',
        fix: expect.any(String) as string,
      },
    },
  });
  expect(pool.killed).toBe(1);
  expect(inShort(await next)).toBe('1.0.1 1.0.0');
});

test('what was too slow is not tried again at once, but later, and on a shorter list', async () => {
  const { pool, clock } = startWithClock({ threads: 1 });
  const tags = hostileTags(50_000);
  const ask = (list = tags): Promise<SelectedByName> => pool.selectByName(allow(NASTY), list, 0);
  const passLimit = async (): Promise<void> => {
    await untilRunning(clock, 1);
    await clock.advance(1_000);
  };
  const first = ask();
  await passLimit();
  const fault = await first;

  await clock.advance(59_000);
  expect(await ask()).toEqual(fault);
  expect(inShort(await ask(tags.slice(0, 10)))).toBe(
    inShort(await selectByNameHere(allow(NASTY), tags.slice(0, 10), 0)),
  );
  const elsewhere = pool.selectByName(
    allow(NASTY, { listing: '["","registry.example.com/web"]' as ListingKey }),
    few,
    0,
  );
  expect(inShort(await elsewhere)).toBe('');
  expect(pool.killed).toBe(1);

  await clock.advance(1_001);
  const second = ask();
  await passLimit();
  expect(await second).toEqual(fault);
  expect(pool.killed).toBe(2);

  // Twice as long now.
  await clock.advance(119_000);
  expect(await ask()).toEqual(fault);
  expect(pool.killed).toBe(2);
});

test('projects take turns', async () => {
  const pool = start({ threads: 1 });
  const ended: string[] = [];
  const ask = async (project: string, at: number): Promise<void> => {
    await pool.selectByName(allow(`^1${'.?'.repeat(at)}`, { project }), few, 0);
    ended.push(project);
  };
  const many = Array.from({ length: 20 }, (_, at) => ask('many', at));
  await Promise.all([...many, ask('few', 0), ask('other', 0), ask('few', 1)]);
  expect(ended.slice(0, 7)).toEqual(['many', 'few', 'other', 'many', 'few', 'many', 'many']);
});

test('however many slow policies a project has, one thread is left for the others', async () => {
  const { pool, clock } = startWithClock({ threads: 2 });
  const tags = hostileTags(50_000);
  const slow = Array.from({ length: 5 }, (_, at) => pool.selectByName(allow(`${NASTY}|x{${at}}y$`), tags, 0));
  await untilRunning(clock, 1);
  // No time passes, so nothing of the slow ones ends before this.
  expect(inShort(await pool.selectByName(allow('^1', { project: 'other' }), few, 0))).toBe('1.0.1 1.0.0');
  expect(pool.killed).toBe(0);
  await pool.close();
  expect((await Promise.all(slow)).map(inShort)).toEqual(Array.from({ length: 5 }, () => 'cancelled BUDGET_EXCEEDED'));
});

test('a policy that takes too much memory ends its thread and nothing else', async () => {
  const pool = start({ threads: 1, heapMb: 16 });
  expect(inShort(await pool.selectByName(allow('^1'), few, 0))).toBe('1.0.1 1.0.0');
  const tags = hostileTags(100_000);
  const large = await pool.selectByName(allow('^[ab]'), tags, 0);
  expect(large).toMatchObject({
    kind: 'fault',
    fault: {
      kind: 'refused',
      error: { code: 'FILTER_TOO_SLOW', what: expect.stringContaining('more memory') as string },
    },
  });
  expect(await pool.selectByName(allow('^[ab]'), tags, 0)).toEqual(large);
  expect(pool.killed).toBe(1);
  expect(inShort(await pool.selectByName(allow('^1'), few, 0))).toBe('1.0.1 1.0.0');
});

test.for([
  { name: 'an expression that is none', asked: allow('('), code: 'FILTER_INVALID' },
  {
    name: 'a glob that is none',
    asked: wanted([{ effect: 'ignore', kind: 'glob', pattern: '[' }]),
    code: 'FILTER_INVALID',
  },
  {
    name: 'too many filters',
    asked: wanted(Array.from({ length: 33 }, () => ({ effect: 'allow', kind: 'glob', pattern: '*' }))),
    code: 'FILTER_INVALID',
  },
  {
    name: 'a constraint that is none',
    asked: wanted([], { strategy: { kind: 'semver', constraint: 'production' } }),
    code: 'CONSTRAINT_INVALID',
  },
])('is a fault, not an exception: $name', async ({ asked, code }) => {
  expect(inShort(await start().selectByName(asked, few, 0))).toBe(`refused ${code}`);
});

test('who goes away is answered at once, whether the policy waits or runs, and the others as before', async () => {
  const { pool, clock } = startWithClock({ threads: 1 });
  const tags = hostileTags(50_000);
  const [runs, waits] = [new AbortController(), new AbortController()];
  const running = pool.selectByName(allow(NASTY), tags, 0, runs.signal);
  const waiting = pool.selectByName(allow(`^${NASTY}`), tags, 0, waits.signal);
  const patient = pool.selectByName(allow('^1'), few, 0);
  await untilRunning(clock, 1);
  waits.abort();
  expect(inShort(await waiting)).toBe('cancelled BUDGET_EXCEEDED');
  runs.abort();
  expect(inShort(await running)).toBe('cancelled BUDGET_EXCEEDED');
  expect(inShort(await pool.selectByName(allow('^2'), few, 0, AbortSignal.abort()))).toBe('cancelled BUDGET_EXCEEDED');

  // What ran is known for what it is, although nobody waited; what only waited was never begun.
  await clock.advance(1_000);
  expect(inShort(await patient)).toBe('1.0.1 1.0.0');
  expect(inShort(await pool.selectByName(allow(NASTY), tags, 0))).toBe('refused FILTER_TOO_SLOW');
  expect(pool.killed).toBe(1);
});

test('a project that lets too much wait is refused, and no other', async () => {
  const { pool, clock } = startWithClock({ threads: 1, maxWaiting: 60_000 });
  const tags = hostileTags(50_000);
  const nasty = pool.selectByName(allow(NASTY), tags, 0);
  await untilRunning(clock, 1);
  const list = tags.slice(0, 20_000);
  const many = [0, 1, 2, 3].map((at) => pool.selectByName(allow(`^1.{${at}}`), list, 0));
  const other = pool.selectByName(allow('^1', { project: 'other' }), few, 0);
  expect((await Promise.all(many.slice(2))).map(inShort)).toEqual(
    Array.from({ length: 2 }, () => 'refused FILTER_TOO_SLOW'),
  );
  await clock.advance(1_000);
  expect(inShort(await nasty)).toBe('refused FILTER_TOO_SLOW');
  expect(inShort(await other)).toBe('1.0.1 1.0.0');
});

test('closing while policies run and wait answers everybody and leaves nothing', async () => {
  const { pool, clock } = startWithClock({ threads: 2 });
  const tags = hostileTags(50_000);
  const asked = ['a', 'b', 'c', 'd'].map((project) => pool.selectByName(allow(NASTY, { project }), tags, 0));
  await untilRunning(clock, 2);
  await pool.close();
  expect((await Promise.all(asked)).map(inShort)).toEqual(Array.from({ length: 4 }, () => 'cancelled BUDGET_EXCEEDED'));
  expect(clock.sleeping).toBe(0);
  expect(inShort(await pool.selectByName(allow('^1'), few, 0))).toBe('cancelled BUDGET_EXCEEDED');
});
