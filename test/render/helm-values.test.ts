import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { overrideValues, type ValueSource } from '../../src/render/helm/override-values.ts';
import { comparePaths, parseValuePath, type ValuePath } from '../../src/render/helm/value-path.ts';
import { repositoriesText } from '../../src/render/helm/repositories.ts';

function path(text: string): ValuePath {
  const found = parseValuePath(text);
  if (!found.ok) throw new Error(found.problem);
  return found.value;
}

test.for<{ text: string; want: ValuePath | undefined }>([
  { text: 'image.tag', want: ['image', 'tag'] },
  { text: 'foo[1].image.tag', want: ['foo', 1, 'image', 'tag'] },
  { text: 'a[0][2]', want: ['a', 0, 2] },
  { text: String.raw`a\.b.c\[0]`, want: undefined },
  { text: String.raw`a\.b.c\[0\]`, want: ['a.b', 'c[0]'] },
  { text: '__proto__.x', want: ['__proto__', 'x'] },
  { text: 'a-b/c d', want: ['a-b/c d'] },
  { text: '', want: undefined },
  { text: 'a..b', want: undefined },
  { text: 'a.', want: undefined },
  { text: '[0].a', want: undefined },
  { text: 'a[x]', want: undefined },
  { text: 'a[0]b', want: undefined },
  { text: 'a[65537]', want: undefined },
  { text: 'a=b', want: undefined },
  { text: 'a,b', want: undefined },
  { text: 'a'.repeat(513), want: undefined },
])('$text is the path $want', ({ text, want }) => {
  const found = parseValuePath(text);
  expect(found.ok ? found.value : undefined).toEqual(want);
});

test.for<{ a: string; b: string; want: string }>([
  { a: 'image.tag', b: 'image.tag', want: 'equal' },
  { a: 'image', b: 'image.tag', want: 'overlapping' },
  { a: 'a[0].b', b: 'a[0]', want: 'overlapping' },
  { a: 'a[0].b', b: 'a[1].b', want: 'apart' },
  { a: 'image.tag', b: 'image.tags', want: 'apart' },
])('$a and $b are $want', ({ a, b, want }) => {
  expect(comparePaths(path(a), path(b))).toBe(want);
});

function overridden(
  overrides: Readonly<Record<string, string>>,
  ...texts: readonly string[]
): ReturnType<typeof overrideValues> {
  const sources: ValueSource[] = texts.map((text) => (text === 'https' ? { kind: 'unread' } : { kind: 'text', text }));
  return overrideValues(
    Object.entries(overrides).map(([text, value]) => ({ path: path(text), value })),
    sources,
  );
}

describe('the values of image policies', () => {
  test('are strings, whatever they look like, below keys that are strings', () => {
    expect(overridden({ 'on.tag': '1.10', 'on.name': 'null', x: 'a: b' })).toEqual({
      ok: true,
      value: '"on":\n  "tag": "1.10"\n  "name": "null"\n"x": "a: b"\n',
    });
  });

  test('hold the list of the strongest source that has it, as it is written there', () => {
    const weak = 'a: {l: [{t: 1}, {t: 2}, {t: 3}]}\n';
    const strong = 'a:\n  l:\n    # why\n    - {t: 0o7, n: ~, e: , q: "1.10"}\n    - t: 1.10\n';
    const found = overridden(
      { 'a.l[1].t': 'new', 'a.l[1].r.s': 'made' },
      weak,
      strong,
      'b: 1\n',
      'a: {other: 1}\n',
      '',
    );
    expect(found.ok && parse(found.value, { schema: 'failsafe' })).toEqual({
      a: {
        l: [
          { t: '0o7', n: '~', e: 'null', q: '1.10' },
          { t: 'new', r: { s: 'made' } },
        ],
      },
    });
    expect(found.ok && found.value).toContain('q: "1.10"');
  });

  test('keep __proto__ a key', () => {
    expect(overridden({ '__proto__.x': '1' })).toEqual({ ok: true, value: '"__proto__":\n  "x": "1"\n' });
  });

  test.for<{ name: string; overrides: Readonly<Record<string, string>>; texts: readonly string[]; problem: RegExp }>([
    {
      name: 'a list that is nowhere',
      overrides: { 'a.l[0]': 'x' },
      texts: ['a: {b: 1}'],
      problem: /have no list a\.l/,
    },
    {
      name: 'a list that a later source takes away',
      overrides: { 'l[0]': 'x' },
      texts: ['l: [1]', 'l: null'],
      problem: /no list in the values/,
    },
    {
      name: 'a list below what a later source makes a text',
      overrides: { 'a.l[0]': 'x' },
      texts: ['a: {l: [1]}', 'a: b'],
      problem: /no list in the values/,
    },
    {
      name: 'a list that a URL may set',
      overrides: { 'l[0]': 'x' },
      texts: ['l: [1]', 'https'],
      problem: /a URL may set/,
    },
    { name: 'an element that is not there', overrides: { 'l[1]': 'x' }, texts: ['l: [1]'], problem: /no element 1/ },
    {
      name: 'a key of an element that is a text',
      overrides: { 'l[0].a': 'x' },
      texts: ['l: [1]'],
      problem: /neither map nor list/,
    },
    {
      name: 'a list with aliases',
      overrides: { 'l[0].a': 'x' },
      texts: ['d: &d {}\nl: [{b: *d}]'],
      problem: /anchors/,
    },
    { name: 'a list with a merge', overrides: { 'l[0].a': 'x' }, texts: ['l: [{<<: {a: 1}}]'], problem: /anchors/ },
    {
      name: 'a list behind an alias',
      overrides: { 'a.l[0]': 'x' },
      texts: ['d: &d {l: [1]}\na: *d'],
      problem: /anchors/,
    },
    { name: 'one inside another', overrides: { a: 'x', 'a.b': 'y' }, texts: [], problem: /inside another/ },
  ])('cannot set $name', ({ overrides, texts, problem }) => {
    expect(overridden(overrides, ...texts)).toMatchObject({
      ok: false,
      problem: expect.stringMatching(problem) as string,
    });
  });
});

test('a dependency build knows the entries it needs and registers every other address once, without credentials', () => {
  const ours = { name: 'ours', url: 'https://charts.example.com/', username: 'u', caFile: '/ca.pem' };
  const urls = ['https://charts.example.com', 'https://a.example.org', 'https://a.example.org'];
  expect(JSON.parse(repositoriesText([ours], urls, { passCredentials: true }))).toMatchObject({
    repositories: [
      { ...ours, pass_credentials_all: true },
      { name: 'chart-dependency-1', url: 'https://a.example.org' },
    ],
  });
});
