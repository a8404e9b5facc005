import { expect, test } from 'vitest';
import type { Listing } from '../../src/registry/sources.ts';
import { signalWithDeadline, withDeadline } from '../../src/registry/time.ts';
import type { FakeFault } from '../support/fake-registry-faults.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import { accessTo, basic, clientUnderTest, patient, containing } from './client-under-test.ts';

const TAGS = ['1.0.0', '1.0.1', '1.1.0'];

async function registryOfThreePages(): Promise<FakeRegistry> {
  const registry = await startFakeRegistry({ quirks: { pageSize: 1 } });
  registry.content.putTags('acme/api', TAGS);
  return registry;
}

const json = (body: string): FakeFault => ({
  kind: 'answer',
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
});
const status = (code: number, headers: Record<string, string> = {}, body = ''): FakeFault => ({
  kind: 'answer',
  status: code,
  headers,
  body,
});

const PERMANENT: readonly { name: string; fault: FakeFault; kind: string; code: string; requests: number }[] = [
  {
    name: 'HTML',
    fault: status(200, { 'content-type': 'text/html' }, '<html>login</html>'),
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  {
    name: 'JSON that ends too early',
    fault: json('{"name":"x","tags":["1.0'),
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  { name: 'JSON of another shape', fault: json('[]'), kind: 'outage', code: 'REGISTRY_INVALID', requests: 1 },
  { name: 'JSON without tags', fault: json('{"name":"x"}'), kind: 'outage', code: 'REGISTRY_INVALID', requests: 1 },
  {
    name: 'tags that are no strings',
    fault: json('{"tags":["1.0.0",7]}'),
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  { name: 'an empty body', fault: status(200), kind: 'outage', code: 'REGISTRY_INVALID', requests: 1 },
  {
    name: 'latin-1',
    fault: { kind: 'answer', status: 200, body: Buffer.from('{"tags":["\xe9"]}', 'latin1') },
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  {
    name: 'UTF-16',
    fault: { kind: 'answer', status: 200, body: Buffer.from('\ufeff{"tags":[]}', 'utf16le') },
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  {
    name: 'gzip that is none',
    fault: status(200, { 'content-encoding': 'gzip' }, 'no gzip'),
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  {
    name: 'an encoding nobody asked for',
    fault: status(200, { 'content-encoding': 'br' }, 'x'),
    kind: 'outage',
    code: 'REGISTRY_INVALID',
    requests: 1,
  },
  {
    name: '304 to a question without condition',
    fault: status(304),
    kind: 'refused',
    code: 'REGISTRY_SUSPICIOUS',
    requests: 1,
  },
  {
    name: 'a redirect',
    fault: status(302, { location: 'https://example.com/' }),
    kind: 'refused',
    code: 'REGISTRY_SUSPICIOUS',
    requests: 1,
  },
  {
    name: '404',
    fault: status(404, {}, '{"errors":[{"code":"NAME_UNKNOWN"}]}'),
    kind: 'missing',
    code: 'REPOSITORY_NOT_FOUND',
    requests: 1,
  },
  {
    name: '403',
    fault: status(403, {}, '{"errors":[{"code":"DENIED"}]}'),
    kind: 'denied',
    code: 'REGISTRY_DENIED',
    requests: 1,
  },
  { name: '401 without challenge', fault: status(401), kind: 'denied', code: 'REGISTRY_UNAUTHORIZED', requests: 1 },
  { name: '418', fault: status(418), kind: 'outage', code: 'REGISTRY_INVALID', requests: 1 },
  { name: '429', fault: status(429), kind: 'throttled', code: 'REGISTRY_THROTTLED', requests: 3 },
  {
    name: '503 that says TOOMANYREQUESTS',
    fault: status(503, {}, '{"errors":[{"code":"TOOMANYREQUESTS"}]}'),
    kind: 'throttled',
    code: 'REGISTRY_THROTTLED',
    requests: 3,
  },
  { name: '500', fault: status(500), kind: 'outage', code: 'REGISTRY_UNAVAILABLE', requests: 2 },
  { name: '501', fault: status(501), kind: 'outage', code: 'REGISTRY_UNAVAILABLE', requests: 1 },
  { name: '502', fault: status(502), kind: 'outage', code: 'REGISTRY_UNAVAILABLE', requests: 3 },
  { name: '503', fault: status(503), kind: 'outage', code: 'REGISTRY_UNAVAILABLE', requests: 3 },
  { name: '504', fault: status(504), kind: 'outage', code: 'REGISTRY_UNAVAILABLE', requests: 3 },
  { name: 'a cut connection', fault: { kind: 'cut' }, kind: 'outage', code: 'REGISTRY_UNAVAILABLE', requests: 3 },
  {
    name: 'a connection cut within the body',
    fault: { kind: 'cut-in-body' },
    kind: 'outage',
    code: 'REGISTRY_UNAVAILABLE',
    requests: 3,
  },
  { name: 'an endless body', fault: { kind: 'endless' }, kind: 'refused', code: 'REGISTRY_TOO_LARGE', requests: 1 },
];

test.for(PERMANENT)(
  '$name on page 2 fails the whole listing, and equal faults give equal text',
  async ({ fault, kind, code, requests }) => {
    const texts: string[] = [];
    await using registry = await registryOfThreePages();
    for (const attempt of [1, 2]) {
      await using under = clientUnderTest();
      registry.clearRequests();
      registry.fail(/last=1\.0\.0/, [fault], 'last');
      const listing = await under.client.list(accessTo(registry.url), undefined, patient());
      expect(listing, `attempt ${attempt}`).toMatchObject({ kind: 'failed', fault: { kind, error: { code } } });
      expect(registry.requestsTo('last=1.0.0')).toHaveLength(requests);
      expect(registry.requestsTo('last=1.0.1')).toHaveLength(0);
      texts.push(JSON.stringify(listing));
    }
    expect(texts[1]).toBe(texts[0]);
    expect(texts[0]).toContain(`GET ${registry.url}/v2/acme/api/tags/list?last=1.0.0&n=1: `);
    expect(texts[0]).toContain('no credentials were sent');
  },
);

test.for<FakeFault>([
  { kind: 'cut' },
  { kind: 'cut-in-body' },
  status(502),
  status(503),
  status(504),
  status(500),
  status(429),
])('the listing is whole when page 2 fails once with $kind $status', async (fault) => {
  await using registry = await registryOfThreePages();
  await using under = clientUnderTest();
  registry.fail(/last=1\.0\.0/, [fault]);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual({
    kind: 'complete',
    tags: TAGS,
  });
  expect(under.slept.length).toBeGreaterThan(0);
});

test('tries again after the time that Retry-After asks for, when it fits', async () => {
  await using registry = await registryOfThreePages();
  await using under = clientUnderTest();
  registry.fail(/list/, [status(429, { 'retry-after': '7' })]);
  const signal = withDeadline(patient(), under.clock.now() + 10_000);
  expect(await under.client.list(accessTo(registry.url), undefined, signal)).toMatchObject({ kind: 'complete' });
  expect(under.slept[0]).toBe(7000);
});

test('gives the fault back at once, with the time to wait, when it does not fit', async () => {
  await using registry = await registryOfThreePages();
  await using under = clientUnderTest();
  registry.fail(
    /list/,
    [status(503, { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' })],
    'last',
  );
  const signal = withDeadline(patient(), under.clock.now() + 10_000);
  const listing = await under.client.list(accessTo(registry.url), undefined, signal);
  expect(listing).toMatchObject({ kind: 'failed', fault: { kind: 'outage', retryAfterMs: 20_000 } });
  expect(under.slept).toEqual([]);
  expect(registry.requests).toHaveLength(1);
});

test('a clock that is a day off does no harm', async () => {
  await using registry = await registryOfThreePages();
  await using under = clientUnderTest();
  under.clock.advance(86_400_000);
  registry.fail(/list/, [
    status(429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' }),
  ]);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({ kind: 'complete' });
  expect(under.slept[0]).toBe(5000);
});

test('a 429 pauses its credential on that host, and nobody else', async () => {
  await using registry = await startFakeRegistry({
    auth: {
      kind: 'basic',
      users: new Map([
        ['alice', 'a'],
        ['bob', 'b'],
      ]),
    },
  });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const alice = accessTo(registry.url, { credential: basic('alice', 'a') });
  const bob = accessTo(registry.url, { credential: basic('bob', 'b') });
  await under.client.list(bob, undefined, patient());
  registry.fail(/list/, [status(429, { 'retry-after': '60' })]);
  const short = (): AbortSignal => withDeadline(patient(), under.clock.now() + 10_000);
  expect(await under.client.list(alice, undefined, short())).toMatchObject({
    fault: { kind: 'throttled', retryAfterMs: 60_000 },
  });
  registry.clearRequests();
  expect(await under.client.head(alice, '1.0.0' as never, short())).toMatchObject({
    fault: { kind: 'throttled', retryAfterMs: 60_000 },
  });
  expect(registry.requests).toHaveLength(0);
  expect(await under.client.list(bob, undefined, short())).toMatchObject({ kind: 'complete' });
  under.clock.advance(60_000);
  expect(await under.client.list(alice, undefined, short())).toMatchObject({ kind: 'complete' });
});

test('a host that could not be reached rests a moment, for everybody; then it is asked again', async () => {
  await using registry = await registryOfThreePages();
  await using under = clientUnderTest();
  registry.fail(/list/, [{ kind: 'cut' }], 'last');
  const access = accessTo(registry.url);
  await under.client.list(access, undefined, patient());
  registry.heal();
  registry.clearRequests();
  const resting = await under.client.list(accessTo(registry.url, { repository: 'other/one' }), undefined, patient());
  expect(resting).toMatchObject({ fault: { kind: 'outage', error: { code: 'REGISTRY_UNAVAILABLE' } } });
  expect(registry.requests).toHaveLength(0);
  under.clock.advance(5000);
  expect(await under.client.list(access, undefined, patient())).toMatchObject({ kind: 'complete' });
});

test('a repository that always answers 500 does not keep others from their own', async () => {
  await using registry = await registryOfThreePages();
  await using under = clientUnderTest();
  registry.fail(/broken/, [status(500)], 'last');
  await under.client.list(accessTo(registry.url, { repository: 'acme/broken' }), undefined, patient());
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toMatchObject({ kind: 'complete' });
});

test.for<FakeFault>([{ kind: 'silence' }, { kind: 'drip' }])(
  '$kind ends with the time that was given',
  async (fault) => {
    await using registry = await registryOfThreePages();
    await using under = clientUnderTest();
    registry.fail(/last=1\.0\.0/, [fault]);
    const signal = signalWithDeadline(300, under.clock);
    const listing: Listing = await under.client.list(accessTo(registry.url), undefined, signal);
    expect(listing).toMatchObject({
      kind: 'failed',
      fault: { kind: 'cancelled', error: { code: 'REGISTRY_TIMEOUT' } },
    });
  },
);

test('a name that DNS does not know is told as such, without another try', async () => {
  await using under = clientUnderTest({
    resolve: (hostname, _options, callback) => callback(Object.assign(new Error(hostname), { code: 'ENOTFOUND' }), []),
  });
  const listing = await under.client.list(accessTo('http://registry.invalid'), undefined, patient());
  expect(listing).toMatchObject({
    fault: {
      kind: 'outage',
      error: {
        code: 'REGISTRY_UNAVAILABLE',
        what: containing('DNS knows no address of registry.invalid'),
      },
    },
  });
  expect(under.events).toHaveLength(1);
});

test('a port where nobody listens is tried three times', async () => {
  const registry = await startFakeRegistry();
  await registry.close();
  await using under = clientUnderTest();
  const listing = await under.client.list(accessTo(registry.url), undefined, patient());
  const fix = `check that ${new URL(registry.url).host} can be reached from here`;
  expect(listing).toMatchObject({ fault: { error: { what: containing('the connection was refused'), fix } } });
  expect(under.events).toHaveLength(3);
});
