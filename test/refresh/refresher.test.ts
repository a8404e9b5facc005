import { expect, test } from 'vitest';
import { MINUTE, SECOND, World } from './harness.ts';

async function world(...applications: readonly string[]): Promise<World> {
  const here = new World();
  here.decisions.set('api', '1.0.0');
  for (const name of applications) await here.add({ name }, 'api');
  await here.start();
  await here.clock.advance(SECOND);
  return here;
}

test('of 100 applications exactly the affected ones are refreshed, once each', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0').set('web', '1.0.0');
  for (let at = 0; at < 100; at++) await here.add({ name: `app-${at}` }, at % 10 === 3 ? 'api' : 'web');
  await here.start();
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  here.renderings = [];
  here.move('api', '1.0.1');
  await here.clock.advance(MINUTE);
  const affected = here.usersOf('api');
  expect(affected).toHaveLength(10);
  expect(here.patched.toSorted()).toEqual(affected.toSorted());
  expect(here.renderings.toSorted()).toEqual(affected.toSorted());
  expect(here.count('confirmed')).toBe(10);
  expect(here.kept).toBe(0);
});

test('who was told of a move that does not concern it is compared and not patched', async () => {
  const here = await world('one');
  here.refresher.check(['one'], 'poll');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  expect(here.count('dropped')).toBe(1);
  expect(here.refresher.stateOf('one')).toEqual({ kind: 'idle', attempts: 0 });
});

test('a confirmed refresh is told once, with how long it took since the decision moved', async () => {
  const here = await world('one');
  here.move('api', '1.0.1');
  await here.clock.advance(100);
  expect(here.refresher.stateOf('one')).toMatchObject({ kind: 'asked', attempts: 1 });
  await here.clock.advance(MINUTE);
  expect(here.events).toEqual(['one ImageMoved api: 1.0.0 -> 1.0.1 (semver ~1.0)']);
  expect(here.rolledOut).toHaveLength(1);
  expect(here.rolledOut[0]).toBeLessThan(1);
});

test.for([
  { name: 'before the rendering', afterMs: 100 },
  { name: 'between the rendering and the reconcile', afterMs: 400 },
  { name: 'after the reconcile', afterMs: 700 },
])('a second move $name is not lost', async ({ afterMs }) => {
  const here = await world('one');
  here.move('api', '1.0.1');
  await here.clock.advance(afterMs);
  here.move('api', '1.0.2');
  await here.clock.advance(5 * SECOND);
  expect(here.outdated).toEqual([]);
  expect(here.argo.liveOf('one')).toBe('api:1.0.0');
  expect(here.kept).toBe(0);
  expect(here.events.findLast((event) => event.includes('ImageMoved'))).toContain('-> 1.0.2');
});

test('a refresh is done only when the Application was reconciled after it', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').isDeaf = true;
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  await here.render('one');
  await here.clock.advance(SECOND);
  expect(here.count('confirmed')).toBe(0);
  here.argo.reconcile('one');
  await here.clock.advance(SECOND);
  expect(here.count('confirmed')).toBe(1);
});

test('a rendering alone is not enough when the request was lost', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').losesPatches = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  await here.render('one');
  await here.clock.advance(SECOND);
  expect(here.count('confirmed')).toBe(0);
  here.argo.reconcile('one');
  await here.clock.advance(SECOND);
  expect(here.count('confirmed')).toBe(1);
});

test('a reconcile alone is not enough when the decision has moved back', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').losesPatches = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  here.move('api', '1.0.0');
  here.argo.reconcile('one');
  await here.clock.advance(SECOND);
  expect(here.count('confirmed')).toBe(0);
});

test('a move while it is compared is not lost, nor are its cause and time', async () => {
  const here = await world('one');
  here.compareMs = 100;
  here.refresher.check(['one'], 'start');
  await here.clock.advance(50);
  here.move('api', '1.0.1', 'webhook');
  await here.clock.advance(5 * SECOND);
  expect(here.outdated).toEqual([]);
  expect(here.rolledOut).toHaveLength(1);
});

test('a reconcile in the same second is seen by the annotation that is gone', async () => {
  const here = await world();
  await here.add({ name: 'one' }, 'api', { refreshMs: 10 });
  await here.clock.advance(1);
  here.move('api', '1.0.1');
  await here.clock.advance(100);
  here.move('api', '1.0.2');
  await here.clock.advance(100);
  expect(here.count('confirmed')).toBe(2);
});

test('nobody is patched while an operation runs; it is, when that ends', async () => {
  const here = await world('one');
  here.argo.operate('one', 'person', true);
  here.move('api', '1.0.1', 'webhook');
  await here.clock.advance(10 * MINUTE);
  expect(here.patched).toEqual([]);
  expect(here.life.steps).toBeLessThan(20);
  here.argo.endOperation('one');
  await here.clock.advance(SECOND);
  expect(here.patched).toEqual(['one']);
  expect(here.argo.patchedWhileOperating).toEqual([]);
});

test('who waits for an operation says so', async () => {
  const here = await world('one');
  here.argo.operate('one', 'person', true);
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  expect(here.refresher.stateOf('one')).toMatchObject({ kind: 'waiting', why: 'a sync operation is running' });
});

test('an operation that begins while the request is kept is seen', async () => {
  const here = await world('one');
  here.onPut = (text) => {
    if (text.includes('"asked"')) here.argo.operate('one', 'person', true);
  };
  here.move('api', '1.0.1');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  here.onPut = () => undefined;
  here.argo.endOperation('one');
  await here.clock.advance(SECOND);
  expect(here.patched).toEqual(['one']);
});

test('what was rendered while an operation ran that began right after the request is asked for again when that ends', async () => {
  const here = await world('one');
  here.holdsSyncing = true;
  here.move('api', '1.0.1');
  await here.clock.advance(100);
  expect(here.patched).toEqual(['one']);
  here.argo.operate('one');
  await here.clock.advance(10 * SECOND);
  expect(here.patched).toEqual(['one', 'one']);
  expect(here.outdated).toEqual([]);
  expect(here.count('retried')).toBe(0);
  expect(here.count('confirmed')).toBe(1);
  await here.clock.advance(10 * MINUTE);
  expect(here.patched).toHaveLength(2);
});

test('an Application that is being deleted is left alone, and one that is gone is forgotten', async () => {
  const here = await world('one', 'two');
  here.argo.edit('one', { deleting: true });
  here.argo.operate('two', 'person', true);
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  here.argo.remove('two');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  expect(here.kept).toBe(0);
});

test('no more are in flight than the limits allow, in all and of one repository', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0');
  const shared = [{ repoURL: 'https://git.example.com/shared', path: '.', targetRevision: 'main' }];
  for (let at = 0; at < 6; at++)
    await here.add({ name: `shared-${at}`, sources: shared }, 'api', { refreshMs: 10 * SECOND });
  await here.start();
  here.move('api', '1.0.1');
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toHaveLength(2);
  await here.clock.advance(MINUTE);
  expect(here.patched).toHaveLength(6);
  expect(here.argo.mostInFlight).toBe(2);
  for (let at = 0; at < 30; at++) await here.add({ name: `own-${at}` }, 'api', { refreshMs: 10 * SECOND });
  here.limits.concurrency = 7;
  here.move('api', '1.0.2');
  await here.clock.advance(5 * MINUTE);
  expect(here.outdated).toEqual([]);
  expect(here.argo.mostInFlight).toBe(7);
});

test('an annotation that Argo CD has overlooked is taken away and set again, and that is no attempt', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').overlooks = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(14 * SECOND);
  expect(here.argo.patches).toHaveLength(1);
  await here.clock.advance(5 * SECOND);
  expect(here.argo.patches.map(({ body }) => JSON.stringify(body))).toEqual([
    '{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"hard"}}}',
    '{"metadata":{"annotations":{"argocd.argoproj.io/refresh":null}}}',
    '{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"hard"}}}',
  ]);
  expect(here.outdated).toEqual([]);
  expect(here.kept).toBe(0);
  expect(here.count('refresh-retried')).toBe(0);
  expect(here.userRefreshes).toEqual([]);
});

test('an annotation that was taken away and could not be set again is asked for afresh, and that is no attempt', async () => {
  const here = await world('one');
  const behaviour = here.argo.behaviourOf('one');
  behaviour.overlooks = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(14 * SECOND);
  here.argo.onPatch = (body) => {
    if (JSON.stringify(body).includes('null')) behaviour.faults = [500];
  };
  await here.clock.advance(10 * SECOND);
  expect(here.patched).toHaveLength(2);
  expect(here.outdated).toEqual([]);
  expect(here.logged.find(({ event }) => event === 'refresh-confirmed')?.fields).toMatchObject({ attempts: 1 });
});

test('an annotation that stands while an operation runs, or while it was rendered just now, is left alone', async () => {
  const here = await world('one', 'two');
  for (const name of ['one', 'two']) here.argo.behaviourOf(name).refreshMs = 40 * SECOND;
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  here.argo.operate('two', 'person', true);
  await here.clock.advance(8 * SECOND);
  await here.render('one');
  await here.clock.advance(10 * SECOND);
  expect(here.argo.patches).toHaveLength(2);
});

test('what Argo CD rendered from kept answers while no controller ran is asked for again at the start', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').isCached = true;
  here.move('api', '1.0.1');
  await here.clock.advance(200);
  here.kill();
  await here.clock.advance(2 * SECOND);
  here.argo.behaviourOf('one').isCached = false;
  await here.start();
  await here.clock.advance(3 * SECOND);
  expect(here.outdated).toEqual([]);
  expect(here.patched).toHaveLength(2);
});

test('patches are paced: no more than 20 a second', async () => {
  const here = await world(...Array.from({ length: 100 }, (_, at) => `app-${at}`));
  here.limits.concurrency = 1000;
  here.move('api', '1.0.1');
  await here.clock.advance(2 * SECOND);
  expect(here.patched.length).toBeGreaterThan(30);
  expect(here.patched.length).toBeLessThan(42);
});

test('webhooks go first, then people, then first decisions, then the rest by age', async () => {
  const here = await world('poll-1', 'first', 'user', 'webhook', 'poll-2');
  here.limits.concurrency = 0;
  here.decisions.set('api', '1.0.1');
  for (const [name, cause] of [
    ['poll-1', 'poll'],
    ['poll-2', 'poll'],
    ['first', 'first'],
    ['user', 'user'],
    ['webhook', 'webhook'],
  ] as const) {
    here.refresher.check([name], cause);
    await here.clock.advance(10);
  }
  here.limits.concurrency = 1;
  here.refresher.check(['poll-1'], 'poll');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual(['webhook', 'user', 'first', 'poll-1', 'poll-2']);
});

test('an application whose reconcile fails is asked again with growing pauses, given up loudly, and taken up by the next move', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').brokenBy = 'kustomize build failed';
  here.move('api', '1.0.1');
  await here.clock.advance(40 * MINUTE);
  const times = here.argo.patches.map(({ at }) => at);
  const pauses = times.slice(1).map((at, before) => Math.round((at - (times[before] ?? 0)) / SECOND));
  expect(pauses).toEqual([16, 31, 61, 121, 241, 481, 601]);
  expect(here.refresher.stateOf('one')).toMatchObject({
    kind: 'given-up',
    attempts: 8,
    why: 'Argo CD reports: kustomize build failed',
  });
  expect(here.refresher.gauges.refreshQueue()).toMatchObject({ givenUp: 1, waiting: 0, inFlight: 0 });
  expect(here.events).toEqual([
    'one RefreshFailed Given up after 8 hard refreshes: Argo CD reports: kustomize build failed',
  ]);
  expect(here.logged.filter(({ event }) => event === 'refresh-given-up')).toHaveLength(1);
  here.argo.behaviourOf('one').brokenBy = undefined;
  here.move('api', '1.0.2');
  await here.clock.advance(5 * SECOND);
  expect(here.outdated).toEqual([]);
  expect(here.refresher.stateOf('one').kind).toBe('idle');
});

test.for([
  {
    name: 'its error goes away',
    happen: (here: World) => here.argo.edit('one', { comparisonError: undefined as never }),
  },
  { name: 'its revision changes', happen: (here: World) => here.argo.edit('one', { revisions: ['commit-2'] }) },
  { name: 'its spec changes', happen: (here: World) => here.argo.edit('one', { specFingerprint: 'spec-2' }) },
  {
    name: 'the operator changes the configuration',
    happen: (here: World) => here.refresher.check(['one'], 'start'),
  },
])('a given-up application is taken up when $name', async ({ happen }) => {
  const here = await world('one');
  here.argo.behaviourOf('one').brokenBy = 'broken';
  here.move('api', '1.0.1');
  await here.clock.advance(60 * MINUTE);
  expect(here.refresher.stateOf('one').kind).toBe('given-up');
  here.argo.behaviourOf('one').brokenBy = undefined;
  happen(here);
  await here.clock.advance(5 * SECOND);
  expect(here.outdated).toEqual([]);
  expect(here.refresher.stateOf('one').kind).toBe('idle');
});

test('who is told of again and again while nothing new moves is asked no oftener', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').brokenBy = 'kustomize build failed';
  here.move('api', '1.0.1');
  for (let seconds = 0; seconds < 40 * 60; seconds++) {
    await here.clock.advance(SECOND);
    here.refresher.check(['one'], 'first', here.clock.now());
  }
  expect(here.patched).toHaveLength(8);
  expect(here.refresher.stateOf('one')).toMatchObject({ kind: 'given-up', attempts: 8 });
  here.argo.behaviourOf('one').brokenBy = undefined;
  here.move('api', '1.0.2');
  await here.clock.advance(5 * SECOND);
  expect(here.outdated).toEqual([]);
});

test('who was given up days ago waits from the next move on, and so is what the roll-out took', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').brokenBy = 'broken';
  here.move('api', '1.0.1');
  await here.clock.advance(3 * 24 * 60 * MINUTE);
  here.argo.behaviourOf('one').brokenBy = undefined;
  here.argo.operate('one', 'person', true);
  const movedAt = here.clock.now();
  here.move('api', '1.0.2');
  await here.clock.advance(SECOND);
  expect(here.refresher.stateOf('one').since).toBeGreaterThanOrEqual(movedAt);
  here.argo.endOperation('one');
  await here.clock.advance(5 * SECOND);
  expect(here.rolledOut).toHaveLength(1);
  expect(here.rolledOut[0]).toBeLessThan(10);
});

test('what moves during the last attempt is not given up with it', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0');
  await here.add({ name: 'one', automated: { selfHeal: true, prune: true } }, 'api', { isDeaf: true });
  await here.start();
  here.move('api', '1.0.1');
  while (here.patched.length < 8) await here.clock.advance(10 * SECOND);
  here.move('api', '1.0.2');
  here.argo.behaviourOf('one').isDeaf = false;
  await here.clock.advance(5 * MINUTE);
  expect(here.refresher.stateOf('one')).toEqual({ kind: 'idle', attempts: 0 });
  expect(here.argo.liveOf('one')).toBe('api:1.0.2');
});

test('a refresh that Argo CD never took up is asked again', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').losesPatches = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(89 * SECOND);
  expect(here.patched).toHaveLength(1);
  expect(here.count('confirmed')).toBe(0);
  await here.clock.advance(30 * SECOND);
  expect(here.patched).toHaveLength(2);
  expect(here.outdated).toEqual([]);
});

test('a reconcile for which a sidecar rendered what it had kept is asked for again after a pause', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').isCached = true;
  here.move('api', '1.0.1');
  await here.clock.advance(10 * SECOND);
  expect(here.patched).toHaveLength(1);
  here.argo.behaviourOf('one').isCached = false;
  await here.clock.advance(10 * SECOND);
  expect(here.patched).toHaveLength(2);
  expect(here.count('confirmed')).toBe(1);
  expect(here.outdated).toEqual([]);
});

test.for([
  { name: 'a conflict', status: 409, withinMs: 3 * SECOND },
  { name: 'too many requests', status: 429, withinMs: 3 * SECOND },
  { name: 'an internal error', status: 500, withinMs: 3 * SECOND },
  { name: 'no answer', status: undefined, withinMs: 3 * SECOND },
  { name: 'a missing grant', status: 403, withinMs: 7 * MINUTE },
])('$name is no attempt, and the patch is sent again', async ({ status, withinMs }) => {
  const here = await world('one');
  here.argo.behaviourOf('one').faults = [status];
  here.move('api', '1.0.1');
  await here.clock.advance(500);
  expect(here.refresher.stateOf('one')).toMatchObject({ kind: 'waiting', attempts: 0 });
  await here.clock.advance(withinMs);
  expect(here.patched).toEqual(['one']);
  expect(here.outdated).toEqual([]);
});

test('a missing grant is said once, with the rule that is missing', async () => {
  const here = await world('one', 'two', 'three');
  for (const name of ['one', 'two', 'three']) here.argo.behaviourOf(name).faults = [403];
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  const said = here.logged.filter(({ event }) => event === 'refresh-forbidden');
  expect(said).toHaveLength(1);
  expect(said[0]?.fields?.['fix']).toBe('grant the controller "patch" on applications.argoproj.io in namespace argocd');
});

test('what can be decided at last is refreshed at once for who failed for it', async () => {
  const here = new World();
  here.decisions.set('api', undefined);
  await here.add({ name: 'one', comparisonError: 'nothing is known of api' }, 'api');
  await here.start();
  await here.clock.advance(10 * MINUTE);
  expect(here.patched).toEqual([]);
  here.move('api', '1.0.0', 'first');
  await here.clock.advance(SECOND);
  expect(here.patched).toEqual(['one']);
  expect(here.argo.byInstanceName('one')?.comparisonError).toBeUndefined();
});

test('an application that was rendered with what moved meanwhile is found by its registration', async () => {
  const here = await world('one');
  void here.render('one');
  here.decisions.set('api', '1.0.1');
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toEqual(['one']);
});

/** What moved was rendered by somebody else while an operation ran, which is over. */
async function renderedInOperation(): Promise<World> {
  const here = await world('one');
  here.argo.operate('one', 'person', true);
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  await here.render('one');
  here.argo.endOperation('one');
  return here;
}

test('a rendering that somebody else caused counts when the Application was reconciled after it', async () => {
  const here = await renderedInOperation();
  await here.clock.advance(SECOND);
  expect(here.events).toEqual([]);
  here.argo.reconcile('one');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  expect(here.events).toEqual(['one ImageMoved api: 1.0.0 -> 1.0.1 (semver ~1.0)']);
});

test('a rendering that somebody else caused and that failed after it was answered is asked for again', async () => {
  const here = await renderedInOperation();
  here.argo.edit('one', { reconciledAt: 'after it', comparisonError: 'kustomize build failed' });
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toEqual(['one']);
  expect(here.argo.byInstanceName('one')?.comparisonError).toBeUndefined();
  expect(here.events).toEqual(['one ImageMoved api: 1.0.0 -> 1.0.1 (semver ~1.0)']);
});

test('a rendering that somebody else caused and of which nothing came is asked for in the end', async () => {
  const here = await renderedInOperation();
  await here.clock.advance(2 * MINUTE);
  expect(here.patched).toEqual(['one']);
  expect(here.count('retried')).toBe(0);
});

test('a rendering of another revision confirms nothing', async () => {
  const here = await world('one');
  here.followsMs = 15 * SECOND;
  here.argo.operate('one', 'person', true);
  here.move('api', '1.0.1');
  await here.clock.advance(SECOND);
  await here.render('one', 'commit-0');
  here.argo.endOperation('one');
  here.argo.reconcile('one');
  await here.clock.advance(5 * SECOND);
  expect([here.patched, here.events]).toEqual([[], []]);
  await here.clock.advance(10 * SECOND);
  here.overdue('one');
  await here.clock.advance(MINUTE);
  expect([here.patched, here.outdated]).toEqual([['one'], []]);
});

test('for whom nothing asks this controller is refreshed once, is in nobody’s way, and is told what to look for', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0').set('web', '1.0.0');
  here.limits.concurrency = 1;
  for (const name of ['one', 'two', 'three']) {
    here.unreached.add(name);
    await here.add({ name }, 'api');
  }
  await here.add({ name: 'four' }, 'web');
  await here.start();
  for (const name of ['one', 'two', 'three']) here.overdue(name);
  here.move('web', '1.0.1');
  await here.clock.advance(10 * SECOND);
  expect(here.patched).toEqual(['one', 'four', 'two', 'three']);
  expect(here.refresher.stateOf('one')).toMatchObject({ kind: 'given-up', attempts: 1 });
  expect(here.events.filter((event) => event.startsWith('one'))).toEqual([
    'one RefreshFailed Given up after a hard refresh: nothing asked this controller for it: does its sidecar know where the controller is (IMAGE_RESOLVER_CONTROLLER), and is its token accepted?',
  ]);
  await here.argo.push('one', 'commit-2');
  await here.clock.advance(24 * 60 * MINUTE);
  expect(here.patched).toHaveLength(4);
});

test('whose sidecar was installed after the controller is refreshed when others get through; who never does, a few times', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0');
  for (const name of ['one', 'two', 'three']) {
    here.unreached.add(name);
    await here.add({ name }, 'api');
  }
  await here.start();
  for (const name of ['one', 'two', 'three']) here.overdue(name);
  await here.clock.advance(60 * MINUTE);
  expect(here.patched.toSorted()).toEqual(['one', 'three', 'two']);
  here.unreached.delete('one');
  here.unreached.delete('two');
  for (let minutes = 0; minutes < 60; minutes++) {
    await here.render('one');
    await here.clock.advance(MINUTE);
  }
  expect(here.patched.filter((name) => name === 'two')).toHaveLength(2);
  expect(here.patched.filter((name) => name === 'three')).toHaveLength(3);
  expect(here.outdated).toEqual(['three']);
  expect(here.refresher.stateOf('two').kind).toBe('idle');
  here.kill();
  await here.start();
  await here.clock.advance(MINUTE);
  expect(here.patched.filter((name) => name === 'three')).toHaveLength(4);
});

test('what is doubted after a kill is still doubted when an operation comes before the request', async () => {
  const here = await world('one');
  here.move('api', '1.0.1');
  // Rendered, and perhaps never answered.
  await here.clock.advance(400);
  here.kill();
  await here.clock.advance(SECOND);
  here.onPut = (text) => {
    if (text.includes('"kind":"asked"')) here.argo.operate('one', 'person', true);
  };
  await here.start();
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toEqual(['one']);
  here.onPut = () => undefined;
  here.argo.endOperation('one');
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toEqual(['one', 'one']);
});

test('manifests from Argo CD’s cache for another revision are rendered afresh', async () => {
  const here = await world('one');
  await here.argo.push('one', 'commit-2', 'cache');
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toEqual(['one']);
  expect(here.outdated).toEqual([]);
  expect(here.events).toEqual([]);
});

test('who is overdue is compared', async () => {
  const here = await world('one');
  here.decisions.set('api', '1.0.1');
  here.overdue('one');
  await here.clock.advance(5 * SECOND);
  expect(here.patched).toEqual(['one']);
});

test('at the start everybody is compared once, and the outdated are refreshed', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0').set('web', '1.0.0');
  for (let at = 0; at < 250; at++) await here.add({ name: `app-${at}` }, at % 50 === 0 ? 'api' : 'web');
  here.decisions.set('api', '1.0.1');
  await here.start();
  expect(here.compared.length).toBeLessThanOrEqual(100);
  // Comparisons wait for turns of the event loop, of which a step of the clock gives a few.
  for (let step = 0; step < 200; step++) await here.clock.advance(100);
  expect(new Set(here.compared).size).toBe(250);
  expect(here.patched.toSorted()).toEqual([...here.usersOf('api')].toSorted());
  expect(here.outdated).toEqual([]);
});

test('nothing is done before every Application is known', async () => {
  const here = new World();
  here.decisions.set('api', '1.0.0');
  await here.add({ name: 'one' }, 'api');
  here.argo.complete = false;
  await here.start();
  here.move('api', '1.0.1');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  here.argo.complete = true;
  await here.clock.advance(2 * SECOND);
  expect(here.patched).toEqual(['one']);
});

test('a person’s hard refresh is told, ours never', async () => {
  const here = await world('one', 'two');
  here.move('api', '1.0.1');
  await here.clock.advance(100);
  here.argo.repeat('one');
  await here.clock.advance(10 * SECOND);
  expect(here.patched).toHaveLength(2);
  expect(here.userRefreshes).toEqual([]);
  here.argo.hardRefresh('two');
  here.argo.repeat('two');
  await here.clock.advance(10 * SECOND);
  expect(here.userRefreshes).toEqual(['two']);
  expect(here.patched).toHaveLength(2);
});

test('a clock that was set back delays nothing for long', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').losesPatches = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(100);
  here.clock.jump(-24 * 60 * MINUTE);
  await here.clock.advance(5 * MINUTE);
  expect(here.outdated).toEqual([]);
});

test('with nothing to do it does nothing', async () => {
  const here = await world('one', 'two');
  await here.clock.advance(MINUTE);
  const compared = here.compared.length;
  expect(here.clock.sleeping).toBe(0);
  await here.clock.advance(60 * MINUTE);
  expect(here.compared).toHaveLength(compared);
  expect(here.life.steps).toBeLessThan(20);
});

test('it stops when it is asked to, and what was waiting is taken up by the next process', async () => {
  const here = await world('one');
  here.argo.operate('one', 'person', true);
  here.move('api', '1.0.1', 'webhook');
  await here.clock.advance(SECOND);
  await here.clock.run(here.stop());
  expect(here.kept).toBe(1);
  await here.start();
  expect(here.refresher.stateOf('one')).toMatchObject({ kind: 'waiting' });
  here.argo.endOperation('one');
  await here.clock.advance(5 * SECOND);
  expect(here.outdated).toEqual([]);
  expect(here.events).toEqual(['one ImageMoved api: 1.0.0 -> 1.0.1 (semver ~1.0)']);
});

test('a request that was kept and perhaps never sent is sent at once by the next process', async () => {
  const here = await world('one');
  here.argo.behaviourOf('one').losesPatches = 1;
  here.move('api', '1.0.1');
  await here.clock.advance(100);
  here.kill();
  await here.start();
  await here.clock.advance(2 * SECOND);
  expect(here.patched).toEqual(['one', 'one']);
  expect(here.outdated).toEqual([]);
});
