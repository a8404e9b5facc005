import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileFilter } from '../../src/strategy/filter.ts';
import { askOracle, samples, textOf } from '../image/oracle.ts';

interface Pair {
  readonly pattern: string;
  readonly text: string;
}

async function ours({ pattern, text }: Pair): Promise<unknown> {
  const filter = await compileFilter({ effect: 'allow', kind: 'regexp', pattern });
  return filter.ok ? filter.value.keeps(text) : 'refused';
}

async function mismatches(pairs: readonly Pair[]): Promise<readonly string[]> {
  const answers = await askOracle(pairs.map(({ pattern, text }) => ({ op: 'regexp', pattern, text })));
  const found: string[] = [];
  for (const [index, pair] of pairs.entries()) {
    const answer = answers[index];
    const [we, they] = [await ours(pair), answer?.ok ? answer.matches : 'refused'];
    if (we !== they) found.push(`${JSON.stringify(pair)}: we say ${String(we)}, Go says ${String(they)}`);
  }
  return found;
}

// prettier-ignore
const PATTERNS = [
  '', '^production$', '^v[0-9]+\\.[0-9]+\\.[0-9]+$', '^v\\d+\\.\\d+\\.\\d+$', '.*-rc.*', 'rc', '^dev-', '(?i)RC',
  '(?P<n>v)1', '(?<n>v)1', '\\Av1\\z', '\\Av1\\Z', '[[:alpha:]]+', '[[:digit:]]{2,}', '\\bv1\\b', '^(?:v|release-)',
  'a{0,1000}', 'a{0,1001}', '(a{500}){3}', '(?=a)', '(?!a)', '(?<=a)b', '(a)\\1', '*', '+', 'a**', '(', ')', '[',
  '[z-a]', '\\', '\\C', '\\Qv1.0\\E', '(?s).', '(?U)a+', '(?x)a', '\\pL', '\\p{Greek}', '\\x41', '\\x{110000}',
  '[^\\x00-\\x7F]', '$^', '^$', 'x|', '(|a)+',
];
const TEXTS = [
  '',
  'a',
  'production',
  'production-old',
  'v1',
  'v1.0.0',
  'v1.0.0-rc.1',
  'v1.0.0-RC1',
  'dev-latest',
  'release-2',
  'b1',
  'v1x0',
  'A',
];

test('regular expressions that people write, and ones RE2 refuses, mean what they mean to Go', async () => {
  expect(await mismatches(PATTERNS.flatMap((pattern) => TEXTS.map((text) => ({ pattern, text }))))).toEqual([]);
});

test('generated regular expressions mean what they mean to Go', async () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '1',
    '.',
    '\\.',
    '\\d',
    '\\w',
    '[ab]',
    '[^a]',
    '^',
    '$',
    '(',
    ')',
    '(?:',
    '|',
    '*',
    '+',
    '?',
    '*?',
    '{2}',
    '{1,2}',
    '\\b',
    '-',
    '(?i)',
    'A',
  );
  const pattern = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
  const text = textOf('abA1.-', 6);
  expect((await mismatches(samples(fc.record({ pattern, text }), 5000))).slice(0, 10)).toEqual([]);
});
