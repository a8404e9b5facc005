import { afterEach, expect, test } from 'vitest';
import { type FakeRegistry, type Quirks, startFakeRegistry } from '../support/fake-registry.ts';
import { type Answered, askFor, ControllerWorld, perTeam, PERSON_TOKEN, tagOf, USERS } from './controller-world.ts';
import { hostEntry } from './one-image.ts';

// One registry that shows two teams different tags, and one controller that serves both (rules 3 and 4).

let registry: FakeRegistry;
let here: ControllerWorld;

const APPLICATIONS = { 'of-a': 'team-a', 'of-b': 'team-b' };
const users = new Map([
  ['alice', 'password-of-alice'],
  ['bob', 'password-of-bob'],
]);

async function begin(quirks: Quirks = {}, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  registry = await startFakeRegistry({
    auth: { kind: 'bearer', users },
    quirks,
    tagsFor: (user, tags) => tags.filter((tag) => user === 'alice' || !tag.startsWith('1.0.9')),
  });
  registry.content.putTags('acme/api', ['1.0.2', '1.0.3', '1.0.9']);
  here = await ControllerWorld.start({
    configuration: { interval: '10s', minimumInterval: '10s', registries: perTeam(registry), ...more },
    environment: USERS,
    applications: APPLICATIONS,
  });
}

afterEach(async () => {
  await here[Symbol.asyncDispose]();
  await registry.close();
});

const alice = (): Promise<Answered> => here.ask([askFor(registry)], { application: 'of-a', project: 'team-a' });
const bob = (): Promise<Answered> => here.ask([askFor(registry)], { application: 'of-b', project: 'team-b' });

test.for([
  { name: 'without ETag', quirks: {} },
  { name: 'with ETag and 304', quirks: { etag: true } },
])('$name, one after the other, at once and after a restart: neither sees the other’s tags', async ({ quirks }) => {
  await begin(quirks);
  expect([tagOf(await alice()), tagOf(await bob())]).toEqual(['1.0.9', '1.0.3']);
  registry.clearRequests();
  for (const application of ['argocd/of-a', 'argocd/of-b'])
    await here.send('/v1/refresh', { token: PERSON_TOKEN, body: JSON.stringify({ application }) });
  await expect
    .poll(() => registry.requestsTo('tags/list').map(({ user, headers }) => `${user} ${'if-none-match' in headers}`))
    .toEqual(expect.arrayContaining([`alice ${'etag' in quirks}`, `bob ${'etag' in quirks}`]));
  const together = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => (index % 2 === 0 ? alice() : bob())),
  );
  expect(together.map(tagOf)).toEqual(together.map((_, index) => (index % 2 === 0 ? '1.0.9' : '1.0.3')));
  await here.restart();
  expect([tagOf(await bob()), tagOf(await alice())]).toEqual(['1.0.3', '1.0.9']);
  expect(
    together
      .filter((_, index) => index % 2 === 1)
      .map(({ text }) => text)
      .join(),
  ).not.toContain('1.0.9');
});

test('at once and for the first time: neither sees the other’s tags', async () => {
  await begin({ etag: true });
  const together = await Promise.all([bob(), alice(), bob(), alice()]);
  expect(together.map(tagOf)).toEqual(['1.0.3', '1.0.9', '1.0.3', '1.0.9']);
});

test('a registry that answers 503 after it answered one team: the other gets an error, also after a restart', async () => {
  await begin();
  expect(tagOf(await alice())).toBe('1.0.9');
  registry.fail(/tags/, [{ kind: 'answer', status: 503 }], 'last');
  for (const restart of [false, true]) {
    if (restart) await here.restart();
    const answered = await bob();
    expect(tagOf(answered)).toBe('REGISTRY_UNAVAILABLE');
    expect(answered.text).not.toContain('1.0.9');
    expect(tagOf(await alice())).toBe('1.0.9');
  }
});

test.for([{ project: 'team-c' }, { project: undefined }])(
  'a generation that names project $project has neither credential, and nobody is asked for it',
  async ({ project }) => {
    await begin();
    await alice();
    registry.clearRequests();
    const who = { application: 'unknown-yet', ...(project !== undefined && { project }) };
    const answered = await here.ask([askFor(registry)], { query: { who } });
    expect(answered.resolutions[0]).not.toHaveProperty('decision');
    expect(answered.text).not.toContain('1.0.9');
    expect(registry.requests.filter(({ user }) => user !== undefined)).toEqual([]);
  },
);

test('an Application of one team that says it is of the other is refused, and nothing is told', async () => {
  await begin();
  await alice();
  registry.clearRequests();
  const answered = await here.ask([askFor(registry)], { application: 'of-b', project: 'team-a' });
  expect(tagOf(answered)).toBe('PROJECT_MISMATCH');
  expect(answered.text).not.toMatch(/1\.0\.9|team-b/);
  expect(registry.requests).toEqual([]);
  const report = { v: 1, who: { application: 'of-b', project: 'team-a' }, notices: [], asked: false };
  const source = { repoURL: 'https://git.example.com/acme/deploy', path: 'app', targetRevision: 'main' };
  const generation = { id: 'g', source, revision: '', parametersFingerprint: '' };
  const reported = await here.send('/v1/report', {
    token: 'token-of-the-sidecar',
    body: JSON.stringify({ ...report, generation }),
  });
  expect(reported.status).toBe(403);
});

test('what another team was given is not given on by naming its Application or its image', async () => {
  await begin();
  await alice();
  registry.fail(/tags/, [{ kind: 'answer', status: 503 }], 'last');
  // Same image key, same application name without its project, same policy.
  for (const who of [{ application: 'of-a' }, { application: 'of-a', project: 'team-b' }, { application: '' }]) {
    const answered = await here.ask([askFor(registry)], { query: { who } });
    expect(answered.resolutions[0]).not.toHaveProperty('decision');
    expect(answered.text).not.toContain('1.0.9');
  }
});

test('a secret that is not granted: the same answer whether it exists or not, and nobody is asked', async () => {
  registry = await startFakeRegistry({ auth: { kind: 'basic', users } });
  registry.content.putTags('acme/api', ['1.0.9']);
  const auths = { auths: { [registry.host]: { auth: Buffer.from(USERS.ALICE).toString('base64') } } };
  here = await ControllerWorld.start({
    configuration: {
      registries: { hosts: [hostEntry(registry)] },
      grants: [{ projects: ['team-a'], credentials: ['pullsecret:team-a/*'], hosts: [registry.host] }],
    },
    applications: APPLICATIONS,
    secrets: { 'team-a/there': { '.dockerconfigjson': JSON.stringify(auths) } },
  });
  const texts = [];
  for (const name of ['there', 'gone']) {
    const wish = askFor(registry, 'acme/api', { credential: `pullsecret:team-a/${name}` });
    const answered = await here.ask([wish], { application: 'of-b', project: 'team-b' });
    expect(tagOf(answered)).toBe('CREDENTIAL_NOT_GRANTED');
    texts.push(answered.text.replaceAll(name, 'NAME'));
  }
  expect(new Set(texts).size).toBe(1);
  expect(registry.requests).toEqual([]);

  const granted = askFor(registry, 'acme/api', { credential: 'pullsecret:team-a/there' });
  expect(tagOf(await here.ask([granted], { application: 'of-a', project: 'team-a' }))).toBe('1.0.9');
  await using attacker = await startFakeRegistry({ auth: { kind: 'basic', users } });
  const elsewhere = askFor(attacker, 'acme/api', { credential: 'pullsecret:team-a/there' });
  await here.ask([elsewhere], { application: 'of-a', project: 'team-a' });
  expect(attacker.connections).toBe(0);
});
