import { expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import type { Tag } from '../../src/image/reference.ts';
import type { FilterSpec, Selection, StrategySpec } from '../../src/strategy/selection.ts';
import { selectorFor } from '../../src/strategy/from-spec.ts';
import { NO_BUILD_DATE } from '../../src/strategy/newest-build.ts';
import { named, order, tags } from './candidates.ts';

function selection(strategy: StrategySpec, ...filters: readonly FilterSpec[]): Selection {
  return { strategy, filters, platforms: [{ os: 'linux', architecture: 'amd64' }] };
}

const any: StrategySpec = { kind: 'alphabetical' };
const hex = 'ab'.repeat(32);

test.for<{
  name: string;
  strategy: StrategySpec;
  filters: readonly FilterSpec[];
  from: readonly string[];
  want: string | undefined;
}>([
  {
    name: 'a stable release while release candidates are pushed to the same repository',
    strategy: { kind: 'semver', constraint: '~1.0' },
    filters: [
      { effect: 'allow', kind: 'regexp', pattern: '^v[0-9]+\\.[0-9]+\\.[0-9]+$' },
      { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
    ],
    from: ['v1.0.5', 'v1.0.6', 'v1.0.7-rc.1', '1.0.8', 'v1.1.0', 'v2.0.0', 'dev-latest'],
    want: 'v1.0.6',
  },
  {
    name: 'the one mutable tag a filter leaves',
    strategy: any,
    filters: [{ effect: 'allow', kind: 'regexp', pattern: '^production$' }],
    from: ['production', 'production-2024', 'staging'],
    want: 'production',
  },
  {
    name: 'what every filter keeps',
    strategy: any,
    filters: [
      { effect: 'allow', kind: 'regexp', pattern: '^v' },
      { effect: 'allow', kind: 'regexp', pattern: '1$' },
      { effect: 'ignore', kind: 'glob', pattern: '*-*' },
    ],
    from: ['v1', 'v2', 'v2-1', '1'],
    want: 'v1',
  },
  {
    name: 'nothing when the filters leave nothing',
    strategy: any,
    filters: [{ effect: 'ignore', kind: 'glob', pattern: '*' }],
    from: ['a'],
    want: undefined,
  },
  {
    name: 'the tag that is followed',
    strategy: { kind: 'digest', tag: 'canary' as Tag },
    filters: [],
    from: ['stable', 'canary'],
    want: 'canary',
  },
])('selects $name', async ({ strategy, filters, from, want }) => {
  const selector = await selectorFor(selection(strategy, ...filters));
  expect(selector.rank(named(...selector.preselect(tags(...from)).kept)).best?.tag).toBe(want);
});

test('signatures, attestations, SBOMs and referrers are never candidates', async () => {
  const selector = await selectorFor(selection(any));
  const { kept, rejected } = selector.preselect(
    tags(
      `sha256-${hex}.sig`,
      `sha256-${hex}.att`,
      `sha256-${hex}.sbom`,
      `sha256-${hex}`,
      'sha256-abc.sig',
      'sha-1f3c2a',
      `sha256-${hex}.txt`,
    ),
  );
  expect(kept).toEqual(['sha256-abc.sig', 'sha-1f3c2a', `sha256-${hex}.txt`]);
  expect(new Set(rejected.map(({ rule }) => rule))).toEqual(new Set(['signature, attestation or SBOM, not an image']));
  expect(rejected).toHaveLength(4);
});

test('a rejected tag carries the first rule against it', async () => {
  const selector = await selectorFor(
    selection(
      any,
      { effect: 'allow', kind: 'regexp', pattern: '^v' },
      { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
    ),
  );
  expect(selector.preselect(tags('v1', 'v1-rc', 'x-rc')).rejected).toEqual([
    { tag: 'v1-rc', rule: 'ignore-tags "*-rc*"' },
    { tag: 'x-rc', rule: 'allow-tags "regexp:^v"' },
  ]);
});

test('without rejections nothing is listed but tags without a build date', async () => {
  const selector = await selectorFor(
    selection({ kind: 'newest-build' }, { effect: 'ignore', kind: 'glob', pattern: 'a' }),
    {
      rejections: false,
    },
  );
  expect(selector.preselect(tags('a', 'b'))).toEqual({ kept: ['b'], rejected: [] });
  expect(selector.rank(named('b')).rejected).toEqual([{ tag: 'b', rule: NO_BUILD_DATE }]);
  const semver = await selectorFor(selection({ kind: 'semver', constraint: '^2' }), { rejections: false });
  expect(semver.rank(named('1.0.0', '2.0.0'))).toMatchObject({ best: { tag: '2.0.0' }, rejected: [] });
});

test('the label tells strategy and filters', async () => {
  const selector = await selectorFor(
    selection({ kind: 'semver', constraint: '~1.0' }, { effect: 'ignore', kind: 'glob', pattern: '*-rc*' }),
  );
  expect([selector.label, selector.needs]).toEqual(['semver ~1.0, ignore-tags "*-rc*"', 'tags']);
});

test.for<{ name: string; given: Selection; code: string }>([
  {
    name: 'a constraint that cannot be parsed',
    given: selection({ kind: 'semver', constraint: '~~1' }),
    code: 'CONSTRAINT_INVALID',
  },
  {
    name: 'a filter that cannot be used',
    given: selection(any, { effect: 'ignore', kind: 'glob', pattern: '[' }),
    code: 'FILTER_INVALID',
  },
  {
    name: 'more than 32 filters',
    given: selection(
      any,
      ...Array.from({ length: 33 }, (): FilterSpec => ({ effect: 'ignore', kind: 'glob', pattern: 'a' })),
    ),
    code: 'FILTER_INVALID',
  },
])('refuses $name', async ({ given, code }) => {
  await expect(selectorFor(given)).rejects.toMatchObject({ name: 'UserError', code });
});

test('takes 100,000 tags', async () => {
  const all = Array.from(
    { length: 100_000 },
    (_, index): Tag => `v1.${index % 100}.${index}${index % 3 === 0 ? '-rc.1' : ''}` as Tag,
  );
  const selector = await selectorFor(
    selection(
      { kind: 'semver', constraint: '~1.7' },
      { effect: 'allow', kind: 'regexp', pattern: '^v[0-9]+\\.[0-9]+\\.[0-9]+$' },
    ),
  );
  const ranking = selector.rank(selector.preselect(all).kept.map((tag) => ({ tag })));
  expect([ranking.best?.tag, order(ranking).length, ranking.rejected.length]).toEqual(['v1.7.99907', 667, 65_999]);
});

test('re2js is loaded for a regular expression only', () => {
  const program = (pattern: string): string => `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) { if (name === 're2js') console.log('loads re2js'); return next(name, context); } });
    const { selectorFor } = await import('./src/strategy/from-spec.ts');
    await selectorFor({ strategy: { kind: 'semver', constraint: '*' }, filters: [${pattern}], platforms: [] });`;
  const run = (pattern: string): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program(pattern)], { encoding: 'utf8' }).stdout;
  expect(run(`{ effect: 'ignore', kind: 'glob', pattern: 'a*' }`)).toBe('');
  expect(run(`{ effect: 'ignore', kind: 'regexp', pattern: 'a' }`)).toBe('loads re2js\n');
});
