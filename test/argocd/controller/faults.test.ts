// What is away, killed or doubled: images never go back, nothing turns Unknown, and nothing that was pushed is forgotten.

import { rm } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import type { TestApplication } from '../harness/test-application.ts';
import { useArgoCd } from '../harness/use-argo-cd.ts';
import { below, directory, together } from '../manifests.ts';
import { stepsWith } from '../steps.ts';

const SECRET = 'only-for-tests';
const argoCd = useArgoCd({
  configuration: {
    interval: '5s',
    minimumInterval: '1s',
    webhooks: [{ type: 'generic', secret: 'env:WEBHOOK_SECRET' }],
  },
  controller: { environment: { WEBHOOK_SECRET: SECRET } },
});
const { image, push, create } = stepsWith(argoCd);

afterEach(async () => {
  argoCd().registry.setOffline(false);
  if (!argoCd().controller.running) await argoCd().controller.start();
});

async function announce(name: string, tag: string): Promise<void> {
  const event = { images: [image(name, tag)] };
  expect(await argoCd().controller.webhook('generic', event, { authorization: `Bearer ${SECRET}` })).toBe(202);
}

/** An application that runs 1.0.1, and nothing is left to do. */
async function running(name: string): Promise<TestApplication> {
  await push(name, '1.0.0', '1.0.1');
  const application = await create(name, directory({ [name]: image(name, '1.0.0') }));
  await application.becomesLive(name, image(name, '1.0.1'));
  await argoCd().waitFor(`${name} is at rest`, () => application.isAtRest());
  return application;
}

const registryRequests = async (): Promise<number> =>
  argoCd().controller.metric('image_resolver_registry_requests_total');

test('the registry is down all the time: nothing changes, also after a restart of the controller', async () => {
  const application = await running('offline');
  const seen = application.observe();
  argoCd().registry.setOffline(true);
  const asked = await registryRequests();
  await argoCd().waitFor('the registry was asked in vain', async () => (await registryRequests()) > asked);
  await application.refresh('hard');
  await argoCd().controller.kill();
  await argoCd().controller.start();
  await application.refresh('hard');
  expect(seen).toMatchObject({
    syncStatuses: ['Synced'],
    conditions: [],
    images: [`offline=${image('offline', '1.0.1')}`],
  });
  argoCd().registry.setOffline(false);
  await push('offline', '1.0.2');
  await application.becomesLive('offline', image('offline', '1.0.2'), 60_000);
  seen.stop();
  expect(seen.syncStatuses).not.toContain('Unknown');
});

test('an image that nobody asked for before fails while the registry is down, and gets live when it is back', async () => {
  await push('first', '1.0.0', '1.0.1');
  argoCd().registry.setOffline(true);
  const application = await create('first', directory({ first: image('first', '1.0.0') }));
  await argoCd().waitFor('it fails', () => application.syncStatus() === 'Unknown');
  const seen = application.observe();
  argoCd().registry.setOffline(false);
  await application.becomesLive('first', image('first', '1.0.1'), 60_000);
  seen.stop();
  expect(seen.images).toEqual([`first=${image('first', '1.0.1')}`]);
});

test(
  'the controller is killed in the middle of its refreshes: after a restart, every application gets the image',
  { timeout: 200_000 },
  async () => {
    await push('killed', '1.0.0', '1.0.1');
    const names = Array.from({ length: 8 }, (_, index) => `killed-${index}`);
    const { url } = await argoCd().createRepository(
      together(names.map((name) => below(name, directory({ [name]: image('killed', '1.0.0') })))),
    );
    const applications = await Promise.all(
      names.map(async (name) =>
        argoCd().createApplication({
          name,
          sources: [{ url, path: name, parameters: [{ name: 'images', array: [image('killed', '~1.0')] }] }],
        }),
      ),
    );
    await argoCd().waitFor(
      'all are at rest',
      () => applications.every((application) => application.isAtRest()),
      60_000,
    );
    const seen = applications.map((application) => application.observe());
    await push('killed', '1.0.2');
    await announce('killed', '1.0.2');
    await argoCd().waitFor('some have it', () =>
      applications.some((application) => application.live(application.name) === image('killed', '1.0.2')),
    );
    await argoCd().controller.kill();
    await argoCd().controller.start();
    await argoCd().waitFor(
      'all have it',
      () => applications.every((application) => application.live(application.name) === image('killed', '1.0.2')),
      // What Argo CD renders while the controller is away is asked for again at its start, or soon after a sidecar left it alone.
      60_000,
    );
    for (const [index, observation] of seen.entries()) {
      observation.stop();
      expect(observation.syncStatuses).not.toContain('Unknown');
      expect(observation.images).toEqual([
        `${names[index]}=${image('killed', '1.0.1')}`,
        `${names[index]}=${image('killed', '1.0.2')}`,
      ]);
    }
  },
);

test('without the controller sidecars serve what they were answered; what nobody asked for comes when it is back', async () => {
  const application = await running('orphaned');
  const seen = application.observe();
  expect(await argoCd().controller.stop()).toBeLessThan(5_000);
  await push('orphaned', '1.0.2');
  await push('unasked', '1.0.0', '1.0.1');
  await application.refresh('hard');
  expect(application.live('orphaned')).toBe(image('orphaned', '1.0.1'));
  expect(await argoCd().repoServers[0]?.sidecarLog()).toContain('CONTROLLER_UNREACHABLE');
  const unasked = await create('unasked', directory({ unasked: image('unasked', '1.0.0') }));
  await argoCd().waitFor('it fails', () => unasked.syncStatus() === 'Unknown');
  await argoCd().controller.start();
  await application.becomesLive('orphaned', image('orphaned', '1.0.2'), 60_000);
  await unasked.becomesLive('unasked', image('unasked', '1.0.1'), 60_000);
  seen.stop();
  expect(seen).toMatchObject({
    conditions: [],
    images: ['1.0.1', '1.0.2'].map((tag) => `orphaned=${image('orphaned', tag)}`),
  });
  expect(seen.syncStatuses).not.toContain('Unknown');
});

test('an empty store while the registry is down: what runs is what is decided', async () => {
  const application = await running('recovered');
  await argoCd().runPods(application, 'recovered');
  await argoCd().waitFor('the Application names its images', () =>
    (application.state()?.status?.summary?.images ?? []).includes(image('recovered', '1.0.1')),
  );
  const seen = application.observe();
  argoCd().registry.setOffline(true);
  await argoCd().controller.stop();
  await rm(argoCd().controller.state, { recursive: true });
  for (const { state } of argoCd().repoServers) await rm(state, { recursive: true });
  await argoCd().controller.start();
  await application.refresh('hard');
  seen.stop();
  expect(seen).toMatchObject({ syncStatuses: ['Synced'], images: [`recovered=${image('recovered', '1.0.1')}`] });
});

test('two repo-servers give the same answer, whoever is asked', async () => {
  const application = await running('replicas');
  const second = await argoCd().addRepoServer();
  try {
    const seen = application.observe();
    await push('replicas', '1.0.2');
    await announce('replicas', '1.0.2');
    await application.becomesLive('replicas', image('replicas', '1.0.2'));
    for (let count = 0; count < 4; count += 1) await application.refresh('hard');
    seen.stop();
    const ofSecond = (await second.generations()).filter((generation) => generation.application === 'replicas');
    expect(ofSecond).not.toEqual([]);
    expect(seen.images).toEqual(['1.0.1', '1.0.2'].map((tag) => `replicas=${image('replicas', tag)}`));
    expect(seen.syncStatuses).not.toContain('Unknown');
  } finally {
    await argoCd().removeRepoServer(second);
  }
});

test("Argo CD's controller is away when an image moves: the refresh waits for it", async () => {
  const application = await running('paused');
  await argoCd().applicationController.kill();
  await push('paused', '1.0.2');
  await announce('paused', '1.0.2');
  await argoCd().waitFor('the refresh is asked for', () => application.isAskedToRefresh());
  await argoCd().applicationController.start();
  await application.becomesLive('paused', image('paused', '1.0.2'), 60_000);
  await argoCd().waitFor(
    'the refresh is confirmed',
    async () => (await argoCd().controller.metric('image_resolver_refresh_queue_applications')) === 0,
    60_000,
  );
  expect(application.isAskedToRefresh()).toBe(false);
});
