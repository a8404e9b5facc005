import { expect, test } from 'vitest';
import type { FilterSpec } from '../../src/strategy/selection.ts';
import { checkFilter, compileFilter } from '../../src/strategy/filter.ts';

async function kept(spec: FilterSpec, from: readonly string[]): Promise<readonly string[]> {
  const filter = await compileFilter(spec);
  if (!filter.ok) throw new Error(filter.problem);
  return from.filter((tag) => filter.value.keeps(tag));
}

test.for<{ name: string; spec: FilterSpec; from: readonly string[]; want: readonly string[] }>([
  {
    name: 'an allowed regular expression keeps what matches',
    spec: { effect: 'allow', kind: 'regexp', pattern: '^v[0-9]+\\.[0-9]+\\.[0-9]+$' },
    from: ['v1.0.0', 'v1.0.0-rc.1', 'latest'],
    want: ['v1.0.0'],
  },
  {
    name: 'a regular expression is not anchored',
    spec: { effect: 'allow', kind: 'regexp', pattern: 'rc' },
    from: ['v1-rc.1', 'v1'],
    want: ['v1-rc.1'],
  },
  {
    name: 'an exact tag is an anchored expression',
    spec: { effect: 'allow', kind: 'regexp', pattern: '^production$' },
    from: ['production', 'production-old', 'pre-production'],
    want: ['production'],
  },
  {
    name: 'an ignored regular expression drops what matches',
    spec: { effect: 'ignore', kind: 'regexp', pattern: '.*-rc.*' },
    from: ['v1-rc.1', 'v1'],
    want: ['v1'],
  },
  {
    name: 'an ignored glob drops what matches as a whole',
    spec: { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
    from: ['v1-rc.1', 'v1', 'rc'],
    want: ['v1', 'rc'],
  },
  {
    name: 'a glob without star is one tag',
    spec: { effect: 'ignore', kind: 'glob', pattern: 'latest' },
    from: ['latest', 'latest-1'],
    want: ['latest-1'],
  },
  {
    name: 'an allowed glob keeps what matches',
    spec: { effect: 'allow', kind: 'glob', pattern: 'v1.?' },
    from: ['v1.1', 'v1.10'],
    want: ['v1.1'],
  },
])('$name', async ({ spec, from, want }) => {
  expect(await kept(spec, from)).toEqual(want);
});

test.for([
  { name: 'lookahead', kind: 'regexp', pattern: '^(?!dev)', problem: /RE2 syntax/ },
  { name: 'a back reference', kind: 'regexp', pattern: '(a)\\1', problem: /RE2 syntax/ },
  { name: 'an open group', kind: 'regexp', pattern: '(', problem: /RE2 syntax/ },
  { name: 'a repetition too large for RE2', kind: 'regexp', pattern: 'a{1001}', problem: /RE2 syntax/ },
  { name: 'a long expression', kind: 'regexp', pattern: 'a'.repeat(513), problem: /512/ },
  { name: 'an open class', kind: 'glob', pattern: 'v[0-9', problem: /character class/ },
  { name: 'an error behind what decides', kind: 'glob', pattern: 'a*b[', problem: /character class/ },
  { name: 'a lone backslash', kind: 'glob', pattern: 'v1\\', problem: /ends with/ },
  { name: 'a long glob', kind: 'glob', pattern: '*'.repeat(513), problem: /512/ },
] as const)('refuses $name', async ({ kind, pattern, problem }) => {
  const result = await checkFilter({ effect: 'ignore', kind, pattern });
  expect(result).toMatchObject({ ok: false, problem: expect.stringMatching(problem) as string });
});

test('a checked filter is the filter again', async () => {
  const spec: FilterSpec = { effect: 'allow', kind: 'regexp', pattern: '^v' };
  expect(await checkFilter(spec)).toEqual({ ok: true, value: spec });
});

test.for<{ spec: FilterSpec; want: string }>([
  { spec: { effect: 'ignore', kind: 'glob', pattern: '*-rc*' }, want: 'ignore-tags "*-rc*"' },
  { spec: { effect: 'allow', kind: 'regexp', pattern: '^v' }, want: 'allow-tags "regexp:^v"' },
])('a filter is labelled as it was written: $want', async ({ spec, want }) => {
  expect(await compileFilter(spec)).toMatchObject({ ok: true, value: { label: want } });
});

test('patterns made to be slow end all the same', async () => {
  const hostile = `${'a'.repeat(127)}!`;
  expect(await kept({ effect: 'allow', kind: 'regexp', pattern: '^(a|a?)+$' }, [hostile])).toEqual([]);
  expect(await kept({ effect: 'allow', kind: 'glob', pattern: `${'a*'.repeat(100)}b` }, [hostile])).toEqual([]);
});
