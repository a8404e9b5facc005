// The sidecar alone on a real Argo CD: people (or a timer) ask for a hard refresh, and the newest images get live.

import { afterAll, describe, expect, test } from 'vitest';
import type { TestApplication } from './harness/test-application.ts';
import { PushToLive } from './harness/times.ts';
import { useArgoCd } from './harness/use-argo-cd.ts';
import { BROKEN, below, chart, directory, HOOK, kustomization, policies, together } from './manifests.ts';
import { stepsWith } from './steps.ts';

const argoCd = useArgoCd();
const pushToLive = new PushToLive();
afterAll(() => console.log(pushToLive.toString()));

const { repository, image, push, create } = stepsWith(argoCd);

/** Every image that the Deployment of the application has had, after a push of two: one that satisfies the policy, one that doesn't. */
async function imagesOverAPush(application: TestApplication, how: string): Promise<readonly string[]> {
  const { name } = application;
  const seen = application.observe();
  await application.becomesLive(name, image(name, '1.0.1'));
  await argoCd().waitFor('it is at rest', () => application.isAtRest());
  await pushToLive.measure(
    how,
    async () => push(name, '1.0.2', '1.1.0'),
    async () => {
      await application.refresh('hard');
      await application.becomesLive(name, image(name, '1.0.2'));
    },
  );
  seen.stop();
  return seen.images.filter((entry) => entry.startsWith(`${name}=`)).map((entry) => entry.slice(name.length + 1));
}

const newestOf = (name: string): readonly string[] => [image(name, '1.0.1'), image(name, '1.0.2')];

describe('a pushed image is live after a hard refresh', () => {
  test('with kustomize', async () => {
    await push('kustomized', '1.0.0', '1.0.1');
    const application = await create('kustomized', kustomization({ kustomized: image('kustomized', '1.0.0') }));
    expect(await imagesOverAPush(application, 'kustomize')).toEqual(newestOf('kustomized'));
  });

  test('with a Helm chart and targets, in everything the chart uses the tag for', async () => {
    await push('charted', '1.0.0', '1.0.1');
    const application = await create('charted', chart('charted', { repository: 'example.com/none', tag: '0' }), {
      settings: { 'app.helm.image-name': 'image.repository', 'app.helm.image-tag': 'image.tag' },
    });
    expect(await imagesOverAPush(application, 'Helm with targets')).toEqual(newestOf('charted'));
    expect(application.deployment('charted')?.spec.template.metadata.labels).toMatchObject({ version: '1.0.2' });
  });

  test('with a directory of plain files', async () => {
    await push('plain', '1.0.0', '1.0.1');
    expect(
      await imagesOverAPush(await create('plain', directory({ plain: image('plain', '1.0.0') })), 'directory'),
    ).toEqual(newestOf('plain'));
  });

  test('with several sources, each with policies of its own', async () => {
    await push('several', '1.0.0', '1.0.1');
    await push('other', '2.0.0', '2.3.0');
    const { url } = await argoCd().createRepository({
      ...below('several', kustomization({ several: image('several', '1.0.0') })),
      ...below('other', directory({ other: image('other', '2.0.0') })),
    });
    const application = await argoCd().createApplication({
      name: 'several',
      sources: [
        { url, path: 'several', parameters: policies([`${repository('several')}:~1.0`]) },
        { url, path: 'other', parameters: policies([`${repository('other')}:^2`]) },
      ],
    });
    await application.becomesLive('other', image('other', '2.3.0'));
    expect(await imagesOverAPush(application, 'multi-source')).toEqual(newestOf('several'));
    expect(application.live('other')).toBe(image('other', '2.3.0'));
  });

  test('of an application in the namespace of a team', async () => {
    await argoCd().createNamespace('team-a');
    await argoCd().createProject({ name: 'team-a', sourceNamespaces: ['team-a'] });
    await push('team', '1.0.0', '1.0.1');
    const files = kustomization({ team: image('team', '1.0.0') });
    const application = await create('team', files, { namespace: 'team-a', project: 'team-a' });
    expect(await imagesOverAPush(application, 'application in another namespace')).toEqual(newestOf('team'));
    expect((await argoCd().generations(application)).length).toBeGreaterThan(0);
  });

  test('of an application that an ApplicationSet made', async () => {
    await push('generated', '1.0.0', '1.0.1');
    const owner = await argoCd().createApplicationSet('generated');
    const files = kustomization({ generated: image('generated', '1.0.0') });
    const application = await create('generated', files, { metadata: { ownerReferences: [owner] } });
    expect(await imagesOverAPush(application, 'child of an ApplicationSet')).toEqual(newestOf('generated'));
  });
});

describe('generations', () => {
  test('there is one for each hard refresh, and none for a normal one', async () => {
    await push('counted', '1.0.0', '1.0.1');
    const application = await create('counted', kustomization({ counted: image('counted', '1.0.0') }));
    await application.becomesLive('counted', image('counted', '1.0.1'));
    const before = (await argoCd().generations(application)).length;
    await application.refresh('normal');
    expect(await argoCd().generations(application)).toHaveLength(before);
    await application.refresh('hard');
    const generations = await argoCd().generations(application);
    expect(generations).toHaveLength(before + 1);
    expect(generations.at(-1)).toMatchObject({ revision: application.state()?.status?.sync?.revision, exitCode: 0 });
  });

  test('two repo-servers generate in turn, and both see what was pushed', async () => {
    await push('replicas', '1.0.0', '1.0.1');
    const application = await create('replicas', kustomization({ replicas: image('replicas', '1.0.0') }));
    await application.becomesLive('replicas', image('replicas', '1.0.1'));
    const second = await argoCd().addRepoServer();
    try {
      for (let count = 0; count < 4; count += 1) await application.refresh('hard');
      const ofSecond = await second.generations();
      expect(ofSecond.filter((generation) => generation.application === 'replicas')).not.toEqual([]);
      expect(ofSecond.map(({ exitCode }) => exitCode)).not.toContain(1);
      expect(application.live('replicas')).toBe(image('replicas', '1.0.1'));
    } finally {
      await argoCd().removeRepoServer(second);
    }
  });
});

describe('what Argo CD does with an image-only change', () => {
  test('automated sync without selfHeal leaves it OutOfSync', async () => {
    await push('unhealed', '1.0.0', '1.0.1');
    const files = directory({ unhealed: image('unhealed', '1.0.0') });
    const application = await create('unhealed', files, { syncPolicy: 'automated' });
    await application.becomesLive('unhealed', image('unhealed', '1.0.1'));
    await push('unhealed', '1.0.2');
    await application.refresh('hard');
    await argoCd().waitFor('it is OutOfSync', () => application.syncStatus() === 'OutOfSync');
    await application.refresh('normal');
    expect(application.live('unhealed')).toBe(image('unhealed', '1.0.1'));
  });

  test('selfHeal syncs without hooks, and without an entry in the history', async () => {
    await push('hooked', '1.0.0', '1.0.1');
    const application = await create('hooked', together([directory({ hooked: image('hooked', '1.0.0') }), HOOK]));
    await application.becomesLive('hooked', image('hooked', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    const hook = await application.uid('configmaps', 'migration');
    await push('hooked', '1.0.2');
    await application.refresh('hard');
    await application.becomesLive('hooked', image('hooked', '1.0.2'));
    await argoCd().waitFor('it is at rest again', () => application.isAtRest());
    expect(await application.uid('configmaps', 'migration')).toBe(hook);
    expect(application.state()?.status?.history).toHaveLength(1);
  });

  test('after a sync that failed at the same revision there is no other', async () => {
    await push('failed', '1.0.0', '1.0.1');
    const files = together([directory({ failed: image('failed', '1.0.0') }), BROKEN]);
    const application = await create('failed', files, { retryLimit: 0 });
    const finished = (): string | undefined => application.state()?.status?.operationState?.finishedAt;
    await argoCd().waitFor('its sync failed', () => application.state()?.status?.operationState?.phase === 'Failed');
    const [attempt, before] = [finished(), application.live('failed')];
    await push('failed', '1.0.2');
    await application.refresh('hard');
    await application.refresh('normal');
    expect([finished(), application.live('failed')]).toEqual([attempt, before]);
    expect(before).toBe(image('failed', '1.0.1'));
  });

  test('an image that somebody edited is healed to the resolved one, without another generation', async () => {
    await push('edited', '1.0.0', '1.0.1');
    const application = await create('edited', directory({ edited: image('edited', '1.0.0') }));
    await application.becomesLive('edited', image('edited', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    const seen = application.observe();
    await application.editImage('edited', image('edited', '0.0.1'));
    await argoCd().waitFor('it is edited and healed', () => seen.images.length === 3);
    seen.stop();
    expect(seen.images).toEqual(['1.0.1', '0.0.1', '1.0.1'].map((tag) => `edited=${image('edited', tag)}`));
    expect(await argoCd().generations(application)).toHaveLength(1);
  });

  test('back at an earlier revision, the image of that time is back with the manifests that were kept', async () => {
    await push('reverted', '1.0.0', '1.0.1');
    const git = await argoCd().createRepository(directory({ reverted: image('reverted', '1.0.0') }));
    const parameters = policies([`${repository('reverted')}:~1.0`]);
    const application = await argoCd().createApplication({ name: 'reverted', sources: [{ url: git.url, parameters }] });
    await application.becomesLive('reverted', image('reverted', '1.0.1'));
    await argoCd().waitFor('it is at rest', () => application.isAtRest());
    const first = application.state()?.status?.sync?.revision ?? '';
    await push('reverted', '1.0.2');
    await git.commit({ 'other.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n' });
    await application.refresh('normal');
    await application.becomesLive('reverted', image('reverted', '1.0.2'));
    await argoCd().waitFor('it is at rest again', () => application.isAtRest());
    await git.reset(first);
    await application.refresh('normal');
    await application.becomesLive('reverted', image('reverted', '1.0.1'));
    expect(await argoCd().generations(application)).toHaveLength(2);
  });
});

test('Argo CD tells which images run', async () => {
  await push('tells', '1.0.0', '1.0.1');
  const application = await create('tells', directory({ tells: image('tells', '1.0.0') }));
  await application.becomesLive('tells', image('tells', '1.0.1'));
  await argoCd().runPods(application, 'tells');
  await argoCd().waitFor(
    'the Application names the image',
    () => application.state()?.status?.summary?.images?.includes(image('tells', '1.0.1')) === true,
  );
  expect(application.state()?.status?.summary?.images).toEqual([image('tells', '1.0.1')]);
});

describe('faults', () => {
  test('while the registry is down, a hard refresh changes nothing and the application is never Unknown', async () => {
    await push('offline', '1.0.0', '1.0.1');
    const application = await create('offline', kustomization({ offline: image('offline', '1.0.0') }));
    await application.becomesLive('offline', image('offline', '1.0.1'));
    await argoCd().waitFor('it is synced', () => application.syncStatus() === 'Synced');
    const seen = application.observe();
    argoCd().registry.setOffline(true);
    try {
      await application.refresh('hard');
      await application.refresh('hard');
    } finally {
      argoCd().registry.setOffline(false);
      seen.stop();
    }
    expect(seen).toMatchObject({
      syncStatuses: ['Synced'],
      conditions: [],
      images: [`offline=${image('offline', '1.0.1')}`],
    });
    // A host that could not be reached is left alone for a moment.
    await push('offline', '1.0.2');
    await argoCd().waitFor('what was pushed is rendered', async () => {
      await application.refresh('hard');
      return application.live('offline') === image('offline', '1.0.2');
    });
  });

  test("Argo CD's controller is away while somebody asks for the refresh", async () => {
    await push('restarted', '1.0.0', '1.0.1');
    const application = await create('restarted', kustomization({ restarted: image('restarted', '1.0.0') }));
    await application.becomesLive('restarted', image('restarted', '1.0.1'));
    await argoCd().applicationController.kill();
    await push('restarted', '1.0.2');
    await application.askForRefresh('hard');
    await argoCd().applicationController.start();
    await application.becomesLive('restarted', image('restarted', '1.0.2'));
    expect(application.state()?.status?.conditions ?? []).toEqual([]);
  });
});
