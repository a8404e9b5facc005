import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { alphabeticalStrategy } from '../../src/strategy/alphabetical.ts';
import { digestStrategy } from '../../src/strategy/digest.ts';
import { NO_BUILD_DATE, newestBuildStrategy } from '../../src/strategy/newest-build.ts';
import type { Candidate } from '../../src/strategy/strategy.ts';
import { built, named, order } from './candidates.ts';

test('alphabetical orders by bytes: digits, upper case, underscore, lower case', () => {
  const ranking = alphabeticalStrategy().rank(named('b', 'B', '_', '10', '9', 'a', 'build-2', 'build-10'));
  expect(order(ranking)).toEqual(['build-2', 'build-10', 'b', 'a', '_', 'B', '9', '10']);
  expect(ranking.best?.tag).toBe('build-2');
});

test.for([
  {
    name: 'the tag built last',
    from: { old: '2024-01-01T00:00:00Z', new: '2024-06-01T00:00:00Z', mid: '2024-03-01T00:00:00Z' },
    want: ['new', 'mid', 'old'],
  },
  {
    name: 'the lexically last of tags built at one moment',
    from: { a: '2024-01-01T00:00:00Z', c: '2024-01-01T00:00:00Z', b: '2024-01-01T00:00:00Z' },
    want: ['c', 'b', 'a'],
  },
  {
    name: 'a reproducible build of 1970 last',
    from: { repro: '1970-01-01T00:00:00Z', other: '2020-01-01T00:00:00Z' },
    want: ['other', 'repro'],
  },
  {
    name: 'a date before 1970 even after that',
    from: { never: '0001-01-01T00:00:00Z', repro: '1970-01-01T00:00:00Z' },
    want: ['repro', 'never'],
  },
])('newest-build takes $name', ({ from, want }) => {
  expect(order(newestBuildStrategy().rank(built(from)))).toEqual(want);
});

test('newest-build names every tag without a build date, so that the caller can see the winner may be wrong', () => {
  const ranking = newestBuildStrategy().rank([
    ...built({ known: '2024-01-01T00:00:00Z', unknown: undefined }),
    { tag: 'unreadable' as Tag, createdMs: Number.NaN },
  ]);
  expect(ranking.best?.tag).toBe('known');
  expect(ranking.rejected).toEqual([
    { tag: 'unknown', rule: NO_BUILD_DATE },
    { tag: 'unreadable', rule: NO_BUILD_DATE },
  ]);
});

test.for([
  {
    name: 'follows its tag',
    tag: 'canary',
    from: ['stable', 'canary'],
    want: 'canary',
    rejected: ['not the tag canary'],
  },
  {
    name: 'takes no other tag when its own is missing',
    tag: 'canary',
    from: ['canary-2'],
    want: undefined,
    rejected: ['not the tag canary'],
  },
  {
    name: 'without a tag follows the one of the field',
    tag: undefined,
    from: ['stable'],
    want: 'stable',
    rejected: [],
  },
  {
    name: 'without a tag does not choose between two',
    tag: undefined,
    from: ['a', 'b'],
    want: undefined,
    rejected: ['digest without a tag to follow', 'digest without a tag to follow'],
  },
])('digest $name', ({ tag, from, want, rejected }) => {
  const ranking = digestStrategy(tag as Tag | undefined, { rejections: true }).rank(named(...from));
  expect(ranking.best?.tag).toBe(want);
  expect(ranking.rejected.map(({ rule }) => rule)).toEqual(rejected);
});

test('each strategy says which facts it needs', () => {
  const strategies = [alphabeticalStrategy(), newestBuildStrategy(), digestStrategy(undefined, { rejections: true })];
  expect(strategies.map(({ needs }) => needs)).toEqual(['tags', 'created', 'digest']);
});

test.for([
  { name: 'alphabetical', strategy: alphabeticalStrategy() },
  { name: 'newest-build', strategy: newestBuildStrategy() },
])('$name gives one answer whatever the order of the candidates, and leaves them as they are', ({ strategy }) => {
  const candidate = fc.record({
    tag: fc.constantFrom('a', 'b', 'B', '1', '10', '2'),
    createdMs: fc.constantFrom(0, 1, 2),
  });
  const candidates = fc.uniqueArray(candidate, { selector: ({ tag }) => tag }) as fc.Arbitrary<Candidate[]>;
  fc.assert(
    fc.property(candidates, (given) => {
      const before = structuredClone(given);
      expect(order(strategy.rank(given))).toEqual(order(strategy.rank(given.toReversed())));
      expect(given).toEqual(before);
    }),
    { seed: 1 },
  );
});
