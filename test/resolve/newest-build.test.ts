import { expect, test } from 'vitest';
import { faultOf } from '../support/memory-registry.ts';
import { API, ask, codes, inShort, newestBuild, selection, semver, world, type World } from './harness.ts';

const MINUTE = 60_000;
const later = (here: World): Promise<void> => here.clock.advance(MINUTE);
const pushMany = (here: World, count: number): void => {
  for (let n = 1; n <= count; n++) here.registry.push(API, `build-${n}`, { createdMs: n });
};
const kinds = (here: World): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { kind } of here.registry.requests) counts[kind] = (counts[kind] ?? 0) + 1;
  here.registry.requests.length = 0;
  return counts;
};

test('500 tags cost one inspection each when cold, then one listing and one HEAD', async () => {
  await using here = await world();
  pushMany(here, 500);
  const first = await here.resolve(ask(newestBuild));
  expect(inShort(first)).toBe('build-500');
  expect(kinds(here)).toEqual({ list: 1, inspect: 500 });
  await later(here);
  await here.restart();
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('build-500');
  expect(kinds(here)).toEqual({ list: 1, head: 1 });
  expect(inShort(await here.resolve(ask(newestBuild), { application: 'other' }))).toBe('build-500');
  expect(kinds(here)).toEqual({});
});

test('up to twenty candidates are all asked at every listing, because tags are pushed again', async () => {
  await using here = await world();
  pushMany(here, 20);
  await here.resolve(ask(newestBuild));
  kinds(here);
  here.registry.push(API, 'build-3', { createdMs: 99 });
  await later(here);
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('build-3');
  expect(kinds(here)).toEqual({ list: 1, head: 20, built: 1 });
});

test('of many candidates the winner is asked, and whoever wins after it too', async () => {
  await using here = await world();
  pushMany(here, 30);
  await here.resolve(ask(newestBuild));
  kinds(here);
  here.registry.push(API, 'build-30', { createdMs: 5 }); // an older build under the same tag
  await later(here);
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('build-29');
  expect(kinds(here)).toEqual({ list: 1, head: 2, built: 1 });
});

test('a new tag is inspected, and only it and the winner are asked', async () => {
  await using here = await world();
  pushMany(here, 30);
  await here.resolve(ask(newestBuild));
  kinds(here);
  here.registry.push(API, 'hotfix', { createdMs: 31 });
  await later(here);
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('hotfix');
  expect(kinds(here)).toEqual({ list: 1, inspect: 1 });
});

test('a re-pushed winner has its new digest written', async () => {
  await using here = await world();
  pushMany(here, 30);
  await here.resolve(ask(newestBuild));
  const digest = here.registry.push(API, 'build-30', { createdMs: 31 });
  await later(here);
  expect(await here.resolve(ask(newestBuild))).toMatchObject({
    kind: 'decided',
    decision: { tag: 'build-30', digest },
  });
});

test('one unreadable date fails a first resolution, and never gives another winner', async () => {
  await using here = await world();
  pushMany(here, 25);
  here.registry.fault = ({ tag }) => (tag === 'build-25' ? faultOf('outage') : undefined);
  const resolution = await here.resolve(ask(newestBuild));
  expect(inShort(resolution)).toBe('failed REGISTRY_UNAVAILABLE');
  expect(resolution.why).toContain('the build date of');
  here.registry.fault = () => undefined;
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('build-25');
});

test('one unreadable date keeps the decision there is', async () => {
  await using here = await world();
  pushMany(here, 5);
  await here.resolve(ask(newestBuild));
  here.registry.push(API, 'new', { createdMs: 99 });
  here.registry.fault = ({ tag }) => (tag === 'new' ? faultOf('throttled') : undefined);
  await later(here);
  const resolution = await here.resolve(ask(newestBuild));
  expect([inShort(resolution), codes(resolution)]).toEqual(['stale build-5', ['ANSWER_STALE']]);
});

test('a first resolution that runs out of budget gets further next time', async () => {
  await using here = await world();
  pushMany(here, 100);
  here.registry.latencyMs = 1_000; // ten at a time: about 9 rounds fit into 10 s after the listing
  const seen: string[] = [];
  for (const _ of [1, 2]) seen.push(inShort(await here.resolve(ask(newestBuild), { budgetMs: 10_500 })));
  expect(seen).toEqual(['failed BUDGET_EXCEEDED', 'build-100']);
  const { list, inspect } = kinds(here);
  expect(list).toBe(1);
  expect(inspect).toBeLessThanOrEqual(110); // the ten in flight when the budget passed are asked again
});

test.for([
  { name: 'no image for the platform', build: { kind: 'no-platform' } as const },
  { name: 'no readable date', build: { kind: 'undated' } as const },
])('a tag with $name is no candidate', async ({ build }) => {
  await using here = await world();
  pushMany(here, 3);
  here.registry.push(API, 'odd', { build });
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('build-3');
});

test('a listed tag without manifest is no candidate', async () => {
  await using here = await world();
  pushMany(here, 3);
  const gone = faultOf('missing');
  here.registry.fault = ({ tag }) => (tag === 'build-3' ? gone : undefined);
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('build-2');
});

test('a removed winner is kept until a newer one comes, although nothing can be asked of it', async () => {
  await using here = await world();
  pushMany(here, 25);
  await here.resolve(ask(newestBuild));
  here.registry.remove(API, 'build-25');
  await later(here);
  const kept = await here.resolve(ask(newestBuild));
  expect([inShort(kept), codes(kept)]).toEqual(['build-25', ['ANSWER_KEPT']]);
  here.registry.push(API, 'newer', { createdMs: 26 });
  await later(here);
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe('newer');
});

test.for([
  { mode: 'latest-first', want: 'b' },
  { mode: 'latest-last', want: 'a' },
] as const)('tagsortmode $mode takes dates from the order and asks for the winner only', async ({ mode, want }) => {
  await using here = await world();
  here.endpoint = { tagSortMode: mode };
  for (const tag of ['b', 'c', 'a']) here.registry.push(API, tag, { createdMs: 1 });
  expect(inShort(await here.resolve(ask(newestBuild)))).toBe(want);
  expect(kinds(here)).toEqual({ list: 1, head: 1 });
});

test('filters are applied before anything is asked', async () => {
  await using here = await world();
  pushMany(here, 30);
  const filters = [{ effect: 'allow', kind: 'glob', pattern: 'build-1?' }] as const;
  expect(inShort(await here.resolve(ask(selection({ kind: 'newest-build' }, { filters }))))).toBe('build-19');
  expect(kinds(here)).toEqual({ list: 1, inspect: 10 });
});

test('two policies of one repository share listing and facts', async () => {
  await using here = await world();
  pushMany(here, 30);
  const filters = [{ effect: 'ignore', kind: 'glob', pattern: 'build-30' }] as const;
  const asks = [
    ask(newestBuild),
    ask(selection({ kind: 'newest-build' }, { filters })),
    ask(semver('*'), { image: 'c' }),
  ];
  expect((await here.resolveAll(asks)).map(inShort)).toEqual(['build-30', 'build-29', 'as-in-git unsatisfied']);
  expect(kinds(here)).toEqual({ list: 1, inspect: 30 });
});
