// Sidecar and controller: what is pushed gets live by itself, and only what is concerned is refreshed.

import { afterAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/test-application.ts';
import { PushToLive } from '../harness/times.ts';
import { useArgoCd } from '../harness/use-argo-cd.ts';
import { below, chart, directory, kustomization, policies, together } from '../manifests.ts';
import { stepsWith } from '../steps.ts';

const SECRET = 'only-for-tests';
/** Nothing is polled within a test, unless its images ask for it: what moves then was moved by a webhook. */
const CONFIGURATION = {
  interval: '1h',
  minimumInterval: '1s',
  webhooks: [{ type: 'generic', secret: 'env:WEBHOOK_SECRET' }],
};
const POLLED = { 'app.poll-interval': '5s' };

const argoCd = useArgoCd({ configuration: CONFIGURATION, controller: { environment: { WEBHOOK_SECRET: SECRET } } });
const { repository, image, push, create } = stepsWith(argoCd);
const pushToLive = new PushToLive();
afterAll(() => console.log(pushToLive.toString()));

async function announce(name: string, tag: string): Promise<void> {
  const status = await argoCd().controller.webhook(
    'generic',
    { images: [image(name, tag)] },
    { authorization: `Bearer ${SECRET}` },
  );
  expect(status).toBe(202);
}

/** Every image that the Deployment has had, when one that satisfies the policy and one that doesn't are pushed. */
async function imagesOverAPush(
  application: TestApplication,
  { name, how, announced }: { readonly name: string; readonly how: string; readonly announced: boolean },
): Promise<readonly string[]> {
  const seen = application.observe();
  await application.becomesLive(name, image(name, '1.0.1'));
  await argoCd().waitFor('it is synced', () => application.isAtRest());
  await pushToLive.measure(
    `${how}, ${announced ? 'webhook' : 'polling every 5 s'}`,
    async () => push(name, '1.1.0', '1.0.2'),
    async () => {
      if (announced) await announce(name, '1.0.2');
      await application.becomesLive(name, image(name, '1.0.2'));
    },
  );
  seen.stop();
  return seen.images.filter((entry) => entry.startsWith(`${name}=`)).map((entry) => entry.slice(name.length + 1));
}

const newestOf = (name: string): readonly string[] => [image(name, '1.0.1'), image(name, '1.0.2')];

describe.for([
  { by: 'a webhook', announced: true, suffix: 'announced', settings: {} },
  { by: 'polling', announced: false, suffix: 'polled', settings: POLLED },
])('a pushed image gets live by $by', ({ announced, suffix, settings }) => {
  test('with kustomize', async () => {
    const name = `kustomized-${suffix}`;
    await push(name, '1.0.0', '1.0.1');
    const application = await create(name, kustomization({ [name]: image(name, '1.0.0') }), { settings });
    expect(await imagesOverAPush(application, { name, how: 'kustomize', announced })).toEqual(newestOf(name));
  });

  test('with a Helm chart and targets', async () => {
    const name = `charted-${suffix}`;
    await push(name, '1.0.0', '1.0.1');
    const application = await create(name, chart(name, { repository: 'example.com/none', tag: '0' }), {
      settings: { 'app.helm.image-name': 'image.repository', 'app.helm.image-tag': 'image.tag', ...settings },
    });
    expect(await imagesOverAPush(application, { name, how: 'Helm with targets', announced })).toEqual(newestOf(name));
    expect(application.deployment(name)?.spec.template.metadata.labels).toMatchObject({ version: '1.0.2' });
  });

  test('with a directory of plain files', async () => {
    const name = `plain-${suffix}`;
    await push(name, '1.0.0', '1.0.1');
    const application = await create(name, directory({ [name]: image(name, '1.0.0') }), { settings });
    expect(await imagesOverAPush(application, { name, how: 'directory', announced })).toEqual(newestOf(name));
  });

  test('with several sources, when the image of one of them moves', async () => {
    const name = `several-${suffix}`;
    await push(name, '1.0.0', '1.0.1');
    await push(`other-${suffix}`, '2.0.0', '2.3.0');
    const { url } = await argoCd().createRepository({
      ...below('one', kustomization({ [name]: image(name, '1.0.0') })),
      ...below('two', directory({ other: image(`other-${suffix}`, '2.0.0') })),
    });
    const application = await argoCd().createApplication({
      name,
      sources: [
        { url, path: 'one', parameters: policies([`app=${repository(name)}:~1.0`], settings) },
        { url, path: 'two', parameters: policies([`app=${repository(`other-${suffix}`)}:^2`], settings) },
      ],
    });
    expect(await imagesOverAPush(application, { name, how: 'multi-source', announced })).toEqual(newestOf(name));
    expect(application.live('other')).toBe(image(`other-${suffix}`, '2.3.0'));
  });

  test('of an application in the namespace of a team', async () => {
    const [name, team] = [`shop-${suffix}`, `team-${suffix}`];
    await argoCd().createNamespace(team);
    await argoCd().createProject({ name: team, sourceNamespaces: [team] });
    await push(name, '1.0.0', '1.0.1');
    const files = kustomization({ [name]: image(name, '1.0.0') });
    const application = await create(name, files, { settings, namespace: team, project: team });
    expect(await imagesOverAPush(application, { name, how: 'in another namespace', announced })).toEqual(
      newestOf(name),
    );
  });

  test('of an application that an ApplicationSet made', async () => {
    const name = `generated-${suffix}`;
    await push(name, '1.0.0', '1.0.1');
    const owner = await argoCd().createApplicationSet(name);
    const application = await create(name, kustomization({ [name]: image(name, '1.0.0') }), {
      settings,
      metadata: { ownerReferences: [owner] },
    });
    expect(await imagesOverAPush(application, { name, how: 'child of an ApplicationSet', announced })).toEqual(
      newestOf(name),
    );
  });
});

describe('of many applications', () => {
  const [REPOSITORIES, EACH] = [10, 10];

  test('exactly those whose image moved are refreshed, once, and one listing served them all', async () => {
    const names = Array.from({ length: REPOSITORIES }, (_, index) => `crowd-${index}`);
    for (const name of names) await push(name, '1.0.0', '1.0.1');
    await argoCd().createNamespace('crowd');
    const members = names.flatMap((name) =>
      Array.from({ length: EACH }, (_, index) => ({ name, member: `${name}-${index}` })),
    );
    const { url } = await argoCd().createRepository(
      together(members.map(({ name, member }) => below(member, directory({ [member]: image(name, '1.0.0') })))),
    );
    argoCd().registry.clearRequests();
    const applications = await Promise.all(
      members.map(async ({ name, member }) =>
        argoCd().createApplication({
          name: member,
          destination: 'crowd',
          sources: [{ url, path: member, parameters: policies([`app=${repository(name)}:~1.0`]) }],
        }),
      ),
    );
    await argoCd().waitFor(
      'all of them are synced',
      () => applications.every((application) => application.isAtRest()),
      90_000,
    );
    expect(applications.map((application) => application.live(application.name))).toEqual(
      members.map(({ name }) => image(name, '1.0.1')),
    );
    expect(argoCd().registry.listings).toBe(REPOSITORIES);
    const generationsOf = async (): Promise<readonly number[]> =>
      Promise.all(applications.map(async (application) => (await argoCd().generations(application)).length));
    expect(await generationsOf()).toEqual(members.map(() => 1));

    const seen = applications.map((application) => application.observe());
    argoCd().registry.clearRequests();
    await push('crowd-3', '1.0.2');
    await announce('crowd-3', '1.0.2');
    await argoCd().waitFor('the affected have it', () =>
      applications.every(
        (application) =>
          !application.name.startsWith('crowd-3-') || application.live(application.name) === image('crowd-3', '1.0.2'),
      ),
    );
    await argoCd().waitFor(
      'nothing is left to refresh',
      async () => (await argoCd().controller.metric('image_resolver_refresh_queue_applications')) === 0,
    );
    for (const observation of seen) observation.stop();
    const isAffected = members.map(({ name }) => name === 'crowd-3');
    expect(seen.map(({ refreshes }) => refreshes)).toEqual(isAffected.map((is) => (is ? 1 : 0)));
    expect(await generationsOf()).toEqual(isAffected.map((is) => (is ? 2 : 1)));
    expect(argoCd().registry.requests.map(({ kind }) => kind)).toEqual(['listing']);
  });
});
