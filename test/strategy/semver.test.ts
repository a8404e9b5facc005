import { expect, test } from 'vitest';
import { parseConstraint } from '../../src/image/constraint.ts';
import { semverStrategy } from '../../src/strategy/semver.ts';
import type { Strategy } from '../../src/strategy/strategy.ts';
import { named, order } from './candidates.ts';

function semver(text: string, options = { rejections: true }): Strategy {
  const constraint = parseConstraint(text);
  if (!constraint.ok) throw new Error(constraint.problem);
  return semverStrategy(constraint.value, options);
}

test.for([
  {
    name: 'takes the newest patch release and leaves minor and major releases alone',
    range: '~1.0',
    from: ['v1.0.5', 'v1.0.6', 'v1.1.0', 'v2.0.0'],
    want: 'v1.0.6',
  },
  {
    name: 'returns the tag as published, v prefix kept',
    range: '~1.4',
    from: ['v1.4.0', 'v1.5.0', 'v1.4.2'],
    want: 'v1.4.2',
  },
  {
    name: 'skips a prerelease the constraint does not name',
    range: '^2.0',
    from: ['2.0.0', '2.1.0-rc.1'],
    want: '2.0.0',
  },
  {
    name: 'takes a prerelease where the constraint names one',
    range: '~0-0',
    from: ['0.0.9', '0.1.0-rc.1'],
    want: '0.1.0-rc.1',
  },
  { name: 'finds nothing while there are only prereleases', range: '~0', from: ['0.1.0-rc.1'], want: undefined },
  {
    name: 'prefers the release to its own candidates',
    range: '~0-0',
    from: ['0.1.0-rc.1', '0.1.0', '0.1.0-rc.10'],
    want: '0.1.0',
  },
  { name: 'orders by number, not by text', range: '*', from: ['1.9.0', '1.10.0', '1.2.0'], want: '1.10.0' },
  {
    name: 'orders numbers of a prerelease by number',
    range: '*-0',
    from: ['1.0.0-rc.9', '1.0.0-rc.10'],
    want: '1.0.0-rc.10',
  },
  {
    name: 'takes the lexically last of equal versions',
    range: '1.0',
    from: ['v1.0.0', '1.0', '1.0.0', 'v1.0'],
    want: 'v1.0.0',
  },
  {
    name: 'sees a date as a major version, as argocd-image-updater does',
    range: '*',
    from: ['1.2.3', '20240101'],
    want: '20240101',
  },
  {
    name: 'tells numbers beyond 2^53 apart',
    range: '*',
    from: ['9007199254740993.0.0', '9007199254740992.0.0'],
    want: '9007199254740993.0.0',
  },
  { name: 'does not read _ as +', range: '*', from: ['1.0.0_2', '0.9.0'], want: '0.9.0' },
  { name: 'finds nothing in nothing', range: '*', from: [], want: undefined },
])('$name', ({ range, from, want }) => {
  expect(semver(range).rank(named(...from)).best?.tag).toBe(want);
  expect(semver(range).rank(named(...from.toReversed())).best?.tag).toBe(want);
});

test('ranks best first and says of each other tag by which rule it was rejected', () => {
  const ranking = semver('>=1.0 <2').rank(named('2.0.0', '1.0.0', 'latest', '1.5.0', '1.6.0-rc.1', '0.9.0'));
  expect(order(ranking)).toEqual(['1.5.0', '1.0.0']);
  expect(ranking.rejected).toEqual([
    { tag: '2.0.0', rule: 'constraint >=1.0 <2 (not <2)' },
    { tag: 'latest', rule: 'not a version' },
    { tag: '1.6.0-rc.1', rule: 'constraint >=1.0 <2 (it names no prerelease, and this is one)' },
    { tag: '0.9.0', rule: 'constraint >=1.0 <2 (not >=1.0)' },
  ]);
});

test('keeps no list of rejections where nobody reads it', () => {
  expect(semver('~1', { rejections: false }).rank(named('2.0.0', '1.0.0')).rejected).toEqual([]);
});

test('is labelled as it was written', () => {
  expect([semver(' ~1.4 ').label, semver('').label]).toEqual(['semver ~1.4', 'semver *']);
});
