import { expect, test } from 'vitest';
import type { Digest, Tag } from '../../src/image/reference.ts';
import type { Credential } from '../../src/registry/access.ts';
import { Secret } from '../../src/registry/secret.ts';
import { SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { startRealRegistry, type RealRegistryAuth } from '../support/real-registry.ts';
import { accessTo, ANONYMOUS, basic, clientUnderTest, patient } from './client-under-test.ts';

const TAGS = ['1.0.5', '1.0.6', '1.1.0', '2.0.0', 'latest'];
const LINUX = [{ os: 'linux', architecture: 'amd64' }];

test.for<{ name: string; auth: RealRegistryAuth; credential: Credential }>([
  { name: 'anonymous', auth: { kind: 'anonymous' }, credential: ANONYMOUS },
  {
    name: 'htpasswd',
    auth: { kind: 'htpasswd', users: { reader: 'first-password' } },
    credential: basic('reader', 'first-password'),
  },
  { name: 'token', auth: { kind: 'token', users: { reader: { password: 'p' } } }, credential: basic('reader', 'p') },
  {
    name: 'identity token',
    auth: { kind: 'token', users: { reader: { password: 'p' } } },
    credential: { kind: 'identity-token', token: new Secret('identity-of-reader-p'), generation: '1' },
  },
  { name: 'anonymous token', auth: { kind: 'token', users: {}, anonymous: ['acme/'] }, credential: ANONYMOUS },
])('$name: pages, digests and dates of images of both families', async ({ auth, credential }) => {
  await using registry = await startRealRegistry({ auth, maxTags: 2 });
  await using under = clientUnderTest();
  const pushed = await registry.pushImages(
    TAGS.map((tag, index) => ({
      repository: 'acme/api',
      tag,
      created: `2025-01-0${index + 1}T00:00:00Z`,
      ...(index % 2 === 0
        ? { platforms: ['linux/amd64', { platform: 'linux/arm64', created: '2026-01-01T00:00:00Z' }] }
        : {}),
      family: index < 3 ? ('oci' as const) : ('docker' as const),
    })),
  );
  const { tokenHosts } = registry;
  const access = accessTo(registry.url, { credential, endpoint: { tokenHosts } });
  expect(await under.client.list(access, undefined, patient())).toEqual({ kind: 'complete', tags: TAGS });
  for (const [index, tag] of TAGS.entries()) {
    const digest = pushed[index]?.digest as Digest;
    const built = { kind: 'built', createdMs: Date.parse(`2025-01-0${index + 1}T00:00:00Z`) };
    expect(await under.client.head(access, tag as Tag, patient())).toEqual({ kind: 'found', digest });
    expect(await under.client.built(access, digest, LINUX, patient())).toEqual(built);
    expect(await under.client.inspect(access, tag as Tag, LINUX, patient())).toEqual({
      head: { kind: 'found', digest },
      built,
    });
  }
});

test('a password changed in the middle: the old one is denied, the new one works', async () => {
  const auth: RealRegistryAuth = { kind: 'htpasswd', users: { reader: 'first-password' } };
  await using registry = await startRealRegistry({ auth });
  await using under = clientUnderTest();
  await registry.pushImage({ repository: 'acme/api', tag: '1.0.5' });
  let password = 'first-password';
  const access = accessTo(registry.url, { credential: () => basic('reader', password) });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ kind: 'complete' });
  await registry.setPassword('reader', 'second-password');
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ fault: { kind: 'denied' } });
  password = 'second-password';
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ kind: 'complete' });
});

test('a repository that a user may not see is denied, to anonymous clients too', async () => {
  const alice = { password: 'a', repositories: ['team-a/'] };
  await using registry = await startRealRegistry({ auth: { kind: 'token', users: { alice } } });
  await using under = clientUnderTest();
  await registry.pushImage({ repository: 'team-b/api', tag: '1.0.0' });
  for (const credential of [basic('alice', 'a'), ANONYMOUS]) {
    const access = accessTo(registry.url, {
      repository: 'team-b/api',
      credential,
      endpoint: { tokenHosts: registry.tokenHosts },
    });
    expect(await under.client.list(access, undefined, patient())).toMatchObject({
      kind: 'failed',
      fault: { kind: 'denied' },
    });
  }
});

test('https with a private CA', async () => {
  await using registry = await startRealRegistry({ tls: SERVER_CERTIFICATE });
  await using under = clientUnderTest();
  await registry.pushImage({ repository: 'acme/api', tag: '1.0.5' });
  const access = accessTo(registry.url, { endpoint: { insecure: false, ca: TEST_CA } });
  expect(await under.client.list(access, undefined, patient())).toEqual({ kind: 'complete', tags: ['1.0.5'] });
});

test('an outage and its end', async () => {
  await using registry = await startRealRegistry();
  await using under = clientUnderTest();
  await registry.pushImage({ repository: 'acme/api', tag: '1.0.5' });
  const access = accessTo(registry.url);
  registry.setOffline(true);
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ fault: { kind: 'outage' } });
  registry.setOffline(false);
  under.clock.advance(10_000);
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ kind: 'complete' });
});
