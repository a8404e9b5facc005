import { createServer, request as forward } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { EXPIRED_CERTIFICATE, OTHER_CA, SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { closeServer, listen } from '../support/real-registry-proxy.ts';
import { accessTo, clientUnderTest, patient, containing } from './client-under-test.ts';

const COMPLETE = { kind: 'complete', tags: ['1.0.0'] };
const TAG = '1.0.0' as Tag;

test.for([
  { name: 'its CA is trusted', tls: SERVER_CERTIFICATE, ca: TEST_CA, insecure: false },
  { name: 'insecure is set', tls: SERVER_CERTIFICATE, ca: undefined, insecure: true },
])('a registry with a private certificate is asked when $name', async ({ tls, ca, insecure }) => {
  await using registry = await startFakeRegistry({ tls });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['1.0.0']);
  const access = accessTo(registry.url, { endpoint: { insecure, ...(ca && { ca }) } });
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
});

test.for([
  { name: 'no CA is configured', tls: SERVER_CERTIFICATE, ca: undefined, host: '127.0.0.1', fix: 'caFile' },
  { name: 'another CA is configured', tls: SERVER_CERTIFICATE, ca: OTHER_CA, host: '127.0.0.1', fix: 'caFile' },
  {
    name: 'the certificate is for another name',
    tls: SERVER_CERTIFICATE,
    ca: TEST_CA,
    host: 'other.test',
    fix: 'caFile',
  },
  { name: 'the certificate has expired', tls: EXPIRED_CERTIFICATE, ca: TEST_CA, host: '127.0.0.1', fix: 'clock' },
])('a registry is not asked when $name', async ({ tls, ca, host, fix }) => {
  await using registry = await startFakeRegistry({ tls });
  await using under = clientUnderTest({
    resolve: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  });
  const url = registry.url.replace('127.0.0.1', host);
  const access = accessTo(url, { endpoint: { insecure: false, ...(ca && { ca }) } });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({
    kind: 'failed',
    fault: { kind: 'outage', error: { code: 'REGISTRY_TLS', fix: containing(fix) } },
  });
  expect(registry.requests).toHaveLength(0);
  expect(under.events).toHaveLength(1);
});

test('https to a port that speaks plain http is told as such', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const access = accessTo(registry.url.replace('http:', 'https:'), { endpoint: { insecure: false } });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({
    fault: { error: { code: 'REGISTRY_TLS', fix: containing('plain http') } },
  });
});

test('a blob redirected from https to plain http is not fetched', async () => {
  await using storage = await startFakeRegistry();
  await using registry = await startFakeRegistry({
    tls: SERVER_CERTIFICATE,
    quirks: { redirectBlob: (digest) => `${storage.url}/v2/acme/api/blobs/${digest}` },
  });
  await using under = clientUnderTest();
  registry.content.put({ repository: 'acme/api', tag: TAG });
  const access = accessTo(registry.url, { endpoint: { insecure: false, ca: TEST_CA, tokenHosts: [storage.host] } });
  const { built } = await under.client.inspect(access, TAG, [{ os: 'linux', architecture: 'amd64' }], patient());
  expect(built).toMatchObject({ fault: { kind: 'refused', error: { code: 'REGISTRY_SUSPICIOUS' } } });
  expect(storage.connections).toBe(0);
});

/** A forward proxy that leads every name to this machine. */
async function startProxy() {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    const url = new URL(incoming.url ?? '');
    forward(
      { host: '127.0.0.1', port: url.port, path: url.pathname + url.search, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    ).end();
  });
  server.on('connect', (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    const upstream = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  });
  const host = await listen(server);
  return { url: `http://${host}`, seen, [Symbol.asyncDispose]: () => closeServer(server) };
}

test.for([
  {
    name: 'HTTPS_PROXY leads https through a tunnel, private CA included',
    tls: SERVER_CERTIFICATE,
    variable: 'HTTPS_PROXY',
  },
  { name: 'http_proxy leads plain http', tls: undefined, variable: 'http_proxy' },
])('$name; names are not resolved here', async ({ tls, variable }) => {
  await using proxy = await startProxy();
  await using registry = await startFakeRegistry(tls && { tls });
  await using under = clientUnderTest({
    environment: { [variable]: proxy.url },
    resolve: () => expect.unreachable('a name was resolved here'),
  });
  registry.content.putTags('acme/api', ['1.0.0']);
  const url = registry.url.replace('127.0.0.1', 'registry.test');
  const access = accessTo(url, {
    endpoint: { ca: TEST_CA, insecure: tls === undefined, privateAddressAllowed: false },
  });
  expect(await under.client.list(access, undefined, patient())).toEqual(COMPLETE);
  expect(proxy.seen).toHaveLength(1);
  expect(proxy.seen[0]).toContain('registry.test');
});

test('a proxy may be written without scheme, as for curl', async () => {
  await using proxy = await startProxy();
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest({ environment: { HTTP_PROXY: proxy.url.replace('http://', '') } });
  registry.content.putTags('acme/api', ['1.0.0']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual(COMPLETE);
  expect(proxy.seen).toHaveLength(1);
});

test('a proxy variable that holds no URL is told as such', async () => {
  await using under = clientUnderTest({ environment: { HTTP_PROXY: 'http://[' } });
  expect(await under.client.list(accessTo('http://r.example.com'), undefined, patient())).toMatchObject({
    fault: { kind: 'outage', error: { fix: containing('HTTP_PROXY') } },
  });
});

test('addresses are refused through a proxy too', async () => {
  await using proxy = await startProxy();
  await using under = clientUnderTest({ environment: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url } });
  const access = accessTo('http://2130706433:5000', { endpoint: { privateAddressAllowed: false } });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({
    fault: { error: { code: 'HOST_NOT_ALLOWED' } },
  });
  expect(proxy.seen).toEqual([]);
});

test('NO_PROXY is asked directly', async () => {
  await using proxy = await startProxy();
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest({ environment: { HTTP_PROXY: proxy.url, NO_PROXY: 'example.com,127.0.0.1' } });
  registry.content.putTags('acme/api', ['1.0.0']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual(COMPLETE);
  expect(proxy.seen).toEqual([]);
});

test('a proxy that refuses is told as such, without its password', async () => {
  const server = createServer();
  server.on('connect', (_incoming, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
  const host = await listen(server);
  await using under = clientUnderTest({ environment: { HTTPS_PROXY: `http://user:canary@${host}` } });
  const listing = await under.client.list(accessTo('https://r.example.com'), undefined, patient());
  await closeServer(server);
  expect(listing).toMatchObject({ fault: { kind: 'outage', error: { fix: containing('HTTPS_PROXY') } } });
  expect(JSON.stringify(listing)).not.toContain('canary');
});
