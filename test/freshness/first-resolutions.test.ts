import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { SOURCE } from '../registrations/known-applications.ts';
import { API, ask, codes, following, inShort, newestBuild, repository, semver } from '../resolve/harness.ts';
import { digestOf, faultOf } from '../support/memory-registry.ts';
import { freshWorld } from './world.ts';

const MINUTE = 60_000;

test('somebody with a decision is answered at once, whatever the registry does', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  await here.generate('shop', [ask(semver('~1.0'))]);
  await here.clock.advance(60 * MINUTE);
  here.registry.latencyMs = 50_000;
  const began = here.clock.now();
  expect((await here.generate('shop', [ask(semver('~1.0'))])).map(inShort)).toEqual(['1.0.0']);
  expect([here.clock.now() - began, here.registry.requests.length]).toEqual([0, 1]);
});

test('a first resolution goes on after its caller waited 10 s, and who failed for it is told when it ends', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.registry.latencyMs = 15_000;
  here.applications.set('shop');
  here.start();
  const began = here.clock.now();
  const [failed] = await here.clock.run(here.generate('shop', [ask(semver('~1.0'))]));
  expect(here.clock.now() - began).toBe(10_000);
  expect(failed === undefined ? '' : inShort(failed)).toBe('failed REGISTRY_TIMEOUT');
  expect(failed?.why).toContain('it is still being asked');
  expect(here.moved).toEqual([]);
  await here.clock.advance(6_000);
  expect(here.moved).toMatchObject([{ cause: 'first', applications: ['shop'], move: { to: { tag: '1.0.0' } } }]);
  expect(here.registry.count('list')).toBe(1);
  expect(await here.comparison.outdated('shop')).toEqual({
    kind: 'image',
    images: [{ label: 'api', from: 'REGISTRY_TIMEOUT', to: '1.0.0', policy: 'semver ~1.0' }],
  });
});

test('who vanishes takes nothing with it', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.registry.latencyMs = 5_000;
  here.applications.set('shop');
  const caller = new AbortController();
  const gone = here.generate('shop', [ask(semver('~1.0'))], { signal: caller.signal });
  await here.clock.advance(1_000);
  caller.abort();
  await gone;
  await here.clock.advance(5_000);
  expect(here.moved).toMatchObject([{ cause: 'first', applications: ['shop'] }]);
});

test('an answer that was registered after its decision came is told to be outdated', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.registry.latencyMs = 11_000;
  here.applications.set('shop');
  const generation = here.generate('shop', [ask(semver('~1.0'))]);
  const record = here.registrations.record.bind(here.registrations);
  let release = (): void => undefined;
  const held = new Promise<void>((done) => {
    release = done;
  });
  here.registrations.record = async (...of) => {
    await held;
    return record(...of);
  };
  await here.clock.advance(20_000);
  expect(here.moved).toMatchObject([{ applications: [] }]);
  release();
  await generation;
  await here.clock.advance(1);
  expect(here.recovered).toEqual(['shop']);
});

test('two sources with policies of their own for one image are told apart: what one of them lacks the other does not bring', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  here.start();
  const second = { source: { ...SOURCE, path: 'second' } };
  for (let n = 0; n < 5; n++) {
    await here.generate('shop', [ask(semver('~1.0'))]);
    await here.generate('shop', [ask(semver('^2'), { onUnsatisfied: 'error' })], { generation: second });
    await here.clock.advance(5 * MINUTE);
  }
  expect(here.registrations.of('shop')).toHaveLength(2);
  expect(here.recovered).toEqual([]);
  here.registry.push(API, '2.0.0');
  await here.clock.advance(5 * MINUTE);
  expect(here.moved.at(-1)).toMatchObject({ applications: ['shop'], move: { to: { tag: '2.0.0' } } });
});

test('many who ask the same first thing make one listing', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.registry.latencyMs = 3_000;
  const all = Array.from({ length: 100 }, async (_, n) => {
    here.applications.set(`app-${n}`);
    return here.generate(`app-${n}`, [ask(semver('~1.0'))]);
  });
  const answers = (await here.clock.run(Promise.all(all))).flat();
  expect(new Set(answers.map(inShort))).toEqual(new Set(['1.0.0']));
  expect(here.registry.requests).toHaveLength(1);
});

test('a project that asks for a thousand new things does not keep another one waiting', async () => {
  await using here = await freshWorld();
  here.registry.latencyMs = 8_000;
  const wanted = (name: string): ReturnType<typeof ask> => {
    here.registry.push(`registry.example.com/${name}`, '1.0.0');
    return ask(semver('~1.0'), { repository: repository(`registry.example.com/${name}`) });
  };
  for (let n = 0; n < 1_000; n++) {
    here.applications.set(`greedy-${n}`);
    void here.generate(`greedy-${n}`, [wanted(`greedy/r${n}`)], { project: 'greedy' });
  }
  await here.clock.advance(100);
  here.applications.set('modest');
  const [answer] = await here.clock.run(here.generate('modest', [wanted('modest/r')], { project: 'modest' }));
  expect(answer === undefined ? '' : inShort(answer)).toBe('1.0.0');
  await here.clock.advance(5 * MINUTE);
});

test('a policy that nothing satisfies is answered from the listing of the poller, not by one listing for each request', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  here.start();
  for (let n = 0; n < 60; n++) {
    await here.generate('shop', [ask(semver('^9'))]);
    await here.clock.advance(10_000);
  }
  expect(here.registry.count('list')).toBeLessThanOrEqual(8);
  here.registry.push(API, '9.0.0');
  await here.clock.advance(3 * MINUTE);
  expect(here.moved.at(-1)).toMatchObject({ cause: 'poll', applications: ['shop'], move: { to: { tag: '9.0.0' } } });
});

test('an application that failed while the registry was down is told when it is back', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.registry.fault = ({ repository: name }) => faultOf('outage', name);
  here.applications.set('shop');
  here.start();
  expect((await here.clock.run(here.generate('shop', [ask(semver('~1.0'))]))).map(inShort)).toEqual([
    'failed REGISTRY_UNAVAILABLE',
  ]);
  await here.clock.advance(3 * MINUTE);
  here.registry.fault = () => undefined;
  await here.clock.advance(12 * MINUTE);
  expect(here.moved).toMatchObject([{ applications: ['shop'] }]);
});

test('a lost store while the registry is down: everybody keeps what it runs, and nobody gets what another one runs', async () => {
  await using here = await freshWorld();
  here.registry.pushAll(API, ['1.0.4', '1.0.5', '1.0.6']);
  here.applications.set('shop', { liveImages: [`${API}:1.0.4`, `${API}:1.0.5`, `${API}:2.0.0`, 'nginx:1.0.9'] });
  here.applications.set('mallory', { liveImages: [`${API}:1.0.99`] });
  here.applications.set('new');
  await here.restart({ lose: true });
  here.registry.fault = ({ repository: name }) => faultOf('outage', name);
  here.start();
  const [poisoned] = await here.clock.run(here.generate('mallory', [ask(semver('~1.0'))]));
  const [recovered] = await here.clock.run(here.generate('shop', [ask(semver('~1.0'))]));
  const [none] = await here.clock.run(here.generate('new', [ask(semver('~1.0'))]));
  const all = [poisoned, recovered, none].map((one) => (one === undefined ? '' : inShort(one)));
  expect(all).toEqual(['stale 1.0.99', 'stale 1.0.5', 'failed REGISTRY_UNAVAILABLE']);
  expect(recovered === undefined ? [] : codes(recovered)).toEqual(['ANSWER_STALE']);
  expect(recovered?.notices[0]?.what).toContain('stays at 1.0.5, recovered from what runs');
  // With the registry back the policy decides, and a tag that it does not have is no floor.
  here.registry.fault = () => undefined;
  await here.clock.advance(12 * MINUTE);
  expect((await here.generate('shop', [ask(semver('~1.0'))])).map(inShort)).toEqual(['1.0.6']);
  expect((await here.generate('mallory', [ask(semver('~1.0'))])).map(inShort)).toEqual(['1.0.6']);
});

test('a first decision does not fall below a running tag that the registry has and its listing lacks', async () => {
  await using here = await freshWorld();
  here.registry.pushAll(API, ['1.0.4', '1.0.5']);
  here.applications.set('shop', { liveImages: [`${API}:1.0.5`] });
  const list = here.registry.list.bind(here.registry);
  here.registry.list = async (...of) => {
    const listing = await list(...of);
    return listing.kind === 'complete' ? { ...listing, tags: listing.tags.filter((tag) => tag !== '1.0.5') } : listing;
  };
  expect((await here.generate('shop', [ask(semver('~1.0'))])).map(inShort)).toEqual(['1.0.5']);
});

test.for(['outage', 'throttled'] as const)(
  'while the registry does not say whether a running tag is still there (%s), that is served, marked stale',
  async (kind) => {
    await using here = await freshWorld();
    here.registry.pushAll(API, ['1.0.4', '1.0.5']);
    here.applications.set('shop', { liveImages: [`${API}:1.0.5`] });
    here.registry.list = async () => ({ kind: 'complete', tags: ['1.0.4' as Tag] });
    here.registry.fault = ({ kind: asked }) => (asked === 'head' ? faultOf(kind) : undefined);
    const [answer] = await here.clock.run(here.generate('shop', [ask(semver('~1.0'))]));
    expect(answer === undefined ? '' : inShort(answer)).toBe('stale 1.0.5');
    expect(here.moved).toEqual([]);
  },
);

test('what is recovered has a digest where one is written, and newest-build does not guess among several', async () => {
  await using here = await freshWorld();
  const digest = digestOf('live');
  here.registry.fault = ({ repository: name }) => faultOf('outage', name);
  here.applications.set('shop', { liveImages: [`${API}:production@${digest}`, `${API}:staging`] });
  const wanted = [
    ask(following('production')),
    ask(following('staging'), { image: 'staging' }),
    ask(newestBuild, { image: 'newest' }),
  ];
  const answers = await here.clock.run(here.generate('shop', wanted));
  expect(answers.map(inShort)).toEqual(['stale production', 'failed REGISTRY_UNAVAILABLE', 'stale production']);
  expect(answers[0]).toMatchObject({ decision: { digest } });
  here.applications.set('several', { liveImages: [`${API}:a@${digest}`, `${API}:b@${digestOf('b')}`] });
  const [newest] = await here.clock.run(here.generate('several', [ask(newestBuild)]));
  expect(newest === undefined ? '' : inShort(newest)).toBe('failed REGISTRY_UNAVAILABLE');
});
