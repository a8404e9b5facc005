import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeRegistry, type Quirks, startFakeRegistry } from '../support/fake-registry.ts';
import {
  type PluginContainer,
  type ResolverRun,
  startPluginContainer,
  type TestApplication,
} from '../support/run-resolver.ts';
import { expectFailure } from './expect-failure.ts';
import { deployment, hostEntry, images, oneImage, tagIn } from './one-image.ts';

// One registry, two tenants, and what each of them must never see of the other.

let registry: FakeRegistry;
let container: PluginContainer;

const CREDENTIALS = { ALICE: 'alice:password-of-alice', BOB: 'bob:password-of-bob' };
const users = new Map([
  ['alice', 'password-of-alice'],
  ['bob', 'password-of-bob'],
]);

async function begin(quirks: Quirks = {}): Promise<void> {
  registry = await startFakeRegistry({
    auth: { kind: 'bearer', users },
    quirks,
    tagsFor: (user, tags) => tags.filter((tag) => user === 'alice' || !tag.startsWith('1.0.9')),
  });
  registry.content.putTags('acme/api', ['1.0.2', '1.0.3', '1.0.9']);
  await configure('0s');
}

const TARGET_AND_DIGEST = { pin: `sha256:${'0'.repeat(64)}`, 'helm.image-tag': 'image.tag' };

const configure = (interval: string): Promise<void> =>
  container.configure({
    interval,
    registries: {
      hosts: [
        hostEntry(registry, { credentials: 'env:ALICE', projects: ['team-a'] }),
        hostEntry(registry, { credentials: 'env:BOB', projects: ['team-b'] }),
      ],
    },
  });

beforeEach(async () => {
  container = await startPluginContainer();
});
afterEach(async () => {
  await container[Symbol.asyncDispose]();
  await registry.close();
});

const applicationOf = (project: string): Promise<TestApplication> =>
  oneImage(container, registry, { project, name: `of-${project}` });
const ask = async (project: string): Promise<ResolverRun> =>
  container.generate(await applicationOf(project), { environment: CREDENTIALS });

test.for([
  { name: 'without ETag', quirks: {} },
  { name: 'with ETag and 304', quirks: { etag: true } },
])('two tenants, each with a credential of its own: neither sees the tags of the other, $name', async ({ quirks }) => {
  await begin(quirks);
  const together = await Promise.all(['team-a', 'team-b', 'team-a', 'team-b'].map(ask));
  expect(together.map(({ stdout }) => tagIn(stdout))).toEqual(['1.0.9', '1.0.3', '1.0.9', '1.0.3']);
  expect(together.map(({ stderr }) => stderr)).toEqual(['', '', '', '']);

  for (const interval of ['0s', '1h']) {
    await configure(interval);
    expect(tagIn((await ask('team-a')).stdout)).toBe('1.0.9');
    expect(tagIn((await ask('team-b')).stdout)).toBe('1.0.3');
  }
});

test('a registry that fails after it answered one tenant: the other gets an error, not that answer', async () => {
  await begin();
  expect(tagIn((await ask('team-a')).stdout)).toBe('1.0.9');
  registry.fail(/tags/, [{ kind: 'answer', status: 503 }], 'last');
  const bob = await ask('team-b');
  expect(bob).toMatchObject({ stdout: '', exitCode: 1 });
  expect(bob.stderr).not.toContain('1.0.9');
  const alice = await ask('team-a');
  expect(alice).toMatchObject({ exitCode: 0 });
  expect(tagIn(alice.stdout)).toBe('1.0.9');
});

test.for(['team-c', ''])('project "%s" has neither credential and sees neither’s tags', async (project) => {
  await begin();
  await ask('team-a');
  const run = await ask(project);
  expect(run).toMatchObject({ stdout: '', exitCode: 1 });
  expect(run.stderr).not.toContain('1.0.9');
  expect(registry.requests.filter(({ user }) => user !== undefined && user !== 'alice')).toEqual([]);
});

test('an application that moves to another project does not keep what the first one’s credential saw', async () => {
  await begin();
  const before = await oneImage(container, registry, { project: 'team-a', name: 'same' });
  expect(tagIn((await container.generate(before, { environment: CREDENTIALS })).stdout)).toBe('1.0.9');
  const after = await oneImage(container, registry, { project: 'team-b', name: 'same' });
  const run = await container.generate(after, { environment: CREDENTIALS });
  expect(tagIn(run.stdout)).toBe('1.0.3');
  registry.fail(/tags/, [{ kind: 'answer', status: 500 }], 'last');
  const stale = await container.generate(after, { environment: CREDENTIALS });
  expect(tagIn(stale.stdout)).toBe('1.0.3');
});

const AUTHS = (host: string): string =>
  JSON.stringify({ auths: { [host]: { auth: Buffer.from('alice:password-of-alice').toString('base64') } } });

/** An application of project team-b that names a credential. */
async function wishing(credential: string, host = registry.host): Promise<TestApplication> {
  return container.application(
    { 'app/api.yaml': deployment(`${host}/acme/api:1.0.0`) },
    {
      project: 'team-b',
      parameters: [
        images(`api=${host}/acme/api:~1.0`),
        { name: 'image-settings', map: { 'api.pull-secret': credential } },
      ],
    },
  );
}

test('a credential that is not granted: the same error whether it exists or not, and nobody is asked', async () => {
  await begin();
  await container.configure({
    secretsDirectory: `${container.folder}/secrets`,
    registries: { hosts: [hostEntry(registry)] },
    grants: [{ projects: ['team-a'], credentials: ['pullsecret:team-a/*'], hosts: [registry.host] }],
  });
  await container.write('secrets/team-a/there/.dockerconfigjson', AUTHS(registry.host));
  const texts = [];
  for (const name of ['pullsecret:team-a/there', 'pullsecret:team-a/gone']) {
    const stderr = await expectFailure(container, await wishing(name), 'CREDENTIAL_NOT_GRANTED');
    texts.push(stderr.replace(name, 'NAME'));
  }
  expect(new Set(texts).size).toBe(1);
  for (const name of ['env:ALICE', 'ext:/bin/id']) {
    const application = await wishing(name);
    const run = await container.generate(application, { environment: CREDENTIALS });
    expect(run).toMatchObject({ stdout: '', exitCode: 1 });
    expect(run.stderr).not.toContain('password');
  }
  expect(registry.requests).toEqual([]);
});

test('a credential that is granted goes to the granted host only', async () => {
  await begin();
  await using attacker = await startFakeRegistry({ auth: { kind: 'basic', users } });
  attacker.content.putTags('acme/api', ['1.0.9']);
  await container.configure({
    secretsDirectory: `${container.folder}/secrets`,
    registries: { hosts: [hostEntry(registry), hostEntry(attacker)] },
    grants: [{ projects: ['team-b'], credentials: ['pullsecret:team-b/*'], hosts: [registry.host] }],
  });
  await container.write('secrets/team-b/mine/.dockerconfigjson', AUTHS(registry.host));
  const granted = await container.generate(await wishing('pullsecret:team-b/mine'));
  expect(tagIn(granted.stdout)).toBe('1.0.9');
  await expectFailure(container, await wishing('pullsecret:team-b/mine', attacker.host), 'CREDENTIAL_NOT_GRANTED');
  expect(attacker.requests.filter(({ headers }) => headers['authorization'] !== undefined)).toEqual([]);
});

test('a tenant may not look more often than the operator allows, and is told', async () => {
  await begin();
  await configure('1h');
  await container.configure({
    interval: '1h',
    minimumInterval: '10m',
    registries: { hosts: [hostEntry(registry, { credentials: 'env:ALICE' })] },
  });
  const application = await oneImage(container, registry, { settings: { 'poll-interval': '1s' } });
  const run = await container.generate(application, { environment: CREDENTIALS });
  expect(run.stderr).toMatch(/^warning: INTERVAL_RAISED [^\n]*600s[^\n]*\n$/);
  registry.clearRequests();
  await container.generate(application, { environment: CREDENTIALS });
  expect(registry.requests).toEqual([]);
});

test('a legal pattern that is nasty, over many tags, ends within the budget', async () => {
  await begin();
  registry.content.putTags(
    'acme/api',
    Array.from({ length: 2000 }, (_, index) => `${'a'.repeat(100)}${index}`),
  );
  const application = await oneImage(container, registry, {
    project: 'team-a',
    constraint: '',
    settings: {
      'update-strategy': 'alphabetical',
      'allow-tags': 'regexp:^(([a-z]+)*)*!$',
      'ignore-tags': '*a*a*a*a*b',
    },
  });
  const run = await container.generate(application, { environment: CREDENTIALS });
  expect(run.stderr).toMatch(/^warning: NOTHING_SATISFIES /);
});

test('mode freeze keeps what was answered, observe fails nothing and changes nothing', async () => {
  await begin();
  const application = await applicationOf('team-a');
  const generate = async (mode: string): Promise<ResolverRun> => {
    const hosts = [hostEntry(registry, { credentials: 'env:ALICE', projects: ['team-a'] })];
    await container.configure({ interval: '0s', registries: { hosts }, modes: [{ project: 'team-a', mode }] });
    return container.generate(application, { environment: CREDENTIALS });
  };
  expect(tagIn((await generate('enforce')).stdout)).toBe('1.0.9');
  registry.content.putTags('acme/api', ['1.0.2', '1.0.3', '1.0.9', '1.0.10']);
  expect(tagIn((await generate('freeze')).stdout)).toBe('1.0.9');
  expect(tagIn((await generate('observe')).stdout)).toBe('1.0.0');
  expect(tagIn((await generate('enforce')).stdout)).toBe('1.0.10');
  registry.fail(/tags/, [{ kind: 'answer', status: 401 }], 'last');
  for (const mode of ['freeze', 'observe']) {
    const run = await generate(mode);
    expect(run).toMatchObject({ exitCode: 0 });
    expect(tagIn(run.stdout)).toBe(mode === 'freeze' ? '1.0.10' : '1.0.0');
  }
});

test.for([
  { name: 'a constraint that cannot be read', constraint: ':~~1', code: 'CONSTRAINT_INVALID' },
  { name: 'a strategy that does not exist', settings: { 'update-strategy': 'newest' }, code: 'STRATEGY_UNKNOWN' },
  { name: 'a regular expression that is none', settings: { 'allow-tags': 'regexp:(' }, code: 'FILTER_INVALID' },
  { name: 'a pin to a digest with a Helm target', settings: TARGET_AND_DIGEST, code: 'SETTING_INVALID' },
])(
  'an application that is observed as a whole renders as in Git with $name',
  async ({ constraint, settings, code }) => {
    await begin();
    const application = await oneImage(container, registry, {
      project: 'team-a',
      ...(constraint !== undefined && { constraint }),
      ...(settings !== undefined && { settings }),
    });
    const hosts = [hostEntry(registry, { credentials: 'env:ALICE', projects: ['team-a'] })];
    const generate = async (mode: string): Promise<ResolverRun> => {
      await container.configure({ interval: '0s', registries: { hosts }, modes: [{ project: 'team-*', mode }] });
      return container.generate(application, { environment: CREDENTIALS });
    };
    expect(await generate('enforce')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(code) as string });
    const run = await generate('observe');
    expect(run).toMatchObject({ exitCode: 0 });
    expect(tagIn(run.stdout)).toBe('1.0.0');
    expect(run.stderr).toContain(`warning: ${code} `);
  },
);
