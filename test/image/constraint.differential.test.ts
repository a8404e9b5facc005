import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConstraint, satisfies } from '../../src/image/constraint.ts';
import { parseVersion } from '../../src/image/version.ts';
import { askOracle, differences, samples, textOf } from './oracle.ts';

interface Pair {
  readonly constraint: string;
  readonly version: string;
}

function ours({ constraint, version }: Pair): unknown {
  const parsed = parseConstraint(constraint);
  if (!parsed.ok) return 'refused';
  const found = parseVersion(version);
  return found !== undefined && satisfies(parsed.value, found);
}

/** Nothing written is `*` for us, as for argocd-image-updater, which does not hand it to Masterminds. */
async function mismatches(pairs: readonly Pair[]): Promise<readonly string[]> {
  const questions = pairs
    .filter(({ constraint }) => constraint.trim() !== '' && constraint.length <= 256)
    .map(({ constraint, version }) => ({ op: 'satisfies', constraint, version }) as const);
  return differences(questions, await askOracle(questions), ours, (answer) => (answer.ok ? answer.matches : 'refused'));
}

// prettier-ignore
const VERSIONS = [
  '0.0.0', '0.0.1', '0.0.0-0', '0.0.1-rc.1', '0.1.0', '0.1.0-rc.1', '0.2.0-beta.1', '0.2.0', '0.2.3', '0.2.4',
  '0.3.0', '0.9.9', '1.0.0-rc.1', '1.0.0', 'v1.0.5', 'v1.0.6', '1.0.6-rc.1', '1.1.0', '1.1.0-rc.1', '1.2.0',
  '1.2.0-0', '1.2.3', '1.2.3-beta', '1.2.4', '1.3.0', '1.3.0-alpha', '1.5.2', '2.0.0-0', '2.0.0-rc.1', '2.0.0',
  '2.1.0', '3.0.0', '11.0.0', '11.1.0', '12.0.0', '20240101', '9007199254740992.0.0', '9007199254740993.0.0',
  '18446744073709551615.0.0', 'latest', '1.25-alpine',
];

// prettier-ignore
const CONSTRAINTS = [
  '*', 'x', 'X', '1', '1.x', '1.2', '1.2.x', '1.2.X', '1.x.x', '1.x.3', 'x.2.3', '*.*', '1.2.3', 'v1.2.3', '=1.2',
  '=1.2.3', '= 1.2.3', '!=1', '!=1.x', '!=1.2', '!=1.2.x', '!=1.2.3', '!=*', '!=1.2.x-0', '!=1.2.3-beta', '>1',
  '>11', '>1.2', '>1.2.3', '>*', '>1.2.3-0', '<1', '<1.2', '<1.2.3', '<*', '<2-0', '>=1', '=>1', '>=1.2', '>=1.0.0',
  '>=*', '>= 1.0.0-0', '<=1', '=<1', '<=1.2', '<=11', '<=1.2.3', '<=*', '<=0.0', '<=1.2-0', '~1', '~1.0', '~1.0.0',
  '~>1.0', '~> 1.2.3', '~0', '~0-0', '~0.0', '~0.0.0', '~*', '~1.2', '~1.2.3', '~1.2.3-beta', '~1.2-0', '^1', '^1.0',
  '^1.0.0', '^1.2.3', '^0', '^0.0', '^0.0.0', '^0.0.1', '^0.2', '^0.2.3', '^*', '^x', '^0-0', '^0.0-0', '^0.0.1-0',
  '2.x-0', '1.x-0', '*-0', '1-0', '^1-0', '>=1.0 <2', '>=1.0, <2', '>=1.0,<2', '>=1.0 ,<2', '>=1 <2 !=1.2.3',
  '1 || 2', '1||2', '~1.0 || ^2', '>=1.0 <1.2 || >=2.0.0-0', '>1.0.0-0 <2', '<2 >1.0.0-0', '1 - 2', '1.0 - 1.2.3',
  '1.2.3 - 2', '1 - 2 || 11', '1 - 2 || 1 - 2', '1 - 2,11 - 2', '11 - 2,1 - 2', '1 - 2||3', '1 -2', '1- 2',
  '1 - 2 - 3', '  1 - 2  3', '1.0.0-rc.1 - 2', '1 - 2-0', '9007199254740993', '>9007199254740992.0.0',
  '^9007199254740992', '18446744073709551615', '18446744073709551616', '01.02', '1.0.0-01', '1.2.3+b', '1+b',
  '>=1.2.3+b <2+c', '1,', ',1', '1,,2', '1 , 2', '||', '1||', '||1', '1 || ', '|', '1|2', '1|', 'xx', '1x', 'x1',
  '**', '>= ', '>=', '><1', '>==1', '==1', '!1', '! =1', '> =1', '=~1', '~^1', '~~1', '~ >1', '1.2.3.4', '1.', '.1',
  '1..2', 'v', 'V1', 'vv1', 'latest', '^', '1.2.3-', '1.2.3-a..b', '1-a_b', 'a', '1 a', '1\u00a02', '\u00a01',
  '1\u000b2', '1\t2', '1\n2', '\n~1\n', ' ~1 ', ' ~ 1 ', '>=1;<2', '1 & 2', '1 and 2', '(1)', '>=1 < 2',
  '>= 1.0.0, < 2.0.0 ', '1.0.0 1.0.0',
];

test('constraints that people write, and ones that are just not legal, mean what they mean to Masterminds', async () => {
  const pairs = CONSTRAINTS.flatMap((constraint) => VERSIONS.map((version) => ({ constraint, version })));
  expect((await mismatches(pairs)).slice(0, 10)).toEqual([]);
});

test('generated constraints mean what they mean to Masterminds', async () => {
  const number = fc.constantFrom('0', '0', '1', '1', '2', '3', '11', 'x', '*', 'X', '01');
  const suffix = fc.constantFrom('', '', '', '', '-0', '-rc.1', '-beta', '+b', '-0+b');
  const version = fc
    .tuple(fc.constantFrom('', '', 'v'), fc.array(number, { minLength: 1, maxLength: 3 }), suffix)
    .map(([prefix, numbers, end]) => prefix + numbers.join('.') + end);
  const operator = fc.constantFrom('', '', '=', '!=', '>', '<', '>=', '=>', '<=', '=<', '~', '~>', '^');
  const space = fc.constantFrom('', '', ' ', '  ', '\t');
  const term = fc.tuple(operator, space, version).map((parts) => parts.join(''));
  const between = fc.constantFrom(' ', ' ', ', ', ',', ' , ', ' || ', '||', ' - ', '  -  ', '');
  const constraint = fc
    .tuple(space, fc.array(fc.tuple(term, between), { minLength: 1, maxLength: 4 }), term, space)
    .map(([before, terms, last, after]) => before + terms.flat().join('') + last + after);
  const one = fc.tuple(space, term, space).map((parts) => parts.join(''));
  const wild = textOf('01.x*-+|<>=!~^, v', 10);
  const tag = fc
    .tuple(
      fc.array(fc.constantFrom('0', '1', '2', '3', '11'), { minLength: 3, maxLength: 3 }),
      fc.constantFrom('', '', '', '-0', '-rc.1', '-beta', '-z'),
    )
    .map(([numbers, end]) => numbers.join('.') + end);
  const pairs = [one, constraint, wild].flatMap((each) =>
    samples(fc.record({ constraint: each, version: fc.oneof(tag, fc.constantFrom(...VERSIONS)) }), 6000),
  );
  expect((await mismatches(pairs)).slice(0, 10)).toEqual([]);
});
