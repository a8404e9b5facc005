import { describe, expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import type { Ask, Resolution } from '../../src/resolve/resolver.ts';
import { decisionKey, listingKey, listingLease } from '../../src/resolve/keys.ts';
import { digestOf, faultOf } from '../support/memory-registry.ts';
import {
  accessOf,
  API,
  ask,
  codes,
  following,
  inShort,
  newestBuild,
  repository,
  selection,
  semver,
  world,
  type World,
} from './harness.ts';

const MINUTE = 60_000;
const later = (here: World): Promise<void> => here.clock.advance(MINUTE);
const digestIn = (resolution: Resolution): string | undefined =>
  'decision' in resolution ? resolution.decision.digest : undefined;

const notAllowed = {
  code: 'HOST_NOT_ALLOWED',
  what: 'the registry is not allowed',
  where: `image ${API}`,
  fix: 'ask the operator',
} as const;

test('the first resolution lists once, and within the interval nothing is asked and no client is loaded', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6', '1.1.0']);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
  await here.clock.advance(29_000);
  here.registry.push(API, '1.0.7');
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
  expect(here.registry.requests).toHaveLength(1);
  expect(here.loaded).toBe(1);
});

test('after the interval a better tag is found, over a restart too', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  await here.restart();
  here.registry.push(API, '1.0.6');
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
});

test('with an interval of 0 every query looks, and once for all its asks', async () => {
  await using here = await world();
  here.intervalMs = 0;
  here.registry.pushAll(API, ['1.0.5', '2.0.0']);
  const asks = [ask(semver('~1')), ask(semver('~2'), { image: 'b' }), ask(semver('*'), { image: 'c' })];
  expect((await here.resolveAll(asks)).map(inShort)).toEqual(['1.0.5', '2.0.0', '2.0.0']);
  expect(here.registry.count('list')).toBe(1);
  here.registry.push(API, '1.0.6');
  expect((await here.resolveAll(asks)).map(inShort)).toEqual(['1.0.6', '2.0.0', '2.0.0']);
  expect(here.registry.count('list')).toBe(2);
});

test('thirty applications with one repository make one listing', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  for (let n = 0; n < 30; n++) {
    expect(inShort(await here.resolve(ask(semver(n % 2 === 0 ? '~1.0' : '^1')), { application: `app-${n}` }))).toBe(
      '1.0.6',
    );
  }
  expect(here.registry.requests).toHaveLength(1);
});

test('fifty cold resolvers at the same moment make one listing', async () => {
  await using here = await world();
  here.registry.latencyMs = 700;
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  const query = { v: 1, budgetMs: 25_000, asks: [ask(semver('~1.0'))] } as const;
  const all = Array.from({ length: 50 }, (_, n) =>
    here.resolver().resolve({ ...query, who: { application: `app-${n}` } }, new AbortController().signal),
  );
  const resolutions = (await here.clock.run(Promise.all(all))).flat();
  expect(new Set(resolutions.map(inShort))).toEqual(new Set(['1.0.6']));
  expect(here.registry.requests).toHaveLength(1);
});

test('an ended lease holder is taken over from', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  const lease = listingLease(listingKey(accessOf(repository(), { application: 'shop' })));
  await here.store.leases.acquire(lease, 8_000); // by a process that was killed
  const before = here.clock.now();
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.5');
  expect(here.clock.now() - before).toBeLessThan(10_000);
});

test('a changed constraint is evaluated afresh, down included', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
  expect(inShort(await here.resolve(ask(semver('~1.0, !=1.0.6'))))).toBe('1.0.5');
});

test('a removed tag is kept with a notice, at every generation', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  await here.resolve(ask(semver('~1.0')));
  here.registry.remove(API, '1.0.6');
  await later(here);
  for (const _ of [1, 2]) {
    const resolution = await here.resolve(ask(semver('~1.0')));
    expect([inShort(resolution), codes(resolution)]).toEqual(['1.0.6', ['ANSWER_KEPT']]);
    expect(resolution.why).toBe(`${API}:1.0.6 is kept, although the registry no longer offers it`);
  }
  here.registry.push(API, '1.0.7');
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.7');
});

test('on-removed next-best falls after three listings over ten minutes, and only for who asked for it', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  const opted = ask(semver('~1.0'), { onRemoved: 'next-best' });
  const both = [opted, ask(semver('~1.0'), { image: 'other' })];
  await here.resolveAll(both);
  here.registry.remove(API, '1.0.6');
  const seen: string[] = [];
  for (const minutes of [1, 5, 5]) {
    await here.clock.advance(minutes * MINUTE);
    seen.push((await here.resolveAll(both)).map(inShort).join(' '));
  }
  expect(seen).toEqual(['1.0.6 1.0.6', '1.0.6 1.0.6', '1.0.5 1.0.6']);
});

test('on-removed next-best that is added later still asks for three listings over ten minutes', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  await here.resolve(ask(semver('~1.0')));
  here.registry.remove(API, '1.0.6');
  await here.clock.advance(20 * MINUTE);
  await here.resolve(ask(semver('~1.0')));
  const seen: string[] = [];
  for (const minutes of [0, 1, 5, 5]) {
    await here.clock.advance(minutes * MINUTE);
    seen.push(inShort(await here.resolve(ask(semver('~1.0'), { onRemoved: 'next-best' }))));
  }
  expect(seen).toEqual(['1.0.6', '1.0.6', '1.0.6', '1.0.5']);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
});

test('what on-removed next-best counted before it was removed is no proof when it comes back', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6']);
  const opted = ask(semver('~1.0'), { onRemoved: 'next-best' });
  await here.resolve(opted);
  here.registry.remove(API, '1.0.6');
  await later(here);
  expect(inShort(await here.resolve(opted))).toBe('1.0.6');
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
  const key = decisionKey(accessOf(repository(), { application: 'shop' }), semver('~1.0'), 'keep');
  expect((await here.store.decisions.get(key))?.value).toMatchObject({ tag: '1.0.6', missing: { times: 0 } });
});

test('nothing satisfies: an application that never had an answer keeps the field as in Git, with a notice', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '2.7.1']);
  const resolution = await here.resolve(ask(semver('^3.0')));
  expect([inShort(resolution), codes(resolution)]).toEqual(['as-in-git unsatisfied', ['NOTHING_SATISFIES']]);
  expect(resolution.why).toBe(`none of the 2 tags of ${API} satisfies semver ^3.0`);
});

test('nothing satisfies: an application that had an answer gets an error, with the facts', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '2.7.1']);
  await here.resolve(ask(semver('~1.0')));
  expect(await here.resolve(ask(semver('^3.0')))).toMatchObject({
    kind: 'unsatisfied',
    error: {
      code: 'TAG_NOT_FOUND',
      what: `none of the 2 tags of ${API} satisfies semver ^3.0`,
      where: 'parameter images[0] (api)',
      fix: 'widen the policy, or publish a matching tag (newest outside it: 2.7.1)',
    },
  });
});

test('nothing satisfies with on-unsatisfied error is an error at once', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  expect(inShort(await here.resolve(ask(semver('^3.0'), { onUnsatisfied: 'error' })))).toBe(
    'unsatisfied TAG_NOT_FOUND',
  );
});

test('an empty repository is nothing that satisfies, and is taken up when a tag comes', async () => {
  await using here = await world();
  here.registry.push(API, 'x');
  here.registry.clear(API);
  expect(inShort(await here.resolve(ask(semver('~0'))))).toBe('as-in-git unsatisfied');
  here.registry.push(API, '0.1.0');
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~0'))))).toBe('0.1.0');
});

test('a listing that lost most tags is a fault, until it persists', async () => {
  await using here = await world();
  here.registry.pushAll(
    API,
    Array.from({ length: 50 }, (_, n) => `1.0.${n}`),
  );
  await here.resolve(ask(semver('~1.0')));
  here.registry.clear(API);
  await later(here);
  const resolution = await here.resolve(ask(semver('~1.0')));
  expect([inShort(resolution), codes(resolution)]).toEqual(['stale 1.0.49', ['ANSWER_STALE']]);
  expect(inShort(await here.resolve(ask(semver('^1')), { application: 'new' }))).toBe('failed REGISTRY_INVALID');
  for (const _ of [1, 2]) {
    await here.clock.advance(6 * MINUTE);
    await here.resolve(ask(semver('~1.0')));
  }
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.49'); // believed: nothing there, so it is kept
  expect(codes(await here.resolve(ask(semver('~1.0'))))).toEqual(['ANSWER_KEPT']);
});

test.for<{ name: string; kind: Parameters<typeof faultOf>[0]; same: string; other: string; first: string }>([
  {
    name: 'an outage',
    kind: 'outage',
    same: 'stale 1.0.5',
    other: 'stale 1.0.5',
    first: 'failed REGISTRY_UNAVAILABLE',
  },
  {
    name: 'throttling',
    kind: 'throttled',
    same: 'stale 1.0.5',
    other: 'stale 1.0.5',
    first: 'failed REGISTRY_THROTTLED',
  },
  {
    name: 'lost rights',
    kind: 'denied',
    same: 'stale 1.0.5',
    other: 'failed REGISTRY_DENIED',
    first: 'failed REGISTRY_DENIED',
  },
  {
    name: 'a lost repository',
    kind: 'missing',
    same: 'stale 1.0.5',
    other: 'failed REPOSITORY_NOT_FOUND',
    first: 'failed REPOSITORY_NOT_FOUND',
  },
  {
    name: 'a rule of ours',
    kind: 'refused',
    same: 'stale 1.0.5',
    other: 'refused REGISTRY_SUSPICIOUS',
    first: 'refused REGISTRY_SUSPICIOUS',
  },
])('$name: who held an answer, another application, and a new key', async ({ kind, same, other, first }) => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.registry.fault = () => faultOf(kind);
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe(same);
  expect(inShort(await here.resolve(ask(semver('~1.0')), { application: 'other' }))).toBe(other);
  expect(inShort(await here.resolve(ask(semver('^2')), { application: 'new' }))).toBe(first);
});

test('during an outage a changed policy gets the last answer only if it satisfies the policy', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.registry.fault = () => faultOf('outage');
  await later(here);
  expect(inShort(await here.resolve(ask(semver('^1'))))).toBe('stale 1.0.5');
  expect(inShort(await here.resolve(ask(semver('~1.0, !=1.0.5'))))).toBe('failed REGISTRY_UNAVAILABLE');
});

test('a failed registry is left alone for an interval, then asked again', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5']);
  const other = 'registry.example.com/acme/web';
  here.registry.pushAll(other, ['1.0.5']);
  const asks = [ask(semver('~1.0')), ask(semver('~1.0'), { repository: repository(other) })];
  for (const one of asks) await here.resolve(one);
  here.registry.fault = () => faultOf('outage');
  await later(here);
  here.registry.requests.length = 0;
  for (const one of [...asks, ...asks]) expect(inShort(await here.resolve(one))).toBe('stale 1.0.5');
  expect(here.registry.requests).toHaveLength(1);
  here.registry.fault = () => undefined;
  await later(here);
  for (const one of asks) expect(inShort(await here.resolve(one))).toBe('1.0.5');
});

test('the pause of a host tells nobody what another asked for', async () => {
  await using here = await world();
  const secret = 'registry.example.com/secret/project';
  here.registry.pushAll(secret, ['1.0.5']);
  here.registry.pushAll(API, ['1.0.5']);
  await here.resolve(ask(semver('~1.0'), { repository: repository(secret) }), { project: 'a' });
  await here.resolve(ask(semver('~1.0')), { project: 'b', application: 'b' });
  here.registry.fault = () => faultOf('outage', secret);
  await later(here);
  await here.resolve(ask(semver('~1.0'), { repository: repository(secret) }), { project: 'a' });
  const resolution = await here.resolve(ask(semver('~1.0')), { project: 'b', application: 'b' });
  expect(inShort(resolution)).toBe('stale 1.0.5');
  expect(JSON.stringify(resolution)).not.toContain('secret');
});

test('a slow registry is waited for three seconds by who has a decision', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.registry.latencyMs = 20_000;
  await later(here);
  const before = here.clock.now();
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('stale 1.0.5');
  expect(here.clock.now() - before).toBe(3_000);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('stale 1.0.5');
  expect(here.clock.now() - before).toBe(3_000);
  expect(inShort(await here.resolve(ask(semver('^1')), { application: 'new' }))).toBe('1.0.5');
});

test('a first resolution fails when the budget passes, and says which registry was slow', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  here.registry.latencyMs = 60_000;
  const resolution = await here.resolve(ask(semver('~1.0')), { budgetMs: 5_000 });
  expect(inShort(resolution)).toBe('failed BUDGET_EXCEEDED');
  expect(resolution.why).toContain('registry.example.com');
  here.registry.latencyMs = 0;
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.5');
});

test('another who waits with a decision gets the new one', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.registry.push(API, '1.0.6');
  here.registry.latencyMs = 500;
  await later(here);
  const query = { v: 1, budgetMs: 25_000, asks: [ask(semver('~1.0'))], who: { application: 'a' } } as const;
  const both = [here.resolver(), here.resolver()].map((one) => one.resolve(query, new AbortController().signal));
  expect((await here.clock.run(Promise.all(both))).flat().map(inShort)).toEqual(['1.0.6', '1.0.6']);
  expect(here.registry.count('list')).toBe(2);
});

test('a digest policy follows its tag by HEAD, up and down, without a listing', async () => {
  await using here = await world();
  const first = here.registry.push(API, 'production', { content: 'a' });
  expect(digestIn(await here.resolve(ask(following('production'))))).toBe(first);
  const second = here.registry.push(API, 'production', { content: 'b' });
  expect(digestIn(await here.resolve(ask(following('production'))))).toBe(first);
  await later(here);
  expect(digestIn(await here.resolve(ask(following('production'))))).toBe(second);
  here.registry.push(API, 'production', { content: 'a' });
  await later(here);
  expect(digestIn(await here.resolve(ask(following('production'))))).toBe(first);
  expect(here.registry.requests.map(({ kind }) => kind)).toEqual(['head', 'head', 'head']);
});

test('a digest policy without tag follows the one in Git, and without any is an error', async () => {
  await using here = await world();
  here.registry.push(API, 'canary');
  const policy = selection({ kind: 'digest' });
  expect(inShort(await here.resolve(ask(policy, { tagInGit: 'canary' as Tag })))).toBe('canary');
  expect(inShort(await here.resolve(ask(policy)))).toBe('refused CONSTRAINT_MISSING');
});

test('a followed tag that is gone keeps its digest for who held it; one that never was stays as in Git', async () => {
  await using here = await world();
  here.registry.push(API, 'canary');
  here.registry.push(API, 'other');
  await here.resolve(ask(following('canary')));
  here.registry.remove(API, 'canary');
  await later(here);
  const resolution = await here.resolve(ask(following('canary')));
  expect([inShort(resolution), codes(resolution)]).toEqual(['stale canary', ['ANSWER_KEPT']]);
  const late = await here.resolve(ask(following('canary')), { application: 'new' });
  expect(inShort(late)).toBe('as-in-git unsatisfied');
  expect(late.notices.map(({ what }) => what)).toEqual([
    `the registry has no tag canary of ${API} (yet); api stays as in Git until it is there`,
  ]);
  const strict = await here.resolve(ask(following('canary'), { onUnsatisfied: 'error' }), { application: 'strict' });
  expect(strict).toMatchObject({
    kind: 'unsatisfied',
    error: { what: `the registry has no tag canary of ${API} (yet)` },
  });
});

test('semver with a digest asks for the chosen tag, and its digest follows', async () => {
  await using here = await world();
  const first = here.registry.push(API, '1.0.5', { content: 'a' });
  const one = ask(semver('~1.0'), { output: 'tag@digest' });
  expect(digestIn(await here.resolve(one))).toBe(first);
  const plain = await here.resolve(ask(semver('~1.0'), { image: 'plain' }));
  expect([inShort(plain), digestIn(plain)]).toEqual(['1.0.5', undefined]);
  const second = here.registry.push(API, '1.0.5', { content: 'b' });
  await later(here);
  expect(digestIn(await here.resolve(one))).toBe(second);
  expect(here.registry.requests.map(({ kind }) => kind)).toEqual(['list', 'head', 'list', 'head']);
});

test('a decision with a digest moves as a whole or not at all', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  const one = ask(semver('~1.0'), { output: 'tag@digest' });
  await here.resolve(one);
  here.registry.push(API, '1.0.6');
  here.registry.fault = ({ kind }) => (kind === 'head' ? faultOf('outage') : undefined);
  await later(here);
  expect(inShort(await here.resolve(one))).toBe('stale 1.0.5');
  here.registry.fault = () => undefined;
  await later(here);
  expect(inShort(await here.resolve(one))).toBe('1.0.6');
});

test.for<{ name: string; choice: Ask['choice']; want: string; notices: readonly string[] }>([
  { name: 'pin', choice: { kind: 'pin', tag: '1.0.4' as Tag }, want: 'pinned 1.0.4', notices: [] },
  {
    name: 'a pinned digest',
    choice: { kind: 'pin', digest: digestOf('a') },
    want: `pinned ${digestOf('a')}`,
    notices: [],
  },
  { name: 'none', choice: { kind: 'none' }, want: 'as-in-git none', notices: [] },
  { name: 'paused', choice: { kind: 'paused' }, want: 'as-in-git paused', notices: ['IMAGE_PAUSED'] },
])('$name needs neither registry nor rights, frozen or not', async ({ choice, want, notices }) => {
  await using here = await world();
  here.refuse = notAllowed;
  here.modes = [{ mode: 'freeze' }];
  const resolution = await here.resolve(ask(newestBuild, { choice }));
  expect([inShort(resolution), codes(resolution), here.loaded]).toEqual([want, notices, 0]);
});

test('freeze holds the last answer, whatever registry and policy say', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.modes = [{ mode: 'freeze' }];
  here.registry.push(API, '1.0.6');
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('held 1.0.5');
  expect(inShort(await here.resolve(ask(semver('1.0.6'))))).toBe('held 1.0.5');
  const withDigest = await here.resolve(ask(semver('~1.0'), { output: 'tag@digest' }));
  expect([inShort(withDigest), digestIn(withDigest)]).toEqual(['held 1.0.5', digestOf(`${API}:1.0.5@`)]);
  expect(inShort(await here.resolve(ask(semver('~1.0')), { application: 'new' }))).toBe('1.0.6');
  here.registry.push(API, '1.0.7');
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~1.0')), { application: 'new' }))).toBe('held 1.0.6');
});

test('what is only looked at is no answer that freeze would hold', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '2.0.0']);
  await here.resolve(ask(semver('~1.0')));
  expect(inShort(await here.resolve(ask(semver('*')), { preview: true }))).toBe('2.0.0');
  here.modes = [{ mode: 'freeze' }];
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('held 1.0.5');
});

describe('freeze with two sources of one application whose images have one name', () => {
  const stable = { source: { repoURL: 'https://git', path: 'stable', targetRevision: 'main' } };
  const canary = { source: { repoURL: 'https://git', path: 'canary', targetRevision: 'main' } };

  test('holds for each what it was given, also when it is promoted with another policy', async () => {
    await using here = await world();
    here.registry.pushAll(API, ['1.0.0', '2.0.0']);
    await here.resolve(ask(semver('~1.0')), stable);
    await here.resolve(ask(semver('~2.0')), canary);
    here.modes = [{ mode: 'freeze' }];
    here.registry.pushAll(API, ['1.0.1', '2.0.1']);
    await later(here);
    expect(inShort(await here.resolve(ask(semver('~1.0')), stable))).toBe('held 1.0.0');
    expect(inShort(await here.resolve(ask(semver('~2.0')), canary))).toBe('held 2.0.0');
    const promoted = { source: { ...stable.source, targetRevision: 'release-2' } };
    expect(inShort(await here.resolve(ask(semver('~2.0')), promoted))).toBe('held 1.0.0');
  });

  test('holds what was kept before sources were told apart, where the policy allows it', async () => {
    await using here = await world();
    here.registry.pushAll(API, ['1.0.0', '2.0.0']);
    await here.resolve(ask(semver('~2.0')));
    here.modes = [{ mode: 'freeze' }];
    here.registry.pushAll(API, ['1.0.1', '2.0.1']);
    await later(here);
    expect(inShort(await here.resolve(ask(semver('~2.0')), canary))).toBe('held 2.0.0');
    expect(inShort(await here.resolve(ask(semver('*')), canary))).toBe('held 2.0.0');
    expect(inShort(await here.resolve(ask(semver('~1.0')), stable))).toBe('1.0.1');
    expect(inShort(await here.resolve(ask(semver('*')), stable))).toBe('held 1.0.1');
  });

  test('knows that the application was answered before, whichever source that was', async () => {
    await using here = await world();
    here.registry.push(API, '1.0.0');
    await here.resolve(ask(semver('~1.0')), stable);
    expect(inShort(await here.resolve(ask(semver('~3.0')), canary))).toBe('unsatisfied TAG_NOT_FOUND');
  });
});

test('a frozen answer obtained with other rights is an error, not a move and not a leak', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')), { project: 'a' });
  here.modes = [{ mode: 'freeze' }];
  expect(inShort(await here.resolve(ask(semver('~1.0')), { project: 'b' }))).toBe('failed CREDENTIAL_NOT_GRANTED');
});

test('observe tells what it would write, never fails, and is no answer', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  here.modes = [{ mode: 'observe' }];
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('as-in-git observe would 1.0.5');
  here.registry.fault = () => faultOf('denied');
  await later(here);
  const denied = await here.resolve(ask(semver('^2')));
  expect([inShort(denied), codes(denied)]).toEqual(['as-in-git observe', ['REGISTRY_DENIED']]);
  here.refuse = notAllowed;
  const refused = await here.resolve(ask(semver('^2')));
  expect([inShort(refused), codes(refused)]).toEqual(['as-in-git observe', ['HOST_NOT_ALLOWED']]);
  expect(await here.store.answers.last('shop')).toEqual(new Map());
});

test('what the operator does not allow is refused, whatever the store holds', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.refuse = notAllowed;
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('refused HOST_NOT_ALLOWED');
});

test.for([
  { name: 'a refusal is placed at the policy', error: notAllowed, where: 'parameter images[0] (api)' },
  {
    name: 'a broken docker configuration is placed at its file',
    error: { ...notAllowed, code: 'DOCKER_CONFIG_INVALID', where: '/etc/docker/config.json' } as const,
    where: '/etc/docker/config.json',
  },
])('$name', async ({ error, where }) => {
  await using here = await world();
  here.refuse = error;
  expect(await here.resolve(ask(semver('~1.0')))).toMatchObject({ kind: 'refused', error: { where } });
});

test('a poll interval below the floor is raised, with a notice', async () => {
  await using here = await world();
  here.intervalMs = 120_000;
  here.registry.push(API, '1.0.5');
  const one = ask(semver('~1.0'), { pollIntervalMs: 1_000 });
  expect(codes(await here.resolve(one))).toEqual(['INTERVAL_RAISED']);
  await here.clock.advance(29_000);
  await here.resolve(one);
  expect(here.registry.count('list')).toBe(1);
  await here.clock.advance(2_000);
  await here.resolve(one);
  expect(here.registry.count('list')).toBe(2);
});

test.for([
  { name: 'takes the place of the one for all', ofRegistry: 600_000, wish: undefined, want: 600_000 },
  { name: 'may be shorter than the one for all', ofRegistry: 60_000, wish: undefined, want: 60_000 },
  { name: 'is not below the floor', ofRegistry: 1_000, wish: undefined, want: 30_000 },
  { name: 'gives way to what a policy asks for', ofRegistry: 600_000, wish: 60_000, want: 60_000 },
])('the interval of a registry $name', async ({ ofRegistry, wish, want }) => {
  await using here = await world();
  here.intervalMs = 120_000;
  here.endpoint = { intervalMs: ofRegistry };
  here.registry.push(API, '1.0.5');
  const one = ask(semver('~1.0'), wish === undefined ? {} : { pollIntervalMs: wish });
  expect(codes(await here.resolve(one))).toEqual([]);
  await here.clock.advance(want - 1_000);
  await here.resolve(one);
  expect(here.registry.count('list')).toBe(1);
  await here.clock.advance(2_000);
  await here.resolve(one);
  expect(here.registry.count('list')).toBe(2);
});

test.for([
  { name: 'ahead', hours: 24 },
  { name: 'behind', hours: -24 },
])('a clock that was a day $name does not keep a decision from moving', async ({ hours }) => {
  await using here = await world();
  here.clock.jump(hours * 60 * MINUTE);
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.registry.fault = () => faultOf('outage');
  await later(here);
  await here.resolve(ask(semver('~1.0')));
  here.registry.fault = () => undefined;
  here.clock.jump(-hours * 60 * MINUTE);
  here.registry.push(API, '1.0.6');
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
});

test('explain tells what was considered, rejected and chosen, and how it came', async () => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.5', '1.0.6', '2.0.0', 'latest', ...Array.from({ length: 300 }, (_, n) => `x${n}`)]);
  const { explanation } = await here.resolve(ask(semver('~1.0')), { explain: true });
  expect(explanation?.considered).toBe(304);
  expect(explanation?.candidates).toEqual(['1.0.6', '1.0.5']);
  expect(explanation?.rejected).toHaveLength(200);
  expect(explanation?.rejectedTotal).toBe(302);
  expect(explanation?.steps.join('\n')).toContain('it lists 304 tags');
});

test('an end from outside is no outage', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  await later(here);
  const stopped = AbortSignal.abort(new Error('SIGTERM'));
  expect(inShort(await here.resolve(ask(semver('~1.0')), { signal: stopped }))).toBe('stale 1.0.5');
  here.registry.push(API, '1.0.6');
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
});

test('who wants the tag alone does not split a decision whose digest could not be read', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0'), { output: 'tag@digest' }));
  here.registry.push(API, '1.0.6');
  here.registry.fault = ({ kind }) => (kind === 'head' ? faultOf('outage') : undefined);
  await later(here);
  expect(inShort(await here.resolve(ask(semver('~1.0')), { application: 'plain' }))).toBe('stale 1.0.5');
});

test('fifty cold resolvers share one failure too', async () => {
  await using here = await world();
  here.registry.latencyMs = 700;
  here.registry.fault = () => faultOf('outage');
  const query = { v: 1, budgetMs: 25_000, asks: [ask(semver('~1.0'))], who: { application: 'a' } } as const;
  const all = Array.from({ length: 50 }, () => here.resolver().resolve(query, new AbortController().signal));
  const resolutions = (await here.clock.run(Promise.all(all))).flat();
  expect(new Set(resolutions.map(inShort))).toEqual(new Set(['failed REGISTRY_UNAVAILABLE']));
  expect(here.registry.requests).toHaveLength(1);
});

test('that somebody with a decision lost patience does not fail a first resolution that waits for it', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  await later(here);
  here.registry.latencyMs = 5_000;
  const asking = (policy: Ask): Promise<readonly Resolution[]> =>
    here
      .resolver()
      .resolve({ v: 1, budgetMs: 25_000, asks: [policy], who: { application: 'a' } }, new AbortController().signal);
  const both = [asking(ask(semver('~1.0'))), asking(ask(semver('^1'), { image: 'new' }))];
  expect((await here.clock.run(Promise.all(both))).flat().map(inShort)).toEqual(['stale 1.0.5', '1.0.5']);
});

test.for([
  { name: 'a first resolution waits out a short pause of its host', pauseMs: 3_000, budgetMs: 25_000, want: '1.0.5' },
  { name: 'no pause is waited out that does not fit into the budget', pauseMs: 3_000, budgetMs: 2_000, want: 'failed' },
  { name: 'a long pause is not waited out', pauseMs: 20_000, budgetMs: 25_000, want: 'failed' },
])('$name', async ({ pauseMs, budgetMs, want }) => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  here.registry.fault = () => faultOf('outage');
  await here.resolve(ask(semver('~1.0')));
  await here.clock.advance(10);
  const began = here.clock.now();
  here.registry.fault = () => {
    const leftMs = began + pauseMs - here.clock.now();
    return leftMs > 0 ? { ...faultOf('outage'), retryAfterMs: leftMs, resting: true } : undefined;
  };
  expect(inShort(await here.resolve(ask(semver('~1.0')), { budgetMs }))).toContain(want);
  expect(here.clock.now() - began).toBe(want === 'failed' ? 0 : pauseMs);
});

test('who has a decision waits out no pause of a host', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  await later(here);
  here.registry.fault = () => ({ ...faultOf('outage'), retryAfterMs: 1_000, resting: true });
  const began = here.clock.now();
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('stale 1.0.5');
  expect(here.clock.now()).toBe(began);
});

test('the failure of a first resolution does not rest the host for those with a decision', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  const other = ask(semver('~1.0'), { repository: repository('registry.example.com/odd') });
  here.registry.fault = ({ repository: name }) => (name === API ? undefined : faultOf('outage'));
  await later(here);
  expect(inShort(await here.resolve(other))).toBe('failed REGISTRY_UNAVAILABLE');
  here.registry.push(API, '1.0.6');
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
});

test('work that takes longer than a lease is still done by one', async () => {
  await using here = await world();
  here.registry.latencyMs = 20_000;
  here.registry.push(API, '1.0.5');
  const query = { v: 1, budgetMs: 25_000, asks: [ask(semver('~1.0'))], who: { application: 'a' } } as const;
  const both = [here.resolver(), here.resolver()].map((one) => one.resolve(query, new AbortController().signal));
  expect((await here.clock.run(Promise.all(both))).flat().map(inShort)).toEqual(['1.0.5', '1.0.5']);
  expect(here.registry.requests).toHaveLength(1);
});

test('an end from outside in the middle is not taken for an outage', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  await later(here);
  here.registry.push(API, '1.0.6');
  here.registry.latencyMs = 2_000;
  const stop = new AbortController();
  const query = { v: 1, budgetMs: 25_000, asks: [ask(semver('~1.0'))], who: { application: 'a' } } as const;
  const stopped = here.resolver().resolve(query, stop.signal);
  await here.clock.advance(500);
  stop.abort(new Error('SIGTERM'));
  expect((await here.clock.run(stopped)).map(inShort)).toEqual(['stale 1.0.5']);
  expect(inShort(await here.resolve(ask(semver('~1.0'))))).toBe('1.0.6');
});

test('what people read of a stale answer', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.5');
  await here.resolve(ask(semver('~1.0')));
  here.registry.fault = () => faultOf('outage', API);
  await here.clock.advance(3 * 60 * MINUTE);
  const { notices } = await here.resolve(ask(semver('~1.0')));
  expect(notices).toEqual([
    {
      code: 'ANSWER_STALE',
      what:
        'api stays at 1.0.5, confirmed 3 hours ago, because the registry could not be asked ' +
        `(REGISTRY_UNAVAILABLE: GET ${API}: outage)`,
      where: 'parameter images[0]',
    },
  ]);
});
