import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import { type PluginContainer, startPluginContainer } from '../support/run-resolver.ts';
import { expectFailure, expectWarning } from './expect-failure.ts';
import { oneImage, tagIn } from './one-image.ts';

// The faults that a real registry has by itself.

const READER = { environment: { READER: 'reader:first-password' } };
let htpasswd: RealRegistry;
let token: RealRegistry;

beforeAll(async () => {
  [htpasswd, token] = await Promise.all([
    startRealRegistry({ auth: { kind: 'htpasswd', users: { reader: 'first-password' } } }),
    startRealRegistry({
      auth: { kind: 'token', users: { reader: { password: 'first-password', repositories: ['acme/api'] } } },
    }),
  ]);
  await Promise.all(
    [htpasswd, token].flatMap((registry) =>
      ['acme/api', 'acme/private'].map(async (repository) => registry.pushImage({ repository, tag: '1.0.6' })),
    ),
  );
});
afterAll(async () => {
  await Promise.all([htpasswd.stop(), token.stop()]);
});

async function containerFor(registry: RealRegistry): Promise<PluginContainer> {
  const container = await startPluginContainer();
  const { host, url: apiUrl, tokenHosts } = registry;
  const entry = { host, apiUrl, insecure: true, tokenHosts, credentials: 'env:READER' };
  await container.configure({ interval: '0s', registries: { hosts: [entry] } });
  return container;
}

test('a password that is changed: an error for whoever had no answer, the answer for whoever had', async () => {
  await using container = await containerFor(htpasswd);
  const application = await oneImage(container, htpasswd);
  const before = await container.generate(application, READER);
  expect(before).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(before.stdout)).toBe('1.0.6');
  await htpasswd.setPassword('reader', 'second-password');
  const other = await oneImage(container, htpasswd, { name: 'another' });
  const stderr = await expectFailure(container, other, 'REGISTRY_UNAUTHORIZED', READER);
  expect(stderr).toContain('credentials were sent');
  expect(stderr).not.toContain('password');
  expect((await expectWarning(container, application, 'ANSWER_STALE', READER)).stdout).toBe(before.stdout);
  const renewed = { environment: { READER: 'reader:second-password' } };
  expect(await container.generate(other, renewed)).toEqual(before);
  await htpasswd.setPassword('reader', 'first-password');
});

test('a registry that goes offline and comes back', async () => {
  await using container = await containerFor(htpasswd);
  const application = await oneImage(container, htpasswd);
  htpasswd.setOffline(true);
  await expectFailure(container, application, 'REGISTRY_UNAVAILABLE', READER);
  htpasswd.setOffline(false);
  await using fresh = await containerFor(htpasswd);
  const before = await fresh.generate(application, READER);
  expect(tagIn(before.stdout)).toBe('1.0.6');
  htpasswd.setOffline(true);
  expect((await expectWarning(fresh, application, 'ANSWER_STALE', READER)).stdout).toBe(before.stdout);
  htpasswd.setOffline(false);
});

test('a repository that is not there', async () => {
  await using container = await containerFor(htpasswd);
  const application = await oneImage(container, htpasswd, { repository: 'acme/gone' });
  expect(await expectFailure(container, application, 'REPOSITORY_NOT_FOUND', READER)).toContain('NAME_UNKNOWN');
});

test('a repository that the credential may not pull', async () => {
  await using container = await containerFor(token);
  expect(tagIn((await container.generate(await oneImage(container, token), READER)).stdout)).toBe('1.0.6');
  const application = await oneImage(container, token, { repository: 'acme/private' });
  const stderr = await expectFailure(container, application, 'REGISTRY_UNAUTHORIZED', READER);
  expect(stderr).toContain('acme/private');
});
