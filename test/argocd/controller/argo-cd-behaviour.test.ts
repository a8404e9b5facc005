// What Argo CD does, and does not do, with an image-only change; and what the controller makes of it.

import { describe, expect, test } from 'vitest';
import type { Files } from '../harness/git.ts';
import type { TestApplication } from '../harness/test-application.ts';
import { useArgoCd } from '../harness/use-argo-cd.ts';
import { BROKEN, directory, HOOK, together } from '../manifests.ts';
import { stepsWith } from '../steps.ts';

const SECRET = 'only-for-tests';
const argoCd = useArgoCd({
  configuration: {
    interval: '1h',
    webhooks: [{ type: 'generic', secret: 'env:WEBHOOK_SECRET' }],
    refresh: { fullSync: { projects: ['payments', 'windowed'] } },
  },
  controller: { environment: { WEBHOOK_SECRET: SECRET } },
});
const { image, push, create } = stepsWith(argoCd);

async function pushAndAnnounce(name: string, tag: string): Promise<void> {
  await push(name, tag);
  const event = { images: [image(name, tag)] };
  expect(await argoCd().controller.webhook('generic', event, { authorization: `Bearer ${SECRET}` })).toBe(202);
}

const reasonsOf = async (application: TestApplication): Promise<readonly string[]> =>
  (await argoCd().events(application)).map(({ reason }) => reason);

async function hasEvent(application: TestApplication, reason: string): Promise<void> {
  await argoCd().waitFor(`${application.name} has the Event ${reason}`, async () =>
    (await reasonsOf(application)).includes(reason),
  );
}

const withHook = (name: string): Files => together([directory({ [name]: image(name, '1.0.0') }), HOOK]);
const hookOf = async (application: TestApplication): Promise<unknown> => application.uid('configmaps', 'migration');

describe('without sync: full', () => {
  test('automated without selfHeal: it is OutOfSync, stays as it was, and people are told', async () => {
    await push('unhealed', '1.0.0', '1.0.1');
    const application = await create('unhealed', directory({ unhealed: image('unhealed', '1.0.0') }), {
      syncPolicy: 'automated',
    });
    await application.becomesLive('unhealed', image('unhealed', '1.0.1'));
    await pushAndAnnounce('unhealed', '1.0.2');
    await argoCd().waitFor('it is OutOfSync', () => application.syncStatus() === 'OutOfSync');
    await hasEvent(application, 'RollOutBlocked');
    expect(application.live('unhealed')).toBe(image('unhealed', '1.0.1'));
  });

  test('selfHeal and hooks: the image gets live, no hook runs, and there is no entry in the history', async () => {
    await push('hooked', '1.0.0', '1.0.1');
    const application = await create('hooked', withHook('hooked'));
    await application.becomesLive('hooked', image('hooked', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    const hook = await hookOf(application);
    await pushAndAnnounce('hooked', '1.0.2');
    await application.becomesLive('hooked', image('hooked', '1.0.2'));
    await hasEvent(application, 'RollOutBlocked');
    expect(await hookOf(application)).toBe(hook);
    expect(application.state()?.status?.history).toHaveLength(1);
  });

  test('a last sync that failed: Argo CD does not try again, and people are told', async () => {
    await push('failed', '1.0.0', '1.0.1');
    const application = await create('failed', together([directory({ failed: image('failed', '1.0.0') }), BROKEN]), {
      retryLimit: 0,
    });
    await argoCd().waitFor('its sync failed', () => application.state()?.status?.operationState?.phase === 'Failed');
    await pushAndAnnounce('failed', '1.0.2');
    await hasEvent(application, 'RollOutBlocked');
    expect(application.live('failed')).toBe(image('failed', '1.0.1'));
  });

  test('an image that somebody changed by hand is healed to the one that was decided', async () => {
    await push('edited', '1.0.0', '1.0.1');
    const application = await create('edited', directory({ edited: image('edited', '1.0.0') }));
    await application.becomesLive('edited', image('edited', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    await application.editImage('edited', image('edited', '0.0.1'));
    await application.becomesLive('edited', image('edited', '0.0.1'));
    await application.becomesLive('edited', image('edited', '1.0.1'));
    expect(await argoCd().generations(application)).toHaveLength(1);
  });

  test('back to a revision whose manifests Argo CD kept: the image that was decided meanwhile gets live again', async () => {
    await push('reverted', '1.0.0', '1.0.1');
    const files = directory({ reverted: image('reverted', '1.0.0') });
    const git = await argoCd().createRepository(files);
    const application = await argoCd().createApplication({
      name: 'reverted',
      sources: [{ url: git.url, parameters: [{ name: 'images', array: [image('reverted', '~1.0')] }] }],
    });
    await application.becomesLive('reverted', image('reverted', '1.0.1'));
    const first = application.state()?.status?.sync?.revision ?? '';
    await git.commit({ 'other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n' });
    await application.refresh('normal');
    // Else it may be rendered in the middle of the sync, and once more when that ends.
    await argoCd().waitFor(
      'it is at rest at the second revision',
      () => application.isAtRest() && application.state()?.status?.sync?.revision !== first,
    );
    await pushAndAnnounce('reverted', '1.0.2');
    await application.becomesLive('reverted', image('reverted', '1.0.2'));
    // What is rendered and changed at the same moment belongs together.
    await argoCd().waitFor(
      'it is at rest, for a while',
      () => application.isAtRest() && application.secondsSinceSync() > 3,
    );
    await git.reset(first);
    await application.refresh('normal');
    await argoCd().waitFor(
      'it is at the first revision with the newest image, at rest',
      () =>
        application.isAtRest() &&
        application.state()?.status?.sync?.revision === first &&
        application.live('reverted') === image('reverted', '1.0.2'),
      90_000,
    );
    expect(await argoCd().generations(application)).toHaveLength(4);
  });
});

describe('with sync: full', () => {
  const SETTINGS = { sync: 'full' };

  test('hooks run for the new image, and the history gets an entry', async () => {
    await argoCd().createProject({ name: 'payments' });
    await push('ledger', '1.0.0', '1.0.1');
    const application = await create('ledger', withHook('ledger'), {
      project: 'payments',
      syncPolicy: 'automated',
      settings: SETTINGS,
    });
    await application.becomesLive('ledger', image('ledger', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    const hook = await hookOf(application);
    const generations = (await argoCd().generations(application)).length;
    await pushAndAnnounce('ledger', '1.0.2');
    await application.becomesLive('ledger', image('ledger', '1.0.2'));
    await argoCd().waitFor('it is at rest again', () => application.isAtRest());
    expect(await hookOf(application)).not.toBe(hook);
    expect(application.state()?.status?.history).toHaveLength(2);
    expect(application.state()?.status?.operationState?.operation.initiatedBy?.username).toBe('image-resolver');
    expect(await argoCd().generations(application)).toHaveLength(generations + 1);
    await hasEvent(application, 'FullSyncStarted');
  });

  test("without the operator's consent nothing is synced, and people are told", async () => {
    await push('refused', '1.0.0', '1.0.1');
    const application = await create('refused', withHook('refused'), { syncPolicy: 'automated', settings: SETTINGS });
    await application.becomesLive('refused', image('refused', '1.0.1'));
    await pushAndAnnounce('refused', '1.0.2');
    await hasEvent(application, 'FullSyncRefused');
    expect(application.live('refused')).toBe(image('refused', '1.0.1'));
    expect(application.state()?.status?.history).toHaveLength(1);
  });

  test('in a sync window that denies it waits, and goes on when the window is over', async () => {
    const denied = { kind: 'deny', schedule: '* * * * *', duration: '24h', applications: ['*'], manualSync: false };
    await argoCd().createProject({ name: 'windowed' });
    await push('windowed', '1.0.0', '1.0.1');
    const application = await create('windowed', withHook('windowed'), {
      project: 'windowed',
      syncPolicy: 'automated',
      settings: SETTINGS,
    });
    await application.becomesLive('windowed', image('windowed', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    await argoCd().patchProject('windowed', { spec: { syncWindows: [denied] } });
    await pushAndAnnounce('windowed', '1.0.2');
    await argoCd().waitFor('it is OutOfSync', () => application.syncStatus() === 'OutOfSync');
    await argoCd().waitFor(
      'the sync is held back',
      async () => (await argoCd().controller.metric('image_resolver_full_syncs_total', { event: 'held' })) > 0,
    );
    expect(application.live('windowed')).toBe(image('windowed', '1.0.1'));
    await argoCd().patchProject('windowed', { spec: { syncWindows: [] } });
    await application.becomesLive('windowed', image('windowed', '1.0.2'), 90_000);
  });
});
