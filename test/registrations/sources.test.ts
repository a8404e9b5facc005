import { expect, test } from 'vitest';
import { placeAmong, sameSource } from '../../src/registrations/sources.ts';
import { application } from './known-applications.ts';

const source = { repoURL: 'https://github.com/acme/deploy', path: 'web', targetRevision: 'main' };

test.for([
  { name: 'the same text', repoURL: 'https://github.com/acme/deploy', want: true },
  { name: 'with .git at the end', repoURL: 'https://github.com/acme/deploy.git', want: true },
  { name: 'in capital letters', repoURL: 'https://GitHub.com/Acme/deploy', want: true },
  { name: 'another repository', repoURL: 'https://github.com/acme/deploys', want: false },
  { name: 'the same path on another host', repoURL: 'https://gitlab.com/acme/deploy', want: false },
])('an address: $name', ({ repoURL, want }) => {
  expect(sameSource(source, { ...source, repoURL })).toBe(want);
});

test('both forms of an SSH address are one repository', () => {
  const scp = { ...source, repoURL: 'git@github.com:acme/deploy.git' };
  expect(sameSource(scp, { ...source, repoURL: 'ssh://git@github.com/acme/deploy' })).toBe(true);
  expect(sameSource(scp, { ...source, repoURL: 'ssh://git@github.com/other/deploy' })).toBe(false);
});

test('no target revision is HEAD, and another path another source', () => {
  expect(sameSource({ ...source, targetRevision: '' }, { ...source, targetRevision: 'HEAD' })).toBe(true);
  expect(sameSource({ ...source, path: 'api' }, source)).toBe(false);
});

test('a source has one place in its application whatever its revision and parameters, unless they alone tell it from another', () => {
  const place = (sources: readonly (typeof source)[], of = source, parameters = 'p'): string =>
    placeAmong(application('shop', { sources }), of, parameters);
  const next = { ...source, targetRevision: 'next' };
  const alone = [source, { ...source, path: 'api' }];
  expect(place(alone, next, 'q')).toBe(place(alone));
  expect(place([source, next], next)).not.toBe(place([source, next]));
  expect(place([source, next], source, 'q')).toBe(place([source, next]));
  expect(place([source, source], source, 'q')).not.toBe(place([source, source]));
});
