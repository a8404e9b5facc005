import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import { accessTo, basic, clientUnderTest, patient, containing } from './client-under-test.ts';

const TAG = '1.0.0' as Tag;
const AMD64 = [{ os: 'linux', architecture: 'amd64' }];
const ALICE = basic('alice', 'canary-password');

/** A second server, where nothing of the first may arrive. */
async function startSink(): Promise<FakeRegistry> {
  const sink = await startFakeRegistry();
  sink.content.putTags('acme/api', ['99.0.0']);
  return sink;
}

// Addresses (docs/security.md): nobody named these hosts, so only public addresses are connected to.

test.for(['127.0.0.1', '2130706433', '0x7f.1', '127.1', '[::ffff:127.0.0.1]', '[::1]', '10.0.0.1', '169.254.169.254'])(
  'a registry host %s is refused before anything connects',
  async (host) => {
    await using sink = await startSink();
    await using under = clientUnderTest();
    const port = new URL(sink.url).port;
    const access = accessTo(`http://${host}:${port}`, { endpoint: { privateAddressAllowed: false } });
    expect(await under.client.list(access, undefined, patient())).toMatchObject({
      kind: 'failed',
      fault: { kind: 'refused', error: { code: 'HOST_NOT_ALLOWED' } },
    });
    expect(sink.connections).toBe(0);
  },
);

test('a name with a loopback address, even beside a public one, is refused at every connect', async () => {
  await using sink = await startSink();
  const answers = [['93.184.216.34', '127.0.0.1'], ['127.0.0.1']];
  await using under = clientUnderTest({
    resolve: (_name, _options, callback) =>
      callback(
        null,
        (answers.shift() ?? ['127.0.0.1']).map((address) => ({ address, family: 4 })),
      ),
  });
  const port = new URL(sink.url).port;
  const access = accessTo(`http://rebinding.example.com:${port}`, { endpoint: { privateAddressAllowed: false } });
  for (let time = 0; time < 2; time += 1) {
    expect(await under.client.list(access, undefined, patient())).toMatchObject({
      fault: { error: { code: 'HOST_NOT_ALLOWED' } },
    });
  }
  expect(answers).toEqual([]);
  expect(sink.connections).toBe(0);
});

test('a host the operator named may have a private address', async () => {
  await using sink = await startSink();
  await using under = clientUnderTest({
    resolve: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  });
  const access = accessTo(`http://registry.corp.example.com:${new URL(sink.url).port}`);
  expect(await under.client.list(access, undefined, patient())).toEqual({ kind: 'complete', tags: ['99.0.0'] });
});

// Where a registry may send the client.

test('a Link to another host fails the listing, and the host sees no connection', async () => {
  await using sink = await startSink();
  await using registry = await startFakeRegistry({ quirks: { pageSize: 1, link: (next) => `${sink.url}${next}` } });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['1.0.0', '1.0.1']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({
    fault: { kind: 'refused', error: { code: 'REGISTRY_SUSPICIOUS' } },
  });
  expect(sink.connections).toBe(0);
});

test('a Link to another repository fails the listing', async () => {
  await using registry = await startFakeRegistry({
    quirks: { pageSize: 1, link: () => '/v2/team-b/secret/tags/list?n=1' },
  });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['1.0.0', '1.0.1']);
  registry.content.putTags('team-b/secret', ['99.0.0']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({
    fault: { kind: 'refused' },
  });
  expect(registry.requestsTo('team-b')).toHaveLength(0);
});

test('pages that lead in a circle fail the listing', async () => {
  await using registry = await startFakeRegistry({
    quirks: { pageSize: 1, link: (next) => next.replace(/last=[^&]*/, 'last=1.0.0') },
  });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['1.0.0', '1.0.1', '1.0.2']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({
    fault: { error: { code: 'REGISTRY_INVALID' } },
  });
  expect(registry.requests).toHaveLength(2);
});

test.for([301, 302, 303, 307, 308])('a listing or manifest redirected with %s goes nowhere', async (status) => {
  await using sink = await startSink();
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.fail(/v2/, [{ kind: 'answer', status, headers: { location: `${sink.url}/v2/acme/api/tags/list` } }], 'last');
  const access = accessTo(registry.url, { credential: ALICE });
  const suspicious = { fault: { kind: 'refused', error: { code: 'REGISTRY_SUSPICIOUS' } } };
  expect(await under.client.list(access, undefined, patient())).toMatchObject(suspicious);
  expect(await under.client.head(access, TAG, patient())).toMatchObject(suspicious);
  expect(sink.connections).toBe(0);
});

test('a blob is fetched where the registry redirects to, without the credential', async () => {
  await using storage = await startSink();
  await using registry = await startFakeRegistry({
    auth: { kind: 'basic', users: new Map([['alice', 'canary-password']]) },
    quirks: { redirectBlob: (digest) => `${storage.url}/v2/any/blobs/${digest}?signature=canary` },
  });
  await using under = clientUnderTest();
  registry.content.put({ repository: 'acme/api', tag: TAG, created: '2025-05-05T00:00:00Z' });
  storage.content.put({ repository: 'acme/api', tag: TAG, created: '2025-05-05T00:00:00Z' });
  const access = accessTo(registry.url, { credential: ALICE, endpoint: { tokenHosts: [storage.host] } });
  expect(await under.client.inspect(access, TAG, AMD64, patient())).toMatchObject({
    built: { kind: 'built', createdMs: Date.parse('2025-05-05T00:00:00Z') },
  });
  expect(storage.requests).toHaveLength(1);
  expect(storage.requests[0]?.headers).not.toHaveProperty('authorization');
  expect(JSON.stringify(under.events)).not.toContain('canary');
});

test('a blob redirected to an address nobody named is not fetched', async () => {
  await using sink = await startSink();
  await using registry = await startFakeRegistry({
    quirks: { redirectBlob: (digest) => `${sink.url}/v2/any/blobs/${digest}` },
  });
  await using under = clientUnderTest();
  registry.content.put({ repository: 'acme/api', tag: TAG });
  const { built } = await under.client.inspect(accessTo(registry.url), TAG, AMD64, patient());
  expect(built).toMatchObject({ fault: { kind: 'refused', error: { code: 'HOST_NOT_ALLOWED' } } });
  expect(sink.connections).toBe(0);
});

test('plain http is not spoken without insecure', async () => {
  await using under = clientUnderTest();
  const access = accessTo('http://r.example.com', { endpoint: { insecure: false } });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({
    fault: { kind: 'refused', error: { code: 'REGISTRY_SUSPICIOUS', fix: containing('insecure') } },
  });
});

test('a blob redirected four times is not fetched', async () => {
  let hops = 0;
  await using registry = await startFakeRegistry({
    quirks: { redirectBlob: (digest) => `/v2/hop-${(hops += 1)}/blobs/${digest}` },
  });
  await using under = clientUnderTest();
  registry.content.put({ repository: 'acme/api', tag: TAG });
  const { built } = await under.client.inspect(accessTo(registry.url), TAG, AMD64, patient());
  expect(built).toMatchObject({ fault: { kind: 'refused', error: { code: 'REGISTRY_SUSPICIOUS' } } });
  expect(registry.requestsTo('/blobs/')).toHaveLength(4);
});

test.for([
  { name: 'with a credential', credential: ALICE },
  { name: 'anonymously', credential: undefined },
])(
  'a token realm on another host sees no connection ($name), and the error names the setting',
  async ({ credential }) => {
    await using sink = await startSink();
    await using registry = await startFakeRegistry({
      auth: {
        kind: 'bearer',
        users: new Map([['alice', 'canary-password']]),
        challenges: () => [`Bearer realm="${sink.url}/token"`],
      },
    });
    await using under = clientUnderTest();
    registry.content.putTags('acme/api', ['1.0.0']);
    const listing = await under.client.list(accessTo(registry.url, credential && { credential }), undefined, patient());
    expect(listing).toMatchObject({
      fault: { kind: 'refused', error: { code: 'CREDENTIAL_NOT_SENT', fix: containing('tokenHosts') } },
    });
    expect(sink.connections).toBe(0);
  },
);

test('a token realm that the operator named gets the credential', async () => {
  const users = new Map([['alice', 'canary-password']]);
  await using auth = await startFakeRegistry({ auth: { kind: 'bearer', users } });
  await using registry = await startFakeRegistry({
    auth: { kind: 'bearer', users, challenges: () => [`Bearer realm="${auth.url}/token",service="s"`] },
  });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['1.0.0']);
  const access = accessTo(registry.url, { credential: ALICE, endpoint: { tokenHosts: [auth.host] } });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ kind: 'complete' });
});

// More than the limits.

test('pages without end are cut off at a thousand, as a failure', async () => {
  let page = 0;
  await using registry = await startFakeRegistry({
    quirks: { pageSize: 1, link: (next) => next.replace(/last=[^&]*/, `last=1.0.0&p=${(page += 1)}`) },
  });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['1.0.0', '1.0.1', '1.0.2']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({
    fault: { kind: 'refused', error: { code: 'REGISTRY_TOO_LARGE' } },
  });
  expect(registry.requests).toHaveLength(1000);
});

test('a hundred thousand tags are a listing, one more is a failure', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const tags = Array.from({ length: 100_000 }, (_, number) => `v${number}`);
  registry.content.putTags('acme/api', tags);
  const access = accessTo(registry.url, { endpoint: { pageSize: 200_000 } });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ kind: 'complete' });
  registry.content.putTags('acme/api', [...tags, 'more']);
  expect(await under.client.list(access, undefined, patient())).toMatchObject({
    fault: { error: { code: 'REGISTRY_TOO_LARGE' } },
  });
});

test('a small body that unpacks to much is cut off', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
  registry.fail(/list/, [{ kind: 'answer', status: 200, headers: { 'content-encoding': 'gzip' }, body: bomb }]);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({
    fault: { error: { code: 'REGISTRY_TOO_LARGE' } },
  });
});

test('nothing of an error body is shown but a code of the right form', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const body = JSON.stringify({ errors: [{ code: 'evil canary\n\u001b[31m', message: 'canary' }] });
  registry.fail(/list/, [{ kind: 'answer', status: 404, body }]);
  const listing = await under.client.list(accessTo(registry.url), undefined, patient());
  expect(listing).toMatchObject({ fault: { kind: 'missing' } });
  expect(JSON.stringify(listing)).not.toContain('canary');
});
