import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closestName } from '../../src/text/closest-name.ts';
import { parseDuration } from '../../src/text/duration.ts';
import { compileHostPattern, parseHost } from '../../src/operator/host-name.ts';
import { coversRepository, parseRepositoryPrefix } from '../../src/operator/repository-prefix.ts';

describe('parseDuration', () => {
  test.for([
    { text: '30s', want: 30_000 },
    { text: '2m', want: 120_000 },
    { text: '1h30m', want: 5_400_000 },
    { text: '0s', want: 0 },
    { text: '0', want: 0 },
    { text: '1.5s', want: 1500 },
    { text: '.5m', want: 30_000 },
    { text: '250ms', want: 250 },
    { text: '1500us', want: 2 },
    { text: '1500µs', want: 2 },
    { text: '1000000ns', want: 1 },
  ])('reads $text', ({ text, want }) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: want });
  });

  test.for([
    '',
    '30',
    's',
    '-1s',
    '+1s',
    '1d',
    '1 s',
    '1s ',
    '1s2',
    '1..5s',
    '.s',
    '1e3s',
    '１s',
    `${'9'.repeat(400)}s`,
  ])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toMatchObject({ ok: false, problem: 'is not a duration' });
  });
});

describe('compileHostPattern', () => {
  test.for([
    { pattern: 'ghcr.io', host: 'ghcr.io', want: true },
    { pattern: 'ghcr.io', host: 'xghcr.io', want: false },
    { pattern: 'ghcr.io', host: 'ghcr.io:443', want: false },
    { pattern: 'GHCR.io', host: 'ghcr.io', want: true },
    { pattern: 'index.docker.io', host: 'docker.io', want: true },
    { pattern: 'registry.example.com:5000', host: 'registry.example.com:5000', want: true },
    { pattern: 'registry.example.com:*', host: 'registry.example.com:5000', want: true },
    { pattern: '*.pkg.dev', host: 'europe-docker.pkg.dev', want: true },
    { pattern: '*.pkg.dev', host: 'pkg.dev', want: false },
    { pattern: '*.pkg.dev', host: 'a.b.pkg.dev', want: false },
    { pattern: '*.pkg.dev', host: 'a.pkg.dev.evil.example', want: false },
    { pattern: '*.dkr.ecr.*.amazonaws.com', host: '1.dkr.ecr.eu-west-1.amazonaws.com', want: true },
    { pattern: '*.dkr.ecr.*.amazonaws.com', host: 'a.dkr.ecr.b.s3.amazonaws.com', want: false },
    { pattern: '*', host: 'anything.example:1', want: true },
    { pattern: '[::1]:5000', host: '[::1]:5000', want: true },
  ])('$pattern for $host: $want', ({ pattern, host, want }) => {
    const compiled = compileHostPattern(pattern);
    expect(compiled.ok && compiled.value(host)).toBe(want);
  });

  test.for(['https://ghcr.io', 'ghcr.io/acme', 'a b', '', 'ghcr.io:', 'x[*'])('refuses "%s"', (pattern) => {
    expect(compileHostPattern(pattern).ok).toBe(false);
  });
});

test.for([
  { written: 'Registry.Example.COM:5000', want: 'registry.example.com:5000' },
  { written: 'registry-1.docker.io', want: 'docker.io' },
])('the normal form of $written is $want', ({ written, want }) => {
  expect(parseHost(written)).toEqual({ ok: true, value: want });
});

describe('coversRepository', () => {
  test.for([
    { prefix: 'ghcr.io', repository: 'ghcr.io/acme/api', want: true },
    { prefix: 'ghcr.io/', repository: 'ghcr.io/acme/api', want: true },
    { prefix: 'ghcr.io/acme', repository: 'ghcr.io/acme/api', want: true },
    { prefix: 'ghcr.io/acme/', repository: 'ghcr.io/acme/api', want: true },
    { prefix: 'ghcr.io/acme/api', repository: 'ghcr.io/acme/api', want: true },
    { prefix: 'ghcr.io/acm', repository: 'ghcr.io/acme/api', want: false },
    { prefix: 'ghcr.io/acme/api/x', repository: 'ghcr.io/acme/api', want: false },
    { prefix: 'quay.io/acme', repository: 'ghcr.io/acme/api', want: false },
    { prefix: 'index.docker.io/library', repository: 'docker.io/library/nginx', want: true },
  ])('$prefix for $repository: $want', ({ prefix, repository, want }) => {
    const parsed = parseRepositoryPrefix(prefix);
    const [host = '', ...path] = repository.split('/');
    expect(parsed.ok && coversRepository(parsed.value, { host, path: path.join('/') })).toBe(want);
  });

  test.for(['', '/acme', 'ghcr.io/a//b', 'ghcr.io/../x', 'ghcr.io/A', 'https://ghcr.io/a', 'ghcr.io/*'])(
    '"%s" is no prefix',
    (written) => {
      expect(parseRepositoryPrefix(written).ok).toBe(false);
    },
  );
});

describe('closestName', () => {
  test.for([
    { written: 'intervall', want: 'interval' },
    { written: 'INTERVAL', want: 'interval' },
    { written: 'budgte', want: 'budget' },
    { written: 'xyz', want: undefined },
    { written: '', want: undefined },
  ])('$written: $want', ({ written, want }) => {
    expect(closestName(written, ['interval', 'minimumInterval', 'budget'])).toBe(want);
  });

  test('finds a name in which one letter is wrong', () => {
    const known = ['interval', 'registries', 'controller'];
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.nat(7), (name, at) => {
        expect(closestName(`${name.slice(0, at)}#${name.slice(at + 1)}`, known)).toBe(name);
      }),
    );
  });
});
