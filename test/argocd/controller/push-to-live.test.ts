// Sidecar and controller: what is pushed gets live by itself, and only what is concerned is refreshed.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

/** How an application is written; `name` is its own and that of the repository it uses. */
interface Shape {
  readonly shape: string;
  readonly short: string;
  create(name: string, settings: Readonly<Record<string, string>>): Promise<TestApplication>;
}

const SHAPES: readonly Shape[] = [
  {
    shape: 'kustomize',
    short: 'kustomized',
    create: async (name, settings) => create(name, kustomization({ [name]: image(name, '1.0.0') }), { settings }),
  },
  {
    shape: 'Helm with targets',
    short: 'charted',
    create: async (name, settings) =>
      create(name, chart(name, { repository: 'example.com/none', tag: '0' }), {
        settings: { 'app.helm.image-name': 'image.repository', 'app.helm.image-tag': 'image.tag', ...settings },
      }),
  },
  {
    shape: 'a directory of plain files',
    short: 'plain',
    create: async (name, settings) => create(name, directory({ [name]: image(name, '1.0.0') }), { settings }),
  },
  {
    shape: 'several sources',
    short: 'several',
    async create(name, settings) {
      const other = `${name}-other`;
      await push(other, '2.0.0', '2.3.0');
      const { url } = await argoCd().createRepository(
        together([
          below('one', kustomization({ [name]: image(name, '1.0.0') })),
          below('two', directory({ [other]: image(other, '2.0.0') })),
        ]),
      );
      return argoCd().createApplication({
        name,
        sources: [
          { url, path: 'one', parameters: policies([`app=${repository(name)}:~1.0`], settings) },
          { url, path: 'two', parameters: policies([`app=${repository(other)}:^2`], settings) },
        ],
      });
    },
  },
  {
    shape: 'the namespace of a team',
    short: 'shop',
    async create(name, settings) {
      const team = `team-${name}`;
      await argoCd().createNamespace(team);
      await argoCd().createProject({ name: team, sourceNamespaces: [team] });
      const files = kustomization({ [name]: image(name, '1.0.0') });
      return create(name, files, { settings, namespace: team, project: team });
    },
  },
  {
    shape: 'a child of an ApplicationSet',
    short: 'generated',
    async create(name, settings) {
      const metadata = { ownerReferences: [await argoCd().createApplicationSet(name)] };
      return create(name, kustomization({ [name]: image(name, '1.0.0') }), { settings, metadata });
    },
  },
];

describe.for([
  { by: 'a webhook', announced: true, settings: {} },
  { by: 'polling', announced: false, settings: { 'app.poll-interval': '5s' } },
])('a pushed image gets live by $by', ({ by, announced, settings }) => {
  const nameOf = ({ short }: Shape): string => `${short}-${announced ? 'announced' : 'polled'}`;
  const applications = new Map<string, TestApplication>();

  beforeAll(async () => {
    await Promise.all(
      SHAPES.map(async (shape) => {
        const name = nameOf(shape);
        await push(name, '1.0.0', '1.0.1');
        applications.set(name, await shape.create(name, settings));
      }),
    );
    const all = [...applications.values()];
    await argoCd().waitFor('all are at rest', () => all.every((application) => application.isAtRest()), 60_000);
    // A change soon after a sync is held back by Argo CD, 2 s for the first one.
    await argoCd().waitFor('the last syncs are over for long', () => all.every((one) => one.secondsSinceSync() > 2));
  });

  test.for(SHAPES)('with $shape', async (shape) => {
    const name = nameOf(shape);
    const application = applications.get(name);
    if (application === undefined) throw new Error(`${name} was not created`);
    const seen = application.observe();
    await pushToLive.measure(
      `${shape.shape}, by ${by}`,
      async () => push(name, '1.1.0', '1.0.2'),
      async () => {
        if (announced) await announce(name, '1.0.2');
        await application.becomesLive(name, image(name, '1.0.2'));
      },
    );
    seen.stop();
    expect(seen.images.filter((entry) => entry.startsWith(`${name}=`))).toEqual(
      ['1.0.1', '1.0.2'].map((tag) => `${name}=${image(name, tag)}`),
    );
    expect(seen).toMatchObject({ refreshes: 1, conditions: [] });
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
    const requests = (): number => argoCd().registry.requests.filter((asked) => /\/crowd-\d+\//.test(asked.url)).length;
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
    // Deployments are watched apart from Applications: what was synced may be seen a moment later.
    await argoCd().waitFor('each has its image', () =>
      members.every(({ name, member }, index) => applications[index]?.live(member) === image(name, '1.0.1')),
    );
    expect(requests()).toBe(REPOSITORIES);
    const generationsOf = async (): Promise<readonly number[]> =>
      Promise.all(applications.map(async (application) => (await argoCd().generations(application)).length));
    expect(await generationsOf()).toEqual(members.map(() => 1));

    const seen = applications.map((application) => application.observe());
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
    expect(requests()).toBe(REPOSITORIES + 1);
  });
});
