import { expect, test } from 'vitest';
import type { Listing, PreviousListing } from '../../src/registry/sources.ts';
import { startFakeRegistry, type Quirks } from '../support/fake-registry.ts';
import { accessTo, clientUnderTest, patient } from './client-under-test.ts';

const TAGS = ['1.0.0', '1.0.1', '1.1.0', '2.0.0', 'latest'];

test.for<{ name: string; quirks: Quirks; requests: number }>([
  { name: 'gives everything in one answer', quirks: {}, requests: 1 },
  { name: 'compresses', quirks: { gzip: true }, requests: 1 },
  { name: 'pages with relative links', quirks: { pageSize: 2 }, requests: 3 },
  { name: 'pages with absolute links', quirks: { pageSize: 2, link: 'absolute' }, requests: 3 },
  { name: 'pages with links without prefix', quirks: { pageSize: 2, link: 'without-prefix' }, requests: 3 },
  { name: 'pages with opaque cursors', quirks: { pageSize: 2, link: 'opaque' }, requests: 3 },
  { name: 'refuses large pages with 405, as ECR does', quirks: { pageLimit: { max: 100, status: 405 } }, requests: 2 },
  { name: 'refuses large pages with 400', quirks: { pageLimit: { max: 100, status: 400 } }, requests: 2 },
  { name: 'refuses every page size', quirks: { pageLimit: { max: 0, status: 400 } }, requests: 3 },
])('a registry that $name is listed whole', async ({ quirks, requests }) => {
  await using registry = await startFakeRegistry({ quirks });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const listing = await under.client.list(accessTo(registry.url), undefined, patient());
  expect(listing).toEqual({ kind: 'complete', tags: TAGS });
  expect(registry.requests).toHaveLength(requests);
  expect(registry.requests[0]?.url).toBe('/v2/acme/api/tags/list?n=1000');
});

test('a registry below a path is asked there, and its prefix survives links that leave it out', async () => {
  await using registry = await startFakeRegistry({
    quirks: { pageSize: 2, link: (next) => next.replace('/artifactory/api/docker/hub', '') },
  });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const access = accessTo(`${registry.url}/artifactory/api/docker/hub`);
  expect(await under.client.list(access, undefined, patient())).toEqual({ kind: 'complete', tags: TAGS });
  expect(registry.requestsTo('/artifactory/api/docker/hub/v2/acme/api/tags/list')).toHaveLength(3);
});

test('a page size that worked is remembered', async () => {
  await using registry = await startFakeRegistry({ quirks: { pageLimit: { max: 100, status: 405 } } });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  await under.client.list(accessTo(registry.url), undefined, patient());
  registry.clearRequests();
  await under.client.list(accessTo(registry.url), undefined, patient());
  expect(registry.requests.map(({ url }) => url)).toEqual(['/v2/acme/api/tags/list?n=100']);
});

test('a tag that comes twice is there once, in the order of its first appearance', async () => {
  await using registry = await startFakeRegistry({ quirks: { pageSize: 2, link: 'opaque' } });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', ['b', 'a', 'b', 'c', 'a']);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual({
    kind: 'complete',
    tags: ['b', 'a', 'c'],
  });
});

test('a name outside the tag grammar is left out, and the listing stays complete', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', [
    '1.0.0',
    'x"\n  privileged: true',
    '-x',
    '',
    'a/b',
    'a'.repeat(129),
    '../..',
    '1.0.1',
  ]);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual({
    kind: 'complete',
    tags: ['1.0.0', '1.0.1'],
  });
});

test('"tags": null is an empty listing', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.fail(/tags/, [{ kind: 'answer', status: 200, body: '{"name":"acme/api","tags":null}' }]);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual({ kind: 'complete', tags: [] });
});

test('an unchanged listing costs one request and no body', async () => {
  await using registry = await startFakeRegistry({ quirks: { etag: true } });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const access = accessTo(registry.url);
  const first = await under.client.list(access, undefined, patient());
  const validators = first.kind === 'complete' ? first.validators : undefined;
  expect(validators?.etag).toMatch(/^"\w{12}"$/);
  expect(await under.client.list(access, validators, patient())).toEqual({ kind: 'unchanged' });
  registry.content.putTags('acme/api', [...TAGS, '2.0.1']);
  expect(await under.client.list(access, validators, patient())).toMatchObject({
    kind: 'complete',
    tags: [...TAGS, '2.0.1'],
  });
});

test('a listing that is sent again as it was is not read again, and whatever changes of it is', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const access = accessTo(registry.url);
  const list = async (previous: PreviousListing, of = access): Promise<Listing> =>
    under.client.list(of, previous, patient());
  const first = await list({});
  const { fingerprint } = first.kind === 'complete' ? first : {};
  if (fingerprint === undefined) throw new Error('there is no fingerprint');
  expect(await list({ fingerprint })).toEqual({ kind: 'unchanged', sent: true });
  expect(await list({})).toEqual(first);
  // What is in no answer: how many were asked for.
  expect(await list({ fingerprint }, accessTo(registry.url, { endpoint: { pageSize: 999 } }))).toMatchObject({
    tags: TAGS,
  });
  const answer = { kind: 'answer', status: 200, body: JSON.stringify({ name: 'acme/api', tags: TAGS }) } as const;
  registry.fail(/tags/, [answer, { ...answer, headers: { etag: '"e"' } }]);
  const [plain, withValidator] = [await list({}), await list({ fingerprint })];
  expect(withValidator).toMatchObject({ kind: 'complete', tags: TAGS, validators: { etag: '"e"' } });
  registry.fail(/tags/, [{ ...answer, headers: { link: '</v2/acme/api/tags/list?last=x>; rel="next"' } }]);
  const before = plain.kind === 'complete' ? plain.fingerprint : undefined;
  const more = await list(before === undefined ? {} : { fingerprint: before });
  expect(more).toMatchObject({ kind: 'complete', tags: TAGS });
  expect(more).not.toHaveProperty('fingerprint');
  registry.content.putTags('acme/api', [...TAGS, '2.0.1']);
  expect(await list({ fingerprint })).toMatchObject({ kind: 'complete', tags: [...TAGS, '2.0.1'] });
});

test('a registry that says "unchanged" of what nobody asked about so is not believed', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.fail(/tags/, [{ kind: 'answer', status: 304, body: '' }]);
  const listing = await under.client.list(accessTo(registry.url), { fingerprint: 'f' }, patient());
  expect(listing).toMatchObject({ kind: 'failed' });
});

test('a listing of several pages has no validators, since those of page one say nothing about page two', async () => {
  await using registry = await startFakeRegistry({ quirks: { etag: true, pageSize: 2 } });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  expect(await under.client.list(accessTo(registry.url), undefined, patient())).toEqual({
    kind: 'complete',
    tags: TAGS,
  });
});

test('a page that is exactly full has no validators: it stays as it is when the next tag begins a second one', async () => {
  await using registry = await startFakeRegistry({ quirks: { etag: true } });
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const full = accessTo(registry.url, { endpoint: { pageSize: TAGS.length } });
  expect(await under.client.list(full, undefined, patient())).toEqual({ kind: 'complete', tags: TAGS });
  const roomy = accessTo(registry.url, { endpoint: { pageSize: TAGS.length + 1 } });
  expect(await under.client.list(roomy, undefined, patient())).toHaveProperty('validators');
});

test('fifty callers at once share one listing; one that goes away leaves it to the others', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  const leaving = new AbortController();
  const access = accessTo(registry.url);
  const left = under.client.list(access, undefined, leaving.signal);
  const others = Array.from({ length: 50 }, () => under.client.list(access, undefined, patient()));
  leaving.abort();
  expect(await left).toMatchObject({ kind: 'failed', fault: { kind: 'cancelled' } });
  for (const listing of await Promise.all(others)) expect(listing).toEqual({ kind: 'complete', tags: TAGS });
  expect(registry.requests).toHaveLength(1);
});

test('when the last caller goes away the request ends, and the next caller starts anew', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', TAGS);
  registry.fail(/tags/, [{ kind: 'silence' }]);
  const leaving = new AbortController();
  const access = accessTo(registry.url);
  const left = under.client.list(access, undefined, leaving.signal);
  await expect.poll(() => registry.requests.length).toBe(1);
  leaving.abort();
  expect(await left).toMatchObject({
    kind: 'failed',
    fault: { kind: 'cancelled', error: { code: 'REGISTRY_TIMEOUT' } },
  });
  expect(await under.client.list(access, undefined, patient())).toEqual({ kind: 'complete', tags: TAGS });
});
