import { createServer, type Server } from 'node:https';
import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from '../support/fake-registry.ts';
import { EXPIRED_CERTIFICATE, OTHER_CA, SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { closeServer, listen } from '../support/real-registry-proxy.ts';
import { type PluginContainer, startPluginContainer } from '../support/run-resolver.ts';
import { expectFailure, expectWarning } from './expect-failure.ts';
import { hostEntry, oneImage, tagIn } from './one-image.ts';

// A registry that tries to send the resolver and its credential somewhere else; the sink is where it must not go.

const ALICE = 'alice:wonder-canary-land';

async function registryAndSink(
  options: (sink: FakeRegistry) => FakeRegistryOptions,
): Promise<{ registry: FakeRegistry; sink: FakeRegistry; container: PluginContainer }> {
  const sink = await startFakeRegistry();
  const registry = await startFakeRegistry(options(sink));
  const container = await startPluginContainer();
  onTestFinished(async () => {
    await container[Symbol.asyncDispose]();
    await Promise.all([registry.close(), sink.close()]);
  });
  await container.configure({
    interval: '0s',
    registries: { hosts: [hostEntry(registry, { credentials: 'env:ALICE' })] },
  });
  for (const one of [registry, sink]) one.content.putTags('acme/api', ['1.0.4', '1.0.5', '1.0.6']);
  return { registry, sink, container };
}

const users = new Map([['alice', 'wonder-canary-land']]);
const run = { environment: { ALICE } };

test.for<{
  name: string;
  registry: (sink: FakeRegistry) => FakeRegistryOptions;
  begin?: (registry: FakeRegistry, sink: FakeRegistry) => void;
  code: ErrorCode;
}>([
  {
    name: 'a Link to another host',
    registry: (sink) => ({ quirks: { pageSize: 2, link: (next) => `${sink.url}${next}` } }),
    code: 'REGISTRY_SUSPICIOUS',
  },
  {
    name: 'a redirect of the listing to another host',
    registry: () => ({}),
    begin: (registry, sink) =>
      registry.fail(
        /tags\/list/,
        [{ kind: 'answer', status: 307, headers: { location: `${sink.url}/v2/acme/api/tags/list` } }],
        'last',
      ),
    code: 'REGISTRY_SUSPICIOUS',
  },
  {
    name: 'a token realm at another host',
    registry: (sink) => ({
      auth: { kind: 'bearer', users, challenges: () => [`Bearer realm="${sink.url}/token",service="fake"`] },
    }),
    code: 'CREDENTIAL_NOT_SENT',
  },
  {
    name: 'a token realm that names itself by userinfo',
    registry: (sink) => ({
      auth: {
        kind: 'bearer',
        users,
        challenges: (own) => [`Bearer realm="http://${own.replace('http://', '')}@${sink.host}/token",service="fake"`],
      },
    }),
    code: 'REGISTRY_INVALID',
  },
])('$name: $code, and the sink sees no connection', async ({ registry: options, begin, code }) => {
  const { registry, sink, container } = await registryAndSink(options);
  begin?.(registry, sink);
  const stderr = await expectFailure(container, await oneImage(container, registry), code, run);
  expect(stderr).not.toContain('wonder-canary-land');
  expect(registry.requests.length).toBeGreaterThan(0);
  expect(sink.connections).toBe(0);
});

test('a registry that turns hostile: who held an answer keeps it, nobody else gets it, the sink sees no connection', async () => {
  const { registry, sink, container } = await registryAndSink(() => ({}));
  const application = await oneImage(container, registry);
  const before = await container.generate(application, run);
  expect(tagIn(before.stdout)).toBe('1.0.6');
  const headers = { location: `${sink.url}/v2/acme/api/tags/list` };
  registry.fail(/tags\/list/, [{ kind: 'answer', status: 302, headers }], 'last');
  expect((await expectWarning(container, application, 'ANSWER_STALE', run)).stdout).toBe(before.stdout);
  const other = await oneImage(container, registry, { name: 'another' });
  await expectFailure(container, other, 'REGISTRY_SUSPICIOUS', run);
  expect(sink.connections).toBe(0);
});

test('a build date whose blob is redirected to another host on this machine is not fetched', async () => {
  const { registry, sink, container } = await registryAndSink((to) => ({
    quirks: { redirectBlob: (digest) => `${to.url}/v2/acme/api/blobs/${digest}` },
  }));
  registry.content.put({ repository: 'acme/api', tag: 'build-7' });
  const application = await oneImage(container, registry, {
    constraint: '',
    settings: { 'update-strategy': 'newest-build', 'allow-tags': 'regexp:^build-' },
  });
  expect(await expectFailure(container, application, 'HOST_NOT_ALLOWED', run)).toContain('build date of tag build-7');
  expect(sink.connections).toBe(0);
});

test.for([
  { name: 'a tag that would inject manifest', tag: 'x"\n  privileged: true' },
  { name: 'a tag that is a YAML comment', tag: '1.0.9 # comment' },
  { name: 'a tag that changes the repository', tag: '1.0.9@sha256:0/../../evil' },
])('$name never comes into the manifests', async ({ tag }) => {
  const { registry, container } = await registryAndSink(() => ({}));
  registry.content.putTags('acme/api', ['a-good-one', tag, `z${tag}`]);
  const application = await oneImage(container, registry, {
    constraint: '',
    settings: { 'update-strategy': 'alphabetical' },
  });
  const result = await container.generate(application, run);
  for (const text of [result.stdout, result.stderr]) {
    expect(text).not.toContain('privileged');
    expect(text).not.toContain('evil');
  }
  expect(tagIn(result.stdout)).toBe('a-good-one');
});

test('pages without end are an error, not a partial listing', async () => {
  let page = 0;
  const { registry, container } = await registryAndSink(() => ({
    quirks: { pageSize: 1, link: (next) => `${next.replace(/last=[^&]*/, 'last=1.0.4')}&page=${(page += 1)}` },
  }));
  const stderr = await expectFailure(container, await oneImage(container, registry), 'REGISTRY_TOO_LARGE', {
    ...run,
    once: true,
  });
  expect(stderr).toContain('pages');
});

/** A registry over TLS whose certificate can change. */
async function tlsRegistry(): Promise<{ readonly server: Server; readonly host: string }> {
  const server = createServer(SERVER_CERTIFICATE, (_, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"acme/api","tags":["1.0.6"]}');
  });
  const host = await listen(server);
  onTestFinished(async () => closeServer(server));
  return { server, host };
}

test('a certificate of a CA nobody trusts: REGISTRY_TLS', async () => {
  const { host } = await tlsRegistry();
  await using container = await startPluginContainer();
  for (const ca of [undefined, OTHER_CA]) {
    const caFile = ca === undefined ? {} : { caFile: await container.write('etc/ca.pem', ca) };
    await container.configure({ registries: { hosts: [{ host, apiUrl: `https://${host}`, ...caFile }] } });
    const stderr = await expectFailure(container, await oneImage(container, { host }), 'REGISTRY_TLS');
    expect(stderr).toContain('is not trusted');
  }
});

test('a certificate that has expired: REGISTRY_TLS, and with an earlier answer that answer', async () => {
  const { server, host } = await tlsRegistry();
  await using container = await startPluginContainer();
  const caFile = await container.write('etc/ca.pem', TEST_CA);
  await container.configure({ interval: '0s', registries: { hosts: [{ host, apiUrl: `https://${host}`, caFile }] } });
  const application = await oneImage(container, { host });
  const before = await container.generate(application);
  expect(before).toMatchObject({ exitCode: 0, stderr: '' });
  server.setSecureContext(EXPIRED_CERTIFICATE);
  const stale = await expectWarning(container, application, 'ANSWER_STALE');
  expect(stale.stdout).toBe(before.stdout);
  expect(stale.stderr).toContain('REGISTRY_TLS');
  const other = await oneImage(container, { host }, { repository: 'acme/web' });
  expect(await expectFailure(container, other, 'REGISTRY_TLS')).toContain('CERT_HAS_EXPIRED');
});

test('a registry that DNS does not know: REGISTRY_UNAVAILABLE', async () => {
  await using container = await startPluginContainer();
  const host = 'registry.invalid';
  await container.configure({ registries: { hosts: [{ host }] } });
  const stderr = await expectFailure(container, await oneImage(container, { host }), 'REGISTRY_UNAVAILABLE');
  expect(stderr).toContain(host);
  expect(stderr).toContain('DNS');
});

const mountable = spawnSync('unshare', ['--mount', 'true']).status === 0;

test.skipIf(!mountable)('a registry that DNS forgets: the earlier answer', async () => {
  await using registry = await startFakeRegistry();
  await using container = await startPluginContainer();
  registry.content.putTags('acme/api', ['1.0.6']);
  const host = `registry.invalid:${registry.host.split(':')[1]}`;
  await container.configure({
    interval: '0s',
    registries: { hosts: [{ host, apiUrl: `http://${host}`, insecure: true }] },
  });
  const hosts = await container.write('hosts', '127.0.0.1 registry.invalid\n');
  const application = await oneImage(container, { host });
  const before = await container.generate(application, {
    around: `exec unshare --mount bash -c 'mount --bind ${hosts} /etc/hosts && exec "$@"' bash "$@"`,
  });
  expect(before).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(before.stdout)).toBe('1.0.6');
  expect((await expectWarning(container, application, 'ANSWER_STALE')).stdout).toBe(before.stdout);
});

test.for([
  { name: 'a loopback address', host: (port: string) => `127.0.0.1:${port}` },
  { name: 'an address as one number', host: (port: string) => `2130706433:${port}` },
  { name: 'an address in IPv6', host: (port: string) => `[::ffff:7f00:1]:${port}` },
  { name: 'a name of this machine', host: (port: string) => `localhost:${port}` },
])('$name as registry is refused, also where any public host is allowed', async ({ host: hostOf }) => {
  await using sink = await startFakeRegistry();
  await using container = await startPluginContainer();
  sink.content.putTags('acme/api', ['1.0.6']);
  const host = hostOf(sink.host.split(':')[1] ?? '');
  for (const allow of [['presets'], ['*']]) {
    await container.configure({ registries: { allow } });
    const stderr = await expectFailure(container, await oneImage(container, { host }), 'HOST_NOT_ALLOWED');
    expect(stderr).not.toContain('wonder');
  }
  expect(sink.connections).toBe(0);
});
