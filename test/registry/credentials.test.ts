import { expect, test } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import type { Tag } from '../../src/image/reference.ts';
import type { Credential } from '../../src/registry/access.ts';
import { Secret } from '../../src/registry/secret.ts';
import { startFakeRegistry, type FakeAuth } from '../support/fake-registry.ts';
import { accessTo, basic, clientUnderTest, patient, containing } from './client-under-test.ts';

const users = (): Map<string, string> =>
  new Map([
    ['alice', 'a'],
    ['bob', 'b'],
  ]);
const ALICE = basic('alice', 'a');
const COMPLETE = { kind: 'complete', tags: ['1.0.0'] };

async function registryWith(auth: FakeAuth) {
  const registry = await startFakeRegistry({ auth });
  for (const repository of ['acme/api', 'acme/web']) registry.content.putTags(repository, ['1.0.0']);
  return registry;
}

test('a token is fetched once, for our own scope, and serves until it ends', async () => {
  await using registry = await registryWith({
    kind: 'bearer',
    users: users(),
    expiresInS: 300,
    challenges: (own) => [`Bearer realm="${own}/token",service="fake",scope="repository:other/one:pull,push,delete"`],
  });
  await using under = clientUnderTest();
  const access = accessTo(registry.url, { credential: ALICE });
  for (let time = 0; time < 3; time += 1)
    expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
  expect(registry.requestsTo('/token').map(({ url }) => url)).toEqual([
    '/token?service=fake&scope=repository%3Aacme%2Fapi%3Apull',
  ]);
  expect(registry.requestsTo('/tags/list')).toHaveLength(4); // one of them to learn how

  under.clock.advance(299_000); // within the margin of its end
  await under.client.list(access, undefined, patient());
  expect(registry.requestsTo('/token')).toHaveLength(2);
  expect(registry.requestsTo('/tags/list')).toHaveLength(5);
});

test('a token without a lifetime serves a minute', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users() });
  await using under = clientUnderTest();
  const access = accessTo(registry.url, { credential: ALICE });
  await under.client.list(access, undefined, patient());
  under.clock.advance(50_000);
  await under.client.list(access, undefined, patient());
  expect(registry.requestsTo('/token')).toHaveLength(1);
  under.clock.advance(10_000);
  await under.client.list(access, undefined, patient());
  expect(registry.requestsTo('/token')).toHaveLength(2);
});

test('tokens are per repository and per credential', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users(), anonymous: true });
  await using under = clientUnderTest();
  await under.client.list(accessTo(registry.url, { credential: ALICE }), undefined, patient());
  await under.client.list(accessTo(registry.url, { credential: ALICE, repository: 'acme/web' }), undefined, patient());
  await under.client.list(accessTo(registry.url, { credential: basic('bob', 'b') }), undefined, patient());
  await under.client.list(accessTo(registry.url), undefined, patient());
  expect(registry.requestsTo('/token').map(({ user, url }) => [user, /acme%2F(\w+)/.exec(url)?.[1]])).toEqual([
    [undefined, 'api'],
    [undefined, 'web'],
    [undefined, 'api'],
    [undefined, 'api'],
  ]);
  const withHeader = registry.requestsTo('/token').map(({ headers }) => headers['authorization']);
  expect(withHeader).toEqual([
    `Basic ${btoa('alice:a')}`,
    `Basic ${btoa('alice:a')}`,
    `Basic ${btoa('bob:b')}`,
    undefined,
  ]);
});

test('many requests at once fetch one token', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users() });
  await using under = clientUnderTest();
  const access = accessTo(registry.url, { credential: ALICE });
  await Promise.all(
    Array.from({ length: 30 }, (_, number) => under.client.head(access, `t${number}` as Tag, patient())),
  );
  expect(registry.requestsTo('/token')).toHaveLength(1);
});

test('an identity token is traded for a token by POST, and appears nowhere else', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users() });
  await using under = clientUnderTest();
  const credential: Credential = { kind: 'identity-token', token: new Secret('identity-of-alice'), generation: '1' };
  expect(await under.client.list(accessTo(registry.url, { credential }), undefined, patient())).toEqual(COMPLETE);
  const [request] = registry.requestsTo('/token');
  expect(request?.method).toBe('POST');
  expect(request?.url).toBe('/token');
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    grant_type: 'refresh_token',
    client_id: 'argocd-image-resolver',
    service: 'fake',
    scope: 'repository:acme/api:pull',
    refresh_token: 'identity-of-alice',
  });
});

test('a registry token is sent as it is, at once', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users() });
  await using under = clientUnderTest();
  const credential: Credential = { kind: 'registry-token', token: new Secret('token-of-alice-7'), generation: '1' };
  expect(await under.client.list(accessTo(registry.url, { credential }), undefined, patient())).toEqual(COMPLETE);
  expect(registry.requests).toHaveLength(1);
});

test('Bearer and Basic offered together: the token is taken', async () => {
  await using registry = await registryWith({
    kind: 'bearer',
    users: users(),
    challenges: (own) => [
      `Bearer realm="${own}/token",service="fake",scope="*",Basic realm="Gitea Container Registry"`,
    ],
  });
  await using under = clientUnderTest();
  expect(await under.client.list(accessTo(registry.url, { credential: ALICE }), undefined, patient())).toEqual(
    COMPLETE,
  );
  expect(registry.requestsTo('/tags/').at(-1)?.headers['authorization']).toMatch(/^Bearer /);
});

test('Basic is sent to a registry that asks for it, from the second request on without asking', async () => {
  await using registry = await registryWith({ kind: 'basic', users: users() });
  await using under = clientUnderTest();
  const access = accessTo(registry.url, { credential: basic('alice', 'a') });
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
  expect(registry.requests.map(({ headers }) => headers['authorization'])).toEqual([
    undefined,
    `Basic ${btoa('alice:a')}`,
    `Basic ${btoa('alice:a')}`,
  ]);
});

test.for<{ name: string; auth: FakeAuth }>([
  { name: 'Basic', auth: { kind: 'basic', users: users() } },
  { name: 'Bearer', auth: { kind: 'bearer', users: users() } },
])('$name: a credential that was changed is read again, once, and works', async ({ auth }) => {
  await using registry = await registryWith(auth);
  await using under = clientUnderTest();
  const reads: boolean[] = [];
  const access = accessTo(registry.url, {
    credential: (fresh) => {
      reads.push(fresh);
      return fresh ? ALICE : basic('alice', 'old');
    },
  });
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
  expect(reads.filter(Boolean)).toHaveLength(1);
});

test('a kept token that the registry no longer takes is fetched anew', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users(), expiresInS: 3000 });
  await using under = clientUnderTest();
  const access = accessTo(registry.url, { credential: ALICE });
  await under.client.list(access, undefined, patient());
  const challenge = { 'www-authenticate': `Bearer realm="${registry.url}/token",service="fake",error="invalid_token"` };
  registry.fail(/tags/, [{ kind: 'answer', status: 401, headers: challenge }]);
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
  expect(registry.requestsTo('/token')).toHaveLength(2);
});

test('an expired ECR credential answers 403: it is read again, once', async () => {
  await using registry = await registryWith({ kind: 'basic', users: users() });
  await using under = clientUnderTest();
  registry.fail(/tags/, [
    {
      kind: 'answer',
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="https://ecr",service="ecr.amazonaws.com"' },
    },
    {
      kind: 'answer',
      status: 403,
      body: '{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}',
    },
  ]);
  const access = accessTo(registry.url, { credential: (fresh) => (fresh ? ALICE : basic('alice', 'expired')) });
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
});

test.for<{ name: string; auth: FakeAuth; requests: number }>([
  { name: 'Basic', auth: { kind: 'basic', users: users() }, requests: 2 },
  { name: 'Bearer', auth: { kind: 'bearer', users: users() }, requests: 2 },
])('$name: a wrong credential is denied, after re-reading it, and no other is tried', async ({ auth, requests }) => {
  await using registry = await registryWith(auth);
  await using under = clientUnderTest();
  const access = accessTo(registry.url, { credential: basic('alice', 'canary-wrong') });
  const listing = await under.client.list(access, undefined, patient());
  expect(listing).toMatchObject({
    kind: 'failed',
    fault: {
      kind: 'denied',
      error: { code: 'REGISTRY_UNAUTHORIZED', what: containing('(credentials were sent)') },
    },
  });
  expect(JSON.stringify(listing)).not.toContain('canary');
  expect(registry.requests).toHaveLength(requests);
  registry.clearRequests();
  await under.client.list(access, undefined, patient());
  expect(registry.requests).toHaveLength(1); // how to ask is known by now
});

test('a registry that wants a login from an anonymous client is denied without another request', async () => {
  await using registry = await registryWith({ kind: 'basic', users: users() });
  await using under = clientUnderTest();
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({
    fault: {
      kind: 'denied',
      error: {
        code: 'REGISTRY_UNAUTHORIZED',
        fix: 'configure a credential for this registry (one that registries.hosts binds to projects serves those only)',
      },
    },
  });
  expect(registry.requests).toHaveLength(1);
});

test('404 without credentials says that it may mean "not for you"', async () => {
  await using registry = await registryWith({ kind: 'none' });
  await using under = clientUnderTest();
  const listing = await under.client.list(accessTo(registry.url, { repository: 'not/there' }), undefined, patient());
  expect(listing).toMatchObject({
    fault: {
      kind: 'missing',
      error: {
        code: 'REPOSITORY_NOT_FOUND',
        what: containing('NAME_UNKNOWN (no credentials were sent)'),
        fix: containing('private'),
      },
    },
  });
});

test('a credential that cannot be read is a fault, not a request without it', async () => {
  await using registry = await registryWith({ kind: 'basic', users: users(), anonymous: true });
  await using under = clientUnderTest();
  const access = accessTo(registry.url);
  const broken = {
    id: 'broken',
    get: () =>
      Promise.reject(new UserError('CREDENTIAL_UNREADABLE', { what: 'gone', where: 'here', fix: 'put it back' })),
  };
  expect(await under.client.list({ ...access, credential: broken }, undefined, patient())).toMatchObject({
    fault: { kind: 'denied', error: { code: 'CREDENTIAL_UNREADABLE' } },
  });
  expect(registry.requests).toHaveLength(0);
});

test('a token answer without a usable token is no token', async () => {
  await using registry = await registryWith({ kind: 'bearer', users: users() });
  await using under = clientUnderTest();
  registry.fail(/token/, [{ kind: 'answer', status: 200, body: JSON.stringify({ token: 'a\r\nX-Evil: 1' }) }]);
  expect(await under.client.list(accessTo(registry.url, { credential: ALICE }), undefined, patient())).toMatchObject({
    fault: { error: { code: 'REGISTRY_INVALID', what: containing('without a token') } },
  });
  expect(registry.requestsTo('/tags/')).toHaveLength(1);
});

test("one tenant's tags never reach another: A, then B; at once; with validators; with 503", async () => {
  const auth: FakeAuth = { kind: 'bearer', users: users() };
  await using registry = await startFakeRegistry({ auth, quirks: { etag: true }, tagsFor: (user) => [`of-${user}`] });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', []);
  // Generations of different credentials may be equal: they only tell one credential's states apart.
  const a = accessTo(registry.url, { credential: { ...ALICE, generation: '1' } });
  const b = accessTo(registry.url, { credential: { ...basic('bob', 'b'), generation: '1' } });
  const list = under.client.list.bind(under.client);

  const ofA = await list(a, undefined, patient());
  expect(ofA).toMatchObject({ kind: 'complete', tags: ['of-alice'] });
  expect(await list(b, undefined, patient())).toMatchObject({ kind: 'complete', tags: ['of-bob'] });

  const both = await Promise.all([list(a, undefined, patient()), list(b, undefined, patient())]);
  expect(both).toMatchObject([{ tags: ['of-alice'] }, { tags: ['of-bob'] }]);

  const validators = ofA.kind === 'complete' ? ofA.validators : undefined;
  expect(await Promise.all([list(a, validators, patient()), list(b, undefined, patient())])).toMatchObject([
    { kind: 'unchanged' },
    { tags: ['of-bob'] },
  ]);

  registry.fail(/tags/, [{ kind: 'answer', status: 503 }], 'last');
  expect(await list(b, undefined, patient())).toMatchObject({ kind: 'failed', fault: { kind: 'outage' } });
});
