import fc from 'fast-check';
import type { ErrorCode } from '../../src/error/codes.ts';
import { ERROR_CODES } from '../../src/error/codes.ts';
import type { UserErrorData } from '../../src/error/user-error.ts';
import { parsePlatform } from '../../src/image/platform.ts';
import { type Digest, parseRepository, type Tag } from '../../src/image/reference.ts';
import type { Choice } from '../../src/policy/image-policy.ts';
import type { ReportBody } from '../../src/remote/protocol.ts';
import type { Ask, GenerationClaim, Resolution, ResolveQuery } from '../../src/resolve/resolver.ts';
import type { Decision } from '../../src/store/store.ts';
import type { FilterSpec, StrategySpec } from '../../src/strategy/selection.ts';

/** Any text, half surrogate pairs and `__proto__` included. */
const words = fc.string({ unit: 'binary', maxLength: 60 });
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,40}$/).map((text) => text as Tag);
const digest = fc.stringMatching(/^[a-f0-9]{64}$/).map((text) => `sha256:${text}` as Digest);
const time = fc.integer({ min: 0, max: 4e12 });
const code = fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[]));

const repository = fc
  .constantFrom(
    'nginx',
    'ghcr.io/acme/web',
    'localhost:5000/x',
    '[::1]:5000/a/b',
    'Registry.example/x',
    'a_b.example/c',
    'index.docker.io/library/redis',
  )
  .map((text) => {
    const found = parseRepository(text);
    if (!found.ok) throw new Error(found.problem);
    return found.value;
  });

const platform = fc.constantFrom('linux/amd64', 'linux/arm/v6', 'windows/amd64', 'linux/aarch64').map((text) => {
  const found = parsePlatform(text);
  if (!found.ok) throw new Error(found.problem);
  return found.value;
});

const strategy: fc.Arbitrary<StrategySpec> = fc.oneof(
  fc.constantFrom('~1.0', '^1, <3', '1.x || 2.x', '*').map((constraint) => ({ kind: 'semver' as const, constraint })),
  fc.constantFrom({ kind: 'newest-build' as const }, { kind: 'alphabetical' as const }),
  fc.record({ kind: fc.constant('digest' as const), tag }, { requiredKeys: ['kind'] }),
);
const effect = fc.constantFrom('allow' as const, 'ignore' as const);
const filter: fc.Arbitrary<FilterSpec> = fc.oneof(
  fc.record({ effect, kind: fc.constant('regexp' as const), pattern: fc.string({ unit: 'binary', minLength: 1 }) }),
  fc.record({ effect, kind: fc.constant('glob' as const), pattern: fc.constantFrom('*-rc*', 'v[0-9]?', 'a\\*') }),
);
const choice: fc.Arbitrary<Choice> = fc.oneof(
  fc.record({
    kind: fc.constant('select' as const),
    selection: fc.record({
      strategy,
      filters: fc.array(filter, { maxLength: 4 }),
      platforms: fc.array(platform, { minLength: 1, maxLength: 3 }),
    }),
  }),
  fc.record({ kind: fc.constant('pin' as const), tag }),
  fc.record({ kind: fc.constant('pin' as const), digest }),
  fc.constantFrom({ kind: 'none' as const }, { kind: 'paused' as const }),
);

export const anyAsk: fc.Arbitrary<Ask> = fc.record(
  {
    image: words,
    label: words,
    where: words,
    repository,
    choice,
    output: fc.constantFrom('tag' as const, 'digest' as const, 'tag@digest' as const),
    onUnsatisfied: fc.constantFrom('git' as const, 'error' as const),
    onRemoved: fc.constantFrom('keep' as const, 'next-best' as const),
    pollIntervalMs: fc.double({ min: 0, max: 1e18, noNaN: true }).map(Math.round),
    credential: fc.constantFrom('pullsecret:team-a/registry', 'secret:ns/name#user.pass'),
    tagInGit: tag,
    untagged: words,
  },
  {
    requiredKeys: ['image', 'label', 'where', 'repository', 'choice', 'onUnsatisfied', 'onRemoved'],
    noNullPrototype: true,
  },
);

const who = fc.record({ application: words, project: words }, { requiredKeys: ['application'], noNullPrototype: true });
const generation: fc.Arbitrary<GenerationClaim> = fc.record(
  {
    id: fc.string({ minLength: 1, maxLength: 64 }),
    source: fc.record({ repoURL: words, path: words, targetRevision: words }),
    revision: words,
    parametersFingerprint: words,
    sync: fc.constant('full' as const),
  },
  { requiredKeys: ['id', 'source', 'revision', 'parametersFingerprint'], noNullPrototype: true },
);

export const anyQuery: fc.Arbitrary<ResolveQuery> = fc.record(
  {
    v: fc.constant(1 as const),
    who,
    generation,
    budgetMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    asks: fc.array(anyAsk, { maxLength: 5 }),
    explain: fc.boolean(),
  },
  { requiredKeys: ['v', 'who', 'budgetMs', 'asks'], noNullPrototype: true },
);

const notice = fc.record({ code, what: words, where: words }, { requiredKeys: ['code', 'what'] });

export const anyReport: fc.Arbitrary<ReportBody> = fc.record(
  { v: fc.constant(1 as const), who, generation, notices: fc.array(notice, { maxLength: 4 }), asked: fc.boolean() },
  { noNullPrototype: true },
);

const decision: fc.Arbitrary<Decision> = fc.record(
  { tag, digest, movedAt: time, confirmedAt: time },
  { requiredKeys: ['tag', 'movedAt', 'confirmedAt'] },
);
const error: fc.Arbitrary<UserErrorData> = fc.record({ code, what: words, where: words, fix: words });
const said = {
  why: words,
  notices: fc.array(notice, { maxLength: 3 }),
  explanation: fc.record({
    steps: fc.array(words, { maxLength: 3 }),
    considered: time,
    candidates: fc.array(words, { maxLength: 3 }),
    rejected: fc.array(fc.record({ tag: words, rule: words }), { maxLength: 3 }),
    rejectedTotal: time,
  }),
};
const always = ['kind', 'why', 'notices'] as const;

export const anyResolution: fc.Arbitrary<Resolution> = fc.oneof(
  fc.record(
    { kind: fc.constantFrom('decided' as const, 'stale' as const, 'held' as const), decision, ...said },
    { requiredKeys: [...always, 'decision'] },
  ),
  fc.record({ kind: fc.constant('pinned' as const), tag, ...said }, { requiredKeys: [...always, 'tag'] }),
  fc.record({ kind: fc.constant('pinned' as const), digest, ...said }, { requiredKeys: [...always, 'digest'] }),
  fc.record(
    {
      kind: fc.constant('as-in-git' as const),
      reason: fc.constantFrom('none' as const, 'observe' as const, 'paused' as const, 'unsatisfied' as const),
      would: decision,
      ...said,
    },
    { requiredKeys: [...always, 'reason'] },
  ),
  fc.record(
    { kind: fc.constantFrom('unsatisfied' as const, 'refused' as const, 'failed' as const), error, ...said },
    { requiredKeys: [...always, 'error'] },
  ),
);
