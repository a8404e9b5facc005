import { expect, test } from 'vitest';
import { startFakeRegistry } from '../support/fake-registry.ts';

test('it lists in pages, in the order tags were put, and keeps the requests', async () => {
  await using registry = await startFakeRegistry({ quirks: { pageSize: 2 } });
  registry.content.putTags('acme/api', ['b', 'a', 'c']);
  const first = await fetch(`${registry.url}/v2/acme/api/tags/list?n=10`);
  expect(await first.json()).toEqual({ name: 'acme/api', tags: ['b', 'a'] });
  expect(first.headers.get('link')).toBe('</v2/acme/api/tags/list?last=a&n=2>; rel="next"');
  const second = await fetch(`${registry.url}/v2/acme/api/tags/list?last=a&n=2`);
  expect(await second.json()).toEqual({ name: 'acme/api', tags: ['c'] });
  expect(second.headers.get('link')).toBeNull();
  expect(registry.requests.map(({ url }) => url)).toEqual([
    '/v2/acme/api/tags/list?n=10',
    '/v2/acme/api/tags/list?last=a&n=2',
  ]);
});

test('a script answers once, or for good, until it is healed', async () => {
  await using registry = await startFakeRegistry();
  registry.content.putTags('acme/api', ['a']);
  const status = async (): Promise<number> => (await fetch(`${registry.url}/v2/acme/api/tags/list`)).status;
  registry.fail(/tags/, [{ kind: 'answer', status: 503 }]);
  expect([await status(), await status()]).toEqual([503, 200]);
  registry.fail(/tags/, [{ kind: 'answer', status: 500 }], 'last');
  expect([await status(), await status()]).toEqual([500, 500]);
  registry.heal();
  expect(await status()).toBe(200);
});

test('an index leads to manifests and configs with the dates they were put with', async () => {
  await using registry = await startFakeRegistry();
  const platforms = { 'linux/amd64': '2025-01-01T00:00:00Z', 'linux/arm64': '2025-02-02T00:00:00Z' };
  const digest = registry.content.put({ repository: 'acme/api', tag: '1.0.0', platforms });
  const get = async (path: string): Promise<unknown> => (await fetch(`${registry.url}/v2/acme/api/${path}`)).json();
  const index = (await get(`manifests/${digest}`)) as { manifests: { digest: string }[] };
  const child = (await get(`manifests/${index.manifests[1]?.digest}`)) as { config: { digest: string } };
  expect(await get(`blobs/${child.config.digest}`)).toMatchObject({ created: '2025-02-02T00:00:00Z' });
});

test('tokens belong to who asked for them, and tags may depend on it', async () => {
  await using registry = await startFakeRegistry({
    auth: { kind: 'bearer', users: new Map([['alice', 'a']]) },
    tagsFor: (user) => [`only-for-${user}`],
  });
  registry.content.putTags('acme/api', []);
  const tags = `${registry.url}/v2/acme/api/tags/list`;
  expect((await fetch(tags)).headers.get('www-authenticate')).toBe(
    `Bearer realm="${registry.url}/token",service="fake"`,
  );
  const given = await fetch(`${registry.url}/token`, { headers: { authorization: `Basic ${btoa('alice:a')}` } });
  const { token } = (await given.json()) as { token: string };
  const answer = await fetch(tags, { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toEqual({ name: 'acme/api', tags: ['only-for-alice'] });
  expect(
    (await fetch(`${registry.url}/token`, { headers: { authorization: `Basic ${btoa('alice:b')}` } })).status,
  ).toBe(401);
});
