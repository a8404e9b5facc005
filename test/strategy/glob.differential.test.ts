import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGlob } from '../../src/strategy/glob.ts';
import { askOracle, differences, samples, textOf } from '../image/oracle.ts';

interface Pair {
  readonly pattern: string;
  readonly name: string;
}

function ours({ pattern, name }: Pair): unknown {
  const glob = parseGlob(pattern);
  return glob.ok ? glob.value.matches(name) : 'refused';
}

async function mismatches(pairs: readonly Pair[]): Promise<readonly string[]> {
  const questions = pairs.map(({ pattern, name }) => ({ op: 'glob', pattern, name }) as const);
  return differences(questions, await askOracle(questions), ours, (answer) => (answer.ok ? answer.matches : 'refused'));
}

// prettier-ignore
const PATTERNS = [
  '', '*', '**', '?', '??', '*-rc*', '*-rc.?', 'v1.*', 'v1.*.*', '*.sig', 'a*b*c', '*a', 'a*', '*a*a*a*b', '[', '[]',
  '[]a]', '[^]a]', '[^', '[^a', '[a', '[a-', '[a-]', '[a-z]', '[^a-z]', '[z-a]', '[-a]', '[a-b-c]', '[a-', '[a\\',
  '[\\]]', '[\\-x]', '[x\\-]', '[[]', '[[]*', '[*]', '[*]*', '[a*', '*[', 'a[', '\\', 'a\\', '\\*', '\\a', '*\\',
  ']', 'a]*b', '[]*]', '[^]*]', '*/*', 'docker.io/library/*', '?/?', '[/]', '[^a]', '*[^a]', 'backend-*', '*-*-*',
  '{a,b}', 'v[0-9].[0-9]*',
];
// prettier-ignore
const NAMES = [
  '', 'a', 'b', 'ab', 'abc', 'abcbc', 'aaab', '*', '[', ']', '-', '\\', '/', 'a/b', 'v1.0.0', 'v1.0.0-rc.1', 'v10.0',
  'latest', 'sha256-x.sig', 'docker.io/library/nginx', 'docker.io/library/a/b', 'backend-web',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaab', '{a,b}', 'a*', 'a]b',
];

test('globs that people write, and malformed ones, mean what they mean to filepath.Match', async () => {
  expect(await mismatches(PATTERNS.flatMap((pattern) => NAMES.map((name) => ({ pattern, name }))))).toEqual([]);
});

test('generated globs mean what they mean to filepath.Match', async () => {
  const name = fc.oneof(textOf('ab-/', 8), textOf('ab*?[]\\^-/', 4));
  const wild = textOf('ab*?[]\\^-/', 8);
  const piece = fc.constantFrom('a', 'b', '*', '?', '[ab]', '[^a]', '[a-b]', '\\a', '\\*', '[]', '/', '-');
  const shaped = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  const pairs = [
    ...samples(fc.record({ pattern: wild, name }), 8000),
    ...samples(fc.record({ pattern: shaped, name }), 8000),
  ];
  expect((await mismatches(pairs)).slice(0, 10)).toEqual([]);
});
