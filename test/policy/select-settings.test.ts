import { expect, test } from 'vitest';
import { selectionFromSettings } from '../../src/policy/select-settings.ts';
import { errorOf } from './support.ts';

test('options become a selection', async () => {
  const selection = await selectionFromSettings({
    strategy: 'semver',
    constraint: '~1.0',
    allowTags: ['regexp:^v', 'any'],
    ignoreTags: ['*-rc*,*-dev', 'regexp:^x,y'],
  });
  expect(selection).toEqual({
    strategy: { kind: 'semver', constraint: '~1.0' },
    filters: [
      { effect: 'allow', kind: 'regexp', pattern: '^v' },
      { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
      { effect: 'ignore', kind: 'glob', pattern: '*-dev' },
      { effect: 'ignore', kind: 'regexp', pattern: '^x,y' },
    ],
    platforms: [{ os: 'linux', architecture: 'amd64' }],
  });
});

test.for([
  { name: 'an unknown strategy', options: { strategy: 'newest' }, where: 'option --strategy' },
  { name: 'a strategy that selects no tag', options: { strategy: 'digest' }, where: 'option --strategy' },
  { name: 'none', options: { strategy: 'none' }, where: 'option --strategy' },
  { name: 'an invalid constraint', options: { constraint: '~~1' }, where: 'option --constraint' },
  {
    name: 'an invalid constraint that the strategy does not use',
    options: { strategy: 'name', constraint: '~~' },
    where: 'option --constraint',
  },
  { name: 'an empty constraint', options: { constraint: '' }, where: 'option --constraint' },
  { name: 'a filter without function', options: { allowTags: ['^v'] }, where: 'option --allow-tags' },
  { name: 'an invalid expression', options: { allowTags: ['regexp:('] }, where: 'option --allow-tags' },
  { name: 'an invalid glob', options: { ignoreTags: ['[a'] }, where: 'option --ignore-tags' },
  { name: 'regexp without expression', options: { strategy: 'regexp' }, where: 'option --strategy' },
])('$name is wrong usage', async ({ options, where }) => {
  const error = await errorOf(() =>
    selectionFromSettings({ strategy: 'semver', allowTags: [], ignoreTags: [], ...options }),
  );
  expect(error).toMatchObject({ code: 'USAGE', where });
  expect(error.fix).not.toBe('');
});

test('a constraint that the strategy does not use may be there', async () => {
  const { strategy } = await selectionFromSettings({
    strategy: 'Name',
    constraint: '~1.2',
    allowTags: [],
    ignoreTags: [],
  });
  expect(strategy).toEqual({ kind: 'alphabetical' });
});

test.for(['foo', 'digest'])('for the strategy %s those are named that select a tag', async (strategy) => {
  const { fix } = await errorOf(() => selectionFromSettings({ strategy, allowTags: [], ignoreTags: [] }));
  expect(fix).toBe('write one of semver, newest-build, latest, alphabetical, name, regexp');
});
