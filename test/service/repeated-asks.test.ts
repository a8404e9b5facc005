import { describe, expect, test } from 'vitest';
import type { ResolveQuery } from '../../src/resolve/resolver.ts';
import { readQuery } from '../../src/service/read-query.ts';
import { ask, repository, semver } from '../resolve/harness.ts';

const generation = {
  id: 'one',
  source: { repoURL: 'https://example.com/deploy', path: 'shop', targetRevision: 'main' },
  revision: 'r1',
  parametersFingerprint: 'p1',
};
const asks = Array.from({ length: 40 }, (_, index) =>
  ask(semver('~1.0'), { image: `app-${index}|api`, repository: repository(`registry.example.com/acme/app-${index}`) }),
);
const query: ResolveQuery = {
  v: 1,
  who: { application: 'shop', project: 'team-a' },
  generation,
  budgetMs: 1000,
  asks,
};
const read = (text: string): ResolveQuery => readQuery(Buffer.from(text));
const written = JSON.stringify(query);
const list = JSON.stringify(asks);
const before = written.slice(0, written.indexOf(',"asks":'));

test('what is said before the asks is read each time, and asks that are repeated are the same objects', () => {
  const first = read(written);
  expect(first).toStrictEqual(query);
  const later = {
    ...query,
    who: { ...query.who, project: 'team-b' },
    generation: { ...generation, id: 'two', hooks: true as const },
    budgetMs: 7,
  };
  const second = read(JSON.stringify(later));
  expect(second).toStrictEqual(later);
  expect(second.asks).toBe(first.asks);
  expect(() => read(JSON.stringify({ ...query, budgetMs: -1 }))).toThrow(/^budgetMs is/);
  expect(() => read(JSON.stringify({ ...query, who: {} }))).toThrow(/^who\.application is/);
});

test('one character, another order and an ask more or less are seen', () => {
  const others = [
    asks.map((one, index) => (index === 17 ? { ...one, label: 'apj' } : one)),
    asks.toReversed(),
    asks.slice(1),
    [...asks, ask(semver('~2.0'))],
    asks,
  ];
  for (const other of others) {
    expect(read(written)).toStrictEqual(query);
    expect(read(JSON.stringify({ ...query, asks: other })).asks).toStrictEqual(other);
  }
});

test('no other application or source gets asks that it did not send', () => {
  read(written);
  const others = [
    { ...query, who: { application: 'other' }, asks: asks.slice(2) },
    { ...query, generation: { ...generation, source: { ...generation.source, path: 'other' } }, asks: asks.slice(3) },
  ];
  for (const other of others) expect(read(JSON.stringify(other))).toStrictEqual(other);
  for (const one of [query, ...others]) expect(read(JSON.stringify(one))).toStrictEqual(one);
});

describe('what only looks like a repetition is read as it is:', () => {
  test.for([
    ['something after the asks', `${before},"asks":${list},"explain":true}`, { ...query, explain: true }],
    ['asks that count, after others', `${before},"asks":[],"asks":${list}}`, query],
    ['asks after which others count', `${before},"asks":${list},"asks":[]}`, { ...query, asks: [] }],
    ['asks of something else', `${before},"x":{"a":1,"asks":${list}},"asks":[]}`, { ...query, asks: [] }],
    ['a key that ends like it', `${before},"asks":[],"x,\\"asks":${list}}`, { ...query, asks: [] }],
  ] as const)('%s', ([, text, want]) => {
    read(written);
    for (const _ of [1, 2]) expect(read(text)).toStrictEqual(want);
    expect(read(written)).toStrictEqual(query);
  });

  test.for([
    ['no end', written.slice(0, -1), 'the body is no JSON'],
    ['too many ends', `${written}}`, 'the body is no JSON'],
    ['a text that does not end', `${before},"x":"y,"asks":${list}}`, 'the body is no JSON'],
    [
      'a key that ends like it, and no asks',
      `${before},"x,\\"asks":${list}}`,
      'asks is missing, or of another type or size than it may be',
    ],
    ['another nesting', `[${before},"asks":${list}}]`, 'v is missing, or of another type or size than it may be'],
  ] as const)('%s', ([, text, says]) => {
    read(written);
    expect(() => read(text)).toThrow(says);
  });
});
