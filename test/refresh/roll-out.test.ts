import { expect, test } from 'vitest';
import type { NewApplication } from '../support/fake-argo-cd.ts';
import { MINUTE, SECOND, World } from './harness.ts';

const selfHealing = { automated: { selfHeal: true, prune: true } } as const;
const automated = { automated: { selfHeal: false, prune: true } } as const;

async function moved(
  application: Omit<NewApplication, 'name'>,
  prepare: (here: World) => void = () => undefined,
): Promise<World> {
  const here = new World();
  here.decisions.set('api', '1.0.0');
  await here.add({ name: 'one', ...application }, 'api');
  prepare(here);
  await here.start();
  await here.clock.advance(SECOND);
  here.move('api', '1.0.1');
  await here.clock.advance(30 * SECOND);
  return here;
}

const conditions = (here: World): readonly string[] => [...here.refresher.conditionsOf('one')];
const reasons = (here: World): readonly string[] => here.events.map((event) => event.split(' ')[1] ?? '');

function wantingFull(here: World): void {
  here.full.add('one');
  here.limits.fullSyncProjects = ['team-*'];
}
const consented = { project: 'team-a', ...automated };

test.for([
  { name: 'synced by hand', application: {} },
  { name: 'self-healing', application: selfHealing },
])('an application that is $name is no problem', async ({ application }) => {
  const here = await moved(application);
  expect(conditions(here)).toEqual([]);
  expect(reasons(here)).toEqual(['ImageMoved']);
});

test('without selfHeal Argo CD syncs no image: it is said once for each move, until somebody syncs', async () => {
  const here = await moved(automated);
  expect(conditions(here)).toEqual(['self-heal-off']);
  expect(here.refresher.conditionCounts()).toEqual({ 'self-heal-off': 1, 'last-sync-failed': 0, hooks: 0 });
  here.argo.reconcile('one');
  here.argo.repeat('one');
  await here.clock.advance(MINUTE);
  expect(reasons(here)).toEqual(['ImageMoved', 'RollOutBlocked']);
  expect(here.logged.filter(({ event }) => event === 'roll-out-blocked')).toHaveLength(1);
  here.move('api', '1.0.2');
  await here.clock.advance(30 * SECOND);
  expect(reasons(here)).toEqual(['ImageMoved', 'RollOutBlocked', 'ImageMoved', 'RollOutBlocked']);
  here.argo.operate('one');
  await here.clock.advance(30 * SECOND);
  expect(conditions(here)).toEqual([]);
  expect(here.refresher.conditionCounts()).toEqual({ 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 0 });
  expect(here.kept).toBe(0);
});

test('a condition outlives the process', async () => {
  const here = await moved(automated);
  here.kill();
  await here.start();
  await here.clock.advance(MINUTE);
  expect(conditions(here)).toEqual(['self-heal-off']);
  expect(reasons(here)).toEqual(['ImageMoved', 'RollOutBlocked']);
});

test('what is kept of an Application that went while nobody watched is forgotten', async () => {
  const here = await moved(automated);
  here.kill();
  here.argo.remove('one');
  here.argo.complete = false;
  await here.start();
  await here.clock.advance(5 * SECOND);
  expect(here.kept).toBe(1);
  here.argo.complete = true;
  await here.clock.advance(5 * SECOND);
  expect(here.kept).toBe(0);
});

test('after a sync that failed at this revision Argo CD syncs nothing', async () => {
  const failed = { phase: 'Failed', revisions: ['commit-1'], finishedAt: '2026-03-01T11:00:00Z', selective: false };
  const here = await moved({ ...selfHealing, lastSync: failed });
  expect(conditions(here)).toEqual(['last-sync-failed']);
  expect(here.argo.syncs).toEqual([]);
});

test('a self-heal that fails is said', async () => {
  const here = await moved(selfHealing, (before) => void (before.argo.behaviourOf('one').syncFails = true));
  expect(conditions(here)).toEqual(['last-sync-failed']);
});

test.for([
  { name: 'hooks', application: { hasHooks: true }, rendered: false },
  { name: 'hooks that are deleted when they are done', application: {}, rendered: true },
])('self-heal skips $name: that is said until a whole sync ran', async ({ application, rendered }) => {
  const here = await moved({ ...selfHealing, ...application }, (before) => {
    if (rendered) before.hooks.add('one');
  });
  expect(here.argo.syncs).toEqual([{ application: 'one', selective: true, by: 'argo-cd' }]);
  expect(conditions(here)).toEqual(['hooks']);
  expect(reasons(here)).toEqual(['ImageMoved', 'RollOutBlocked']);
  here.argo.operate('one');
  await here.clock.advance(30 * SECOND);
  expect(conditions(here)).toEqual([]);
});

test('a new commit with an image that moved is Argo CD’s own whole sync', async () => {
  const here = await moved(automated);
  await here.argo.push('one', 'commit-2');
  await here.clock.advance(30 * SECOND);
  expect(here.argo.syncs).toEqual([{ application: 'one', selective: false, by: 'argo-cd' }]);
  expect(conditions(here)).toEqual([]);
});

test('what somebody else had rendered is followed until the Application shows it', async () => {
  const here = await moved(automated, (before) => before.argo.operate('one', 'person', true));
  await here.render('one');
  here.argo.endOperation('one');
  await here.clock.advance(MINUTE);
  expect(here.patched).toEqual([]);
  expect(conditions(here)).toEqual([]);
  await here.argo.push('one', 'commit-1');
  await here.clock.advance(SECOND);
  expect(conditions(here)).toEqual(['self-heal-off']);
});

test('sync: full with consent starts exactly one whole sync at the synced revision', async () => {
  const here = await moved({ ...consented, hasHooks: true }, wantingFull);
  await here.clock.advance(10 * MINUTE);
  expect(here.operations).toEqual([
    {
      metadata: { resourceVersion: expect.any(String) as string },
      operation: {
        initiatedBy: { username: 'image-resolver', automated: true },
        sync: { revision: 'commit-1', prune: true, syncStrategy: { hook: {} } },
        retry: { limit: 5 },
      },
      status: { operationState: null },
    },
  ]);
  expect(here.argo.liveOf('one')).toBe('api:1.0.1');
  expect(here.argo.syncs).toEqual([{ application: 'one', selective: false, by: 'image-resolver' }]);
  expect(reasons(here)).toEqual(['ImageMoved', 'FullSyncStarted']);
  expect(conditions(here)).toEqual([]);
  expect(here.kept).toBe(0);
});

test('a whole sync that would take everything away is refused once, and that is said', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    before.argo.behaviourOf('one').prunesAll = true;
  });
  await here.clock.advance(60 * MINUTE);
  expect(here.operations).toEqual([]);
  expect(reasons(here)).toEqual(['ImageMoved', 'FullSyncRefused', 'RollOutBlocked']);
  expect(here.refresher.stateOf('one').why).toBeUndefined();
});

test('a multi-source application is synced at all its revisions', async () => {
  const source = { repoURL: 'https://git.example.com/a', path: '.', targetRevision: 'main' };
  const revisions = ['commit-1', 'commit-7'];
  const lastSync = { phase: 'Succeeded', revisions, finishedAt: '2026-03-01T11:00:00Z', selective: false };
  const here = await moved({ ...consented, sources: [source, source], revisions, lastSync }, wantingFull);
  expect(here.operations).toMatchObject([{ operation: { sync: { revisions } } }]);
  expect(here.operations[0]).not.toHaveProperty('operation.sync.revision');
});

test('without consent nothing is started, and that is said', async () => {
  const here = await moved(automated, wantingFull);
  expect(here.operations).toEqual([]);
  expect(reasons(here).toSorted()).toEqual(['FullSyncRefused', 'ImageMoved', 'RollOutBlocked']);
  expect(conditions(here)).toEqual(['self-heal-off']);
});

test('with selfHeal sync: full has no effect, and that is said', async () => {
  const here = await moved({ ...consented, ...selfHealing }, wantingFull);
  expect(here.operations).toEqual([]);
  expect(reasons(here)).toEqual(['ImageMoved', 'FullSyncRefused']);
});

test('while a sync window is closed the whole sync waits, and it starts when the window opens, in another process too', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    before.window = 'blocked';
  });
  await here.clock.advance(10 * MINUTE);
  expect(here.operations).toEqual([]);
  expect(here.count('full held')).toBe(1);
  expect(here.refresher.stateOf('one').why).toBe('the whole sync waits for a sync window');
  here.kill();
  await here.start();
  here.window = 'allowed';
  await here.clock.advance(MINUTE);
  expect(here.operations).toHaveLength(1);
  expect(here.argo.liveOf('one')).toBe('api:1.0.1');
});

test('a whole sync that waited is forgotten when somebody else synced', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    before.window = 'blocked';
  });
  here.argo.operate('one');
  await here.clock.advance(30 * SECOND);
  here.window = 'allowed';
  await here.clock.advance(MINUTE);
  expect(here.operations).toEqual([]);
  expect(here.kept).toBe(0);
});

/** What somebody does between our reading and our patch. */
function between(here: World, act: () => void): void {
  const { kubernetes } = here.argo;
  const { get } = kubernetes;
  const overtaken: typeof get = async (path, signal) => {
    const object = await get(path, signal);
    act();
    Object.assign(kubernetes, { get });
    return object;
  };
  Object.assign(kubernetes, { get: overtaken });
}

test('a whole sync is refused when anything changed since it was read, and read again', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    between(before, () => before.argo.edit('one', { liveImages: ['changed'] }));
  });
  expect(here.argo.conflicts).toBe(1);
  expect(here.operations).toHaveLength(1);
  expect(here.argo.syncs).toHaveLength(1);
});

test('a whole sync waits for an operation that began meanwhile', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    between(before, () => before.argo.operate('one', 'person', true));
  });
  await here.clock.advance(10 * MINUTE);
  expect(here.operations).toEqual([]);
  here.argo.endOperation('one');
  await here.clock.advance(MINUTE);
  expect(here.operations).toHaveLength(1);
});

test('an operation that begins while the whole sync is kept is seen before it is asked for', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    before.onPut = (text) => {
      if (text.includes('"asking"')) before.argo.operate('one', 'person', true);
    };
  });
  expect(here.argo.conflicts).toBe(0);
});

test('an operation that is quicker than the whole sync is not taken for it', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    const { kubernetes } = before.argo;
    const { patch } = kubernetes;
    const overtaken: typeof patch = (path, body, signal) => {
      if ('operation' in (body as object)) {
        Object.assign(kubernetes, { patch });
        before.argo.operate('one', 'person', true);
      }
      return patch(path, body, signal);
    };
    Object.assign(kubernetes, { patch: overtaken });
  });
  expect(here.argo.conflicts).toBe(1);
  expect(here.operations).toEqual([]);
  here.argo.endOperation('one');
  await here.clock.advance(MINUTE);
  expect(here.operations).toHaveLength(1);
});

test('a whole sync that fails is reported and not repeated until the next move', async () => {
  const here = await moved(consented, (before) => {
    wantingFull(before);
    before.argo.behaviourOf('one').syncFails = true;
  });
  await here.clock.advance(60 * MINUTE);
  expect(here.operations).toHaveLength(1);
  expect(here.count('full failed')).toBe(1);
  expect(conditions(here)).toEqual(['last-sync-failed']);
  expect(reasons(here)).toEqual(['ImageMoved', 'FullSyncStarted', 'RollOutBlocked']);
  here.argo.behaviourOf('one').syncFails = false;
  here.move('api', '1.0.2');
  await here.clock.advance(MINUTE);
  expect(here.operations).toHaveLength(2);
  expect(here.argo.liveOf('one')).toBe('api:1.0.2');
  expect(conditions(here)).toEqual([]);
});
