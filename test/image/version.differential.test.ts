import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, parseVersion } from '../../src/image/version.ts';
import { askOracle, differences, samples, textOf } from './oracle.ts';

function ours({ text }: { readonly text: string }): unknown {
  const version = parseVersion(text);
  if (version === undefined) return 'refused';
  return [String(version.major), String(version.minor), String(version.patch), version.prerelease];
}

async function mismatches(texts: readonly string[]): Promise<readonly string[]> {
  const questions = texts.map((text) => ({ op: 'version', text }) as const);
  return differences(questions, await askOracle(questions), ours, (answer) =>
    answer.ok ? [answer.major, answer.minor, answer.patch, answer.prerelease ?? ''] : 'refused',
  );
}

/** Pairs of versions whose order we and Go see differently. */
async function misordered(pairs: readonly (readonly [string, string])[]): Promise<readonly string[]> {
  const questions = pairs.map(([a, b]) => ({ op: 'compare', a, b }) as const);
  const order = ({ a, b }: { readonly a: string; readonly b: string }): unknown => {
    const [left, right] = [parseVersion(a), parseVersion(b)];
    return left && right ? Math.sign(compareVersions(left, right)) : 'refused';
  };
  return differences(questions, await askOracle(questions), order, (answer) => (answer.ok ? answer.order : 'refused'));
}

// prettier-ignore
const NUMBERS = [
  '0', '1', '2', '10', '00', '01', '007', '20240101', '999999999999999', '1000000000000000', '9007199254740991',
  '9007199254740992', '9007199254740993', '18446744073709551615', '18446744073709551616',
  '000000000000000000000000000000000000001', '99999999999999999999999',
];
// prettier-ignore
const IDENTIFIERS = [
  '0', '1', '9', '10', '01', 'rc', 'RC', 'alpha', 'beta', '-', '-1', '1-', 'a1', '1a', 'rc1', 'rc.1', 'rc.01',
  '9007199254740992', '9007199254740993', '18446744073709551615', '18446744073709551616', '18446744073709551617',
  'x'.repeat(251),
];
const number = fc.constantFrom(...NUMBERS);
const prerelease = fc
  .array(fc.constantFrom(...IDENTIFIERS), { maxLength: 3 })
  .map((identifiers) => (identifiers.length === 0 ? '' : `-${identifiers.join('.')}`));
const shaped = fc
  .tuple(
    fc.constantFrom('', '', 'v', 'V'),
    fc.array(number, { minLength: 1, maxLength: 4 }),
    prerelease,
    fc.constantFrom('', '', '+b', '+b.1-x', '+', '_1'),
  )
  .map(([prefix, numbers, ...rest]) => prefix + numbers.join('.') + rest.join(''));

test('tags that registries show are read as Masterminds reads them', async () => {
  // prettier-ignore
  const texts = [
    'latest', 'production', 'dev-latest', 'canary', 'v1', 'V1', 'v', '1', '1.2', '1.2.3', '1.2.3.4', 'v1.0.6',
    'v01.02.03', '1.0.0-01', '1.0.0-0', '1.2.3beta', '1.25-alpine', '1.25-alpine3.19', '1.0.0_1', '1.0.0+1',
    '20240101', '8123456', 'sha-1f3c2a', '1f3c2a', '', ' 1.0.0', '1.0.0 ', '1.0.0\n', '1..0', '.1', '1.', '1-',
    '1.0.0-', '1.0.0-a..b', '1.0.0-a_b', 'release-1.0.0', 'v1.0.0-rc.1', '0.1.0-rc.1', '0.2.0-beta.1', '1.0.0--',
    '1.0.0-rc.1+build.5', '１.0.0', '1.0.0-ü', 'vv1', '-1', '+1', '0x10', '1e3', '1_000', ...NUMBERS,
    ...NUMBERS.map((each) => `1.${each}.${each}`), ...IDENTIFIERS.map((each) => `1.0.0-${each}`),
  ];
  expect(await mismatches(texts)).toEqual([]);
});

test('generated texts are read as Masterminds reads them', async () => {
  const wild = textOf('v019.-+aZ', 10);
  expect((await mismatches([...samples(shaped, 3000), ...samples(wild, 3000)])).slice(0, 10)).toEqual([]);
});

test('versions are ordered as Masterminds orders them, beyond 2^53 too', async () => {
  const near = fc
    .tuple(fc.constantFrom('1.0.0', '1.2', '9007199254740993.0.0'), prerelease, prerelease)
    .map(([base, a, b]) => [base + a, base + b] as const);
  const far = fc.tuple(shaped, shaped);
  expect((await misordered([...samples(near, 3000), ...samples(far, 3000)])).slice(0, 10)).toEqual([]);
});

test('npm and our own comparison make one order: no three versions go round in a circle', () => {
  const version = shaped.map(parseVersion).filter((found) => found !== undefined);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
      const isChain = compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0;
      expect(isChain && compareVersions(a, c) > 0).toBe(false);
    }),
    { seed: 1, numRuns: 2000 },
  );
});
