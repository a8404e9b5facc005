import { expect, test } from 'vitest';
import type { FilterSpec, Selection } from '../../src/strategy/selection.ts';
import { decisionKey, isDecidedFrom, listingKey } from '../../src/resolve/keys.ts';
import { accessOf, following, newestBuild, repository, selection, semver } from './harness.ts';

const access = accessOf(repository(), { application: 'a', project: 'p' });
const key = (selected: Selection, onRemoved: 'keep' | 'next-best' = 'keep'): string =>
  decisionKey(access, selected, onRemoved);
const allow: FilterSpec = { effect: 'allow', kind: 'regexp', pattern: '^v' };
const ignore: FilterSpec = { effect: 'ignore', kind: 'glob', pattern: '*-rc*' };
const arm = { os: 'linux', architecture: 'arm64' };
const amd = { os: 'linux', architecture: 'amd64' };

test.for<{ name: string; a: Selection; b: Selection; same: boolean }>([
  {
    name: 'the order of filters means nothing',
    a: semver('~1', { filters: [allow, ignore] }),
    b: semver('~1', { filters: [ignore, allow] }),
    same: true,
  },
  {
    name: 'the order of platforms means nothing',
    a: semver('~1', { platforms: [arm, amd] }),
    b: semver('~1', { platforms: [amd, arm] }),
    same: true,
  },
  { name: 'another constraint is another key', a: semver('~1'), b: semver('~2'), same: false },
  { name: 'another filter is another key', a: semver('~1', { filters: [allow] }), b: semver('~1'), same: false },
  {
    name: 'allowing is not ignoring',
    a: semver('~1', { filters: [allow] }),
    b: semver('~1', { filters: [{ ...allow, effect: 'ignore' }] }),
    same: false,
  },
  { name: 'another platform is another key', a: semver('~1', { platforms: [arm] }), b: semver('~1'), same: false },
  { name: 'another strategy is another key', a: newestBuild, b: selection({ kind: 'alphabetical' }), same: false },
  { name: 'another followed tag is another key', a: following('canary'), b: following('stable'), same: false },
  {
    name: 'text cannot run from one part into the next',
    a: semver('~1', { filters: [{ ...allow, pattern: 'a","b' }] }),
    b: semver('~1', {
      filters: [
        { ...allow, pattern: 'a' },
        { ...allow, pattern: 'b' },
      ],
    }),
    same: false,
  },
])('$name', ({ a, b, same }) => {
  expect(key(a) === key(b)).toBe(same);
});

test('who opted in to next-best does not share a decision with who did not', () => {
  expect(key(semver('~1'), 'next-best')).not.toBe(key(semver('~1')));
});

test('another access scope and another repository are other keys', () => {
  const other = accessOf(repository(), { application: 'a', project: 'q' });
  const elsewhere = accessOf(repository('registry.example.com/acme/web'), { application: 'a', project: 'p' });
  expect(new Set([access, other, elsewhere].map(listingKey)).size).toBe(3);
  expect(new Set([access, other, elsewhere].map((one) => decisionKey(one, newestBuild, 'keep'))).size).toBe(3);
  const decided = decisionKey(access, newestBuild, 'keep');
  expect([access, other, elsewhere].map((one) => isDecidedFrom(decided, listingKey(one)))).toEqual([
    true,
    false,
    false,
  ]);
});
