import { expect, test } from 'vitest';
import { API, ask, codes, following, inShort, newestBuild, repository, semver } from '../resolve/harness.ts';
import { faultOf } from '../support/memory-registry.ts';
import { freshWorld, type FreshWorld } from './world.ts';

const MINUTE = 60_000;
const UNREADABLE = { code: 'CREDENTIAL_UNREADABLE', what: 'the credential is not there', fix: 'make it' } as const;
const nameOf = (n: number): string => `registry.example.com/acme/r${n}`;

/** Registers `count` applications, each with a repository of its own. */
async function many(here: FreshWorld, count: number, host = 'registry.example.com'): Promise<void> {
  for (let n = 0; n < count; n++) {
    const name = `${host}/acme/r${n}`;
    here.registry.push(name, '1.0.0');
    here.applications.set(`${host} ${n}`);
    await here.generate(`${host} ${n}`, [ask(semver('~1.0'), { repository: repository(name) })]);
  }
}

/** An application of more builds than newest-build asks for at every look. */
async function manyBuilds(here: FreshWorld): Promise<void> {
  for (let n = 0; n < 30; n++) here.registry.push(API, `build-${n}`, { createdMs: n });
  here.applications.set('shop');
  await here.generate('shop', [ask(newestBuild)]);
  here.start();
  await here.clock.advance(1_500);
}

/** When each request of a kind came, with the clock run in steps of a second. */
async function timesOf(here: FreshWorld, ms: number): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  const begin = here.clock.now();
  while (here.clock.now() < begin + ms) {
    const before = here.registry.requests.length;
    await here.clock.advance(1_000);
    for (const { repository: name } of here.registry.requests.slice(before)) {
      times.set(name, [...(times.get(name) ?? []), here.clock.now()]);
    }
  }
  return times;
}

test('three hundred applications with one repository make one listing in an interval, and all are told when it moves', async () => {
  await using here = await freshWorld();
  here.registry.pushAll(API, ['1.0.0']);
  for (let n = 0; n < 300; n++) {
    here.applications.set(`app-${n}`);
    await here.generate(`app-${n}`, [ask(semver(n % 2 === 0 ? '~1.0' : '^1'))]);
  }
  expect(here.registry.requests).toHaveLength(1);
  here.start();
  await here.clock.advance(1);
  here.registry.push(API, '1.0.1');
  await here.clock.advance(20 * MINUTE);
  // Ten intervals of at least nine tenths.
  expect(here.registry.requests.length).toBeGreaterThanOrEqual(9);
  expect(here.registry.requests.length).toBeLessThanOrEqual(13);
  const moved = here.moved.filter(({ cause }) => cause === 'poll');
  expect(moved.map(({ move }) => `${move.from?.tag} ${move.to.tag}`)).toEqual(['1.0.0 1.0.1', '1.0.0 1.0.1']);
  expect(new Set(moved.flatMap(({ applications }) => applications)).size).toBe(300);
});

test('looks come at the interval, a tenth more or less, and spread', async () => {
  await using here = await freshWorld();
  here.start();
  await many(here, 40);
  const times = await timesOf(here, 20 * MINUTE);
  expect(times.size).toBe(40);
  const gaps = [...times.values()].flatMap((of) => of.slice(1).map((at, index) => at - (of[index] ?? 0)));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0.9 * 120_000 - 1_000);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1.1 * 120_000 + 1_000);
  const firsts = [...times.values()].map(([first]) => first ?? 0);
  for (const window of [0, 1, 2, 3]) {
    const begin = Math.min(...firsts) + window * 30_000;
    expect(firsts.filter((at) => at >= begin && at < begin + 30_000).length).toBeLessThan(25);
  }
});

test('the shortest interval that is asked for counts, down to the floor of the operator, and one who comes later is heard', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('calm');
  await here.generate('calm', [ask(semver('~1.0'))]);
  here.start();
  await here.clock.advance(1_000);
  here.applications.set('eager');
  await here.generate('eager', [ask(semver('^1'), { pollIntervalMs: 1_000 })]);
  const before = here.registry.count('list');
  await here.clock.advance(2 * MINUTE);
  const after = here.registry.count('list') - before;
  expect(after).toBeGreaterThanOrEqual(10);
  expect(after).toBeLessThanOrEqual(14);
  expect(here.freshness.standings('calm').get(ask(semver('^1')).image)?.intervalMs).toBe(10_000);
});

test('what an application asks for besides, or no more, is looked at or not from then on', async () => {
  await using here = await freshWorld();
  const api = ask(semver('~1.0'));
  const web = ask(semver('~1.0'), { repository: repository('registry.example.com/acme/web'), image: 'web' });
  here.registry.push(API, '1.0.0');
  here.registry.push(web.repository.name, '1.0.0');
  here.applications.set('shop');
  here.start();
  const images = (): readonly string[] => [...here.freshness.standings('shop').keys()];
  for (const asks of [[api], [api], [api, web], [web], [web], [api]]) {
    await here.generate('shop', asks);
    expect(images()).toEqual(asks.map(({ image }) => image));
  }
});

test('a followed tag is asked for by HEAD, and nothing is listed', async () => {
  await using here = await freshWorld();
  here.registry.push(API, 'production', { content: 'one' });
  here.applications.set('shop');
  await here.generate('shop', [ask(following('production'))]);
  here.start();
  await here.clock.advance(3 * MINUTE);
  here.registry.push(API, 'production', { content: 'two' });
  await here.clock.advance(3 * MINUTE);
  expect(here.registry.requests.every(({ kind }) => kind === 'head')).toBe(true);
  expect(here.moved.map(({ cause, applications }) => [cause, applications])).toEqual([
    ['first', []],
    ['poll', ['shop']],
  ]);
});

test('after a restart looks go on where they were, and what is overdue does not come at once', async () => {
  await using here = await freshWorld();
  here.start();
  await many(here, 60);
  await here.clock.advance(4 * MINUTE);
  await here.restart();
  here.start();
  let before = here.registry.requests.length;
  await here.clock.advance(1_000);
  expect(here.registry.requests.length - before).toBeLessThan(6);
  await here.restart();
  await here.clock.advance(10 * MINUTE);
  here.start();
  before = here.registry.requests.length;
  await here.clock.advance(1_000);
  expect(here.registry.requests.length - before).toBeLessThan(12);
  await here.clock.advance(30_000);
  expect(new Set(here.registry.requests.slice(before).map(({ repository: name }) => name)).size).toBe(60);
});

test('an outage rests the host: one probe goes before the others, whose turn comes when it succeeds', async () => {
  await using here = await freshWorld();
  here.start();
  await many(here, 20);
  await many(here, 5, 'other.example.com');
  await here.clock.advance(1_000);
  here.registry.fault = ({ repository: name }) => (name.startsWith('registry.') ? faultOf('outage', name) : undefined);
  const begin = here.registry.requests.length;
  await here.clock.advance(30 * MINUTE);
  const down = here.registry.requests.slice(begin).filter(({ repository: name }) => name.startsWith('registry.'));
  // At first one for each that was under way, then 2, 4, 8 and 10 minutes apart.
  expect(down.length).toBeLessThanOrEqual(7);
  expect(down.length).toBeGreaterThanOrEqual(4);
  expect(new Set(down.map(({ repository: name }) => name)).size).toBe(down.length);
  const others = here.registry.requests.slice(begin).filter(({ repository: name }) => name.startsWith('other.'));
  expect(others.length).toBeGreaterThanOrEqual(5 * 13);
  expect(here.events.filter(({ event }) => event === 'registry-rests')).toHaveLength(1);
  expect(here.freshness.gauges.pausedHosts().get('registry.example.com')).toBeGreaterThan(0);
  expect(here.freshness.gauges.decisions()).toEqual({ current: 5, stale: 20 });
  expect([...here.freshness.standings('registry.example.com 0').values()]).toMatchObject([
    { failing: { fault: { kind: 'outage' } }, intervalMs: 120_000 },
  ]);

  here.registry.fault = () => undefined;
  await here.clock.advance(12 * MINUTE);
  expect(here.events.filter(({ event }) => event === 'registry-is-back')).toHaveLength(1);
  const back = here.registry.requests.length;
  await here.clock.advance(3 * MINUTE);
  expect(new Set(here.registry.requests.slice(back).map(({ repository: name }) => name)).size).toBe(25);
  expect(here.freshness.gauges.decisions()).toEqual({ current: 25, stale: 0 });
});

test.for(['outage', 'throttled'] as const)(
  'while a host rests (%s), everybody on it is told that the answer is stale, asked for or not',
  async (kind) => {
    await using here = await freshWorld();
    await many(here, 20);
    here.start();
    await here.clock.advance(5 * MINUTE);
    const answers = async (): Promise<readonly string[]> => {
      const all: string[] = [];
      for (let n = 0; n < 20; n++) {
        const of = ask(semver('~1.0'), { repository: repository(nameOf(n)) });
        const [answer] = await here.generate(`registry.example.com ${n}`, [of]);
        all.push(answer === undefined ? '' : [inShort(answer), ...codes(answer)].join(' '));
      }
      return [...new Set(all)].sort();
    };
    expect(await answers()).toEqual(['1.0.0']);
    here.registry.fault = () => faultOf(kind);
    await here.clock.advance(60 * MINUTE);
    expect(await answers()).toEqual(['stale 1.0.0 ANSWER_STALE']);
    here.registry.fault = () => undefined;
    await here.clock.advance(20 * MINUTE);
    expect(await answers()).toEqual(['1.0.0']);
  },
);

test('a registry that answers slowly does not slow the looks at another one', async () => {
  await using here = await freshWorld();
  await many(here, 100, 'slow.example.com');
  await many(here, 5, 'fast.example.com');
  here.start();
  await here.clock.advance(5 * MINUTE);
  const list = here.registry.list.bind(here.registry);
  let atOnce = 0;
  let most = 0;
  here.registry.list = async (access, ...rest) => {
    if (access.endpoint.host !== 'slow.example.com') return list(access, ...rest);
    most = Math.max(most, ++atOnce);
    await here.clock.sleep(MINUTE, rest[1]).catch(() => undefined);
    atOnce -= 1;
    return list(access, ...rest);
  };
  here.registry.requests.length = 0;
  await here.clock.advance(30 * MINUTE);
  const fast = here.registry.requests.filter(({ repository: name }) => name.startsWith('fast'));
  expect(fast.length / 5).toBeGreaterThanOrEqual(13);
  expect(most).toBe(12);
});

test('one repository that always fails is found out, and does not make its host rest for ever', async () => {
  await using here = await freshWorld();
  await many(here, 10);
  here.start();
  here.registry.fault = ({ repository: name }) => (name === nameOf(3) ? faultOf('outage', name) : undefined);
  await here.clock.advance(20 * MINUTE);
  const begin = here.registry.requests.length;
  await here.clock.advance(20 * MINUTE);
  const requests = here.registry.requests.slice(begin);
  expect(requests.filter(({ repository: name }) => name === nameOf(3)).length).toBeLessThanOrEqual(2);
  expect(requests.length).toBeGreaterThanOrEqual(9 * 9);
});

test('429 rests one credential at one host for as long as it says; others are untouched', async () => {
  await using here = await freshWorld();
  for (const project of ['a', 'b']) {
    for (let n = 0; n < 4; n++) {
      here.registry.push(nameOf(n), '1.0.0');
      here.applications.set(`${project}-${n}`);
      await here.generate(`${project}-${n}`, [ask(semver('~1.0'), { repository: repository(nameOf(n)) })], { project });
    }
  }
  here.start();
  await here.clock.advance(1_000);
  here.registry.fault = ({ scope, repository: name }) =>
    scope === 'scope:a' ? { ...faultOf('throttled', name), retryAfterMs: 10 * MINUTE } : undefined;
  const begin = here.registry.requests.length;
  await here.clock.advance(9 * MINUTE);
  const requests = here.registry.requests.slice(begin);
  expect(requests.filter(({ scope }) => scope === 'scope:a')).toHaveLength(1);
  expect(requests.filter(({ scope }) => scope === 'scope:b').length).toBeGreaterThanOrEqual(4 * 4);
  here.registry.fault = () => undefined;
  const later = here.registry.requests.length;
  await here.clock.advance(5 * MINUTE);
  // The pause that the store holds is no second wait.
  const again = here.registry.requests.slice(later).filter(({ scope }) => scope === 'scope:a');
  expect(new Set(again.map(({ repository: name }) => name)).size).toBe(4);
});

test('a repository that is denied is asked more and more seldom, alone, and said once', async () => {
  await using here = await freshWorld();
  await many(here, 5);
  here.start();
  here.registry.fault = ({ repository: name }) => (name === nameOf(0) ? faultOf('denied', name) : undefined);
  const times = await timesOf(here, 60 * MINUTE);
  expect(times.get(nameOf(0))?.length).toBeLessThanOrEqual(7);
  expect(times.get(nameOf(1))?.length).toBeGreaterThanOrEqual(26);
  expect(here.events.filter(({ event }) => event === 'look-failed')).toHaveLength(1);
  const { failing } = here.freshness.standings('registry.example.com 0').values().next().value ?? {};
  expect(failing?.fault.kind).toBe('denied');
  here.registry.fault = () => undefined;
  await here.clock.advance(30 * MINUTE);
  expect(here.events.filter(({ event }) => event === 'look-recovered')).toHaveLength(1);
});

test('a credential that cannot be read neither ends the rest of a host nor is tried more and more seldom', async () => {
  await using here = await freshWorld();
  await many(here, 20);
  here.start();
  await here.clock.advance(5 * MINUTE);
  const isUnreadable = (name: string): boolean => Number(name.slice(name.lastIndexOf('r') + 1)) < 8;
  const sent: number[] = [];
  here.registry.fault = ({ repository: name }) => {
    if (isUnreadable(name)) return { ...faultOf('denied', name), error: { ...UNREADABLE, where: name } };
    sent.push(here.clock.now());
    return faultOf('outage', name);
  };
  await here.clock.advance(60 * MINUTE);
  expect(here.events.filter(({ event }) => event === 'registry-is-back')).toEqual([]);
  expect(sent.length).toBeLessThanOrEqual(12);

  // The host is up again, and the credential is still not there: then it comes.
  here.registry.fault = ({ repository: name }) =>
    isUnreadable(name) ? { ...faultOf('denied', name), error: { ...UNREADABLE, where: name } } : undefined;
  await here.clock.advance(60 * MINUTE);
  here.registry.fault = () => undefined;
  const times = await timesOf(here, 70_000);
  expect([...times.keys()].filter(isUnreadable)).toHaveLength(8);
});

test('what was denied is asked again within seconds when its credential changed, and nothing else is', async () => {
  await using here = await freshWorld();
  for (const project of ['a', 'b']) {
    here.registry.push(API, '1.0.0');
    here.applications.set(project);
    await here.generate(project, [ask(semver('~1.0'))], { project });
  }
  here.start();
  here.registry.fault = () => faultOf('denied');
  await here.clock.advance(120 * MINUTE);
  here.registry.fault = () => undefined;
  here.registry.requests.length = 0;
  here.freshness.credentialsChanged((id) => id === 'scope:a');
  await here.clock.advance(6_000);
  expect(here.registry.requests.map(({ scope }) => scope)).toEqual(['scope:a']);
});

test('what nobody uses any more is not looked at', async () => {
  await using here = await freshWorld();
  await many(here, 2);
  here.start();
  here.applications.remove('registry.example.com 0');
  await here.clock.advance(10 * MINUTE);
  const names = here.registry.requests.slice(2).map(({ repository: name }) => name);
  expect(new Set(names)).toEqual(new Set([nameOf(1)]));
});

test('a clock that is set back or forward neither stops the looks nor starts them all', async () => {
  await using here = await freshWorld();
  await many(here, 30);
  here.start();
  await here.clock.advance(1_000);
  for (const jump of [-24 * 60 * MINUTE, 48 * 60 * MINUTE]) {
    here.clock.jump(jump);
    const before = here.registry.requests.length;
    await here.clock.advance(1_000);
    expect(here.registry.requests.length - before).toBeLessThan(20);
    await here.clock.advance(3 * MINUTE);
    expect(new Set(here.registry.requests.slice(before).map(({ repository: name }) => name)).size).toBe(30);
  }
});

test('an operator who changes the interval is heard', async () => {
  await using here = await freshWorld();
  await many(here, 3);
  here.start();
  await here.clock.advance(1_000);
  here.intervalMs = 20_000;
  here.reconfigured();
  const before = here.registry.requests.length;
  await here.clock.advance(4 * MINUTE);
  expect(here.registry.requests.length - before).toBeGreaterThanOrEqual(20);
  here.intervalMs = 10 * MINUTE;
  here.reconfigured();
  await here.clock.advance(MINUTE);
  const slow = here.registry.requests.length;
  await here.clock.advance(8 * MINUTE);
  expect(here.registry.requests.length - slow).toBeLessThanOrEqual(3);
});

test('an interval of nothing is a second, not a stream of requests', async () => {
  await using here = await freshWorld();
  await many(here, 1);
  here.intervalMs = 0;
  here.reconfigured();
  here.start();
  const before = here.registry.requests.length;
  await here.clock.advance(MINUTE);
  const looks = here.registry.requests.length - before;
  expect(looks).toBeGreaterThanOrEqual(30);
  expect(looks).toBeLessThanOrEqual(68);
});

test('a webhook is looked after at once, once for a burst; the listing that lags is looked at after 5 s and 30 s', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  await here.generate('shop', [ask(semver('~1.0'))]);
  here.start();
  await here.clock.advance(1_500);
  const before = here.registry.count('list');
  const hint = { cause: 'webhook', repository: repository(), tag: '1.0.1' as never } as const;
  expect(here.freshness.look(hint)).toBe(1);
  await here.clock.advance(100);
  expect(here.registry.count('list')).toBe(before + 1);
  here.registry.push(API, '1.0.1');
  await here.clock.advance(4_000);
  expect(here.registry.count('list')).toBe(before + 1);
  await here.clock.advance(2_000);
  expect(here.registry.count('list')).toBe(before + 2);
  expect(here.moved.at(-1)).toMatchObject({ cause: 'webhook', applications: ['shop'], move: { to: { tag: '1.0.1' } } });
  await here.clock.advance(30_000);
  expect(here.registry.count('list')).toBe(before + 2);
});

test('ten thousand forged hints cost a few listings, and of unknown repositories none', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  await here.generate('shop', [ask(semver('~1.0'))]);
  here.start();
  await here.clock.advance(1_500);
  const before = here.registry.requests.length;
  for (let n = 0; n < 10_000; n++) {
    here.freshness.look({ cause: 'webhook', repository: repository(), tag: `9.9.${n}` as never });
    expect(here.freshness.look({ cause: 'webhook', repository: repository(nameOf(n % 7)) })).toBe(0);
    if (n % 2_000 === 0) await here.clock.advance(10);
  }
  await here.clock.advance(40_000);
  expect(here.registry.requests.length - before).toBeLessThanOrEqual(6);
});

test('a webhook for a tag that was pushed again is followed although newest-build would not ask for it', async () => {
  await using here = await freshWorld();
  await manyBuilds(here);
  here.registry.push(API, 'build-4', { createdMs: 1_000 });
  here.freshness.look({ cause: 'webhook', repository: repository(), tag: 'build-4' as never });
  await here.clock.advance(500);
  expect(here.moved.at(-1)?.move.to.tag).toBe('build-4');
});

test.for([
  { name: 'fails', failing: true, pushedAfterMs: 0, fails: 2_000 },
  { name: 'fails, and those after 5 s and 30 s too', failing: true, pushedAfterMs: 0, fails: 10 * MINUTE },
  { name: 'still shows the old one', failing: false, pushedAfterMs: 2_000, fails: 0 },
])(
  'a webhook for a tag that was pushed again is not lost when the first look $name',
  async ({ failing, pushedAfterMs, fails }) => {
    await using here = await freshWorld();
    await manyBuilds(here);
    if (failing) here.registry.fault = () => faultOf('outage');
    here.freshness.look({ cause: 'webhook', repository: repository(), tag: 'gone' as never });
    here.freshness.look({ cause: 'webhook', repository: repository(), tag: 'build-4' as never });
    await here.clock.advance(pushedAfterMs);
    here.registry.push(API, 'build-4', { createdMs: 1_000 });
    await here.clock.advance(fails);
    here.registry.fault = () => undefined;
    await here.clock.advance(15 * MINUTE);
    expect(here.moved.at(-1)).toMatchObject({ cause: 'webhook', move: { to: { tag: 'build-4' } } });
    // Later looks have nothing to look for.
    const asked = (): number => here.registry.requests.filter(({ tag }) => tag === 'gone').length;
    const before = asked();
    await here.clock.advance(15 * MINUTE);
    expect(asked()).toBe(before);
  },
);

test('a webhook about another tag than the one that is followed asks nobody', async () => {
  await using here = await freshWorld();
  here.registry.pushAll(API, ['production', 'staging']);
  here.applications.set('shop');
  await here.generate('shop', [ask(following('production'))]);
  const at = (tag: string): number =>
    here.freshness.look({ cause: 'webhook', repository: repository(), tag: tag as never });
  expect([at('staging'), at('production')]).toEqual([0, 1]);
});

test('a person who asks for a hard refresh has every image of the application looked at', async () => {
  await using here = await freshWorld();
  await many(here, 3);
  here.applications.set('shop');
  const asks = [0, 1].map((n) => ask(semver('~1.0'), { repository: repository(nameOf(n)), image: `i${n}` }));
  await here.generate('shop', asks);
  here.start();
  await here.clock.advance(1_500);
  const before = here.registry.requests.length;
  here.registry.push(nameOf(1), '1.0.9');
  expect(here.freshness.look({ cause: 'user', application: 'shop' })).toBe(2);
  await here.clock.advance(500);
  expect(here.registry.requests.slice(before).map(({ repository: name }) => name)).toEqual([nameOf(0), nameOf(1)]);
  expect(here.moved.at(-1)).toMatchObject({ cause: 'user' });
  expect((await here.generate('shop', asks)).map(inShort)).toEqual(['1.0.0', '1.0.9']);
});
