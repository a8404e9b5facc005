import { expect, test } from 'vitest';
import { startRealRegistry } from '../support/real-registry.ts';

const INDEXES = 'application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json';

test('the anonymous registry lists what was pushed, and counts the request', async () => {
  await using registry = await startRealRegistry();
  const images = ['1.0.5', '1.0.6', '2.0.0'].map((tag) => ({ repository: 'acme/api', tag }));
  const pushed = await registry.pushImages(images);
  expect(new Set(pushed.map(({ digest }) => digest)).size).toBe(3);
  expect(registry.requests).toEqual([]);
  const answer = await fetch(`${registry.url}/v2/acme/api/tags/list`);
  expect(await answer.json()).toEqual({ name: 'acme/api', tags: ['1.0.5', '1.0.6', '2.0.0'] });
  expect(registry.listings).toBe(1);

  await registry.deleteTag('acme/api', '1.0.6');
  const after = await fetch(`${registry.url}/v2/acme/api/tags/list`);
  expect(await after.json()).toEqual({ name: 'acme/api', tags: ['1.0.5', '2.0.0'] });
});

test('an index has the digest the registry says, and one per platform', async () => {
  await using registry = await startRealRegistry();
  for (const family of ['oci', 'docker'] as const) {
    const { digest, platforms } = await registry.pushImage({
      repository: 'acme/web',
      tag: family,
      family,
      platforms: ['linux/amd64', { platform: 'linux/arm64/v8', created: '2025-05-05T05:05:05Z' }],
    });
    const answer = await fetch(`${registry.url}/v2/acme/web/manifests/${family}`, {
      method: 'HEAD',
      // A registry hides an index from a client that does not name its media type, `*/*` or not.
      headers: { accept: INDEXES },
    });
    expect(answer.headers.get('docker-content-digest')).toBe(digest);
    expect(Object.keys(platforms)).toEqual(['linux/amd64', 'linux/arm64/v8']);
  }
});

test('the htpasswd registry takes the password, and only the new one after a change', async () => {
  await using registry = await startRealRegistry({ auth: { kind: 'htpasswd', users: { reader: 'first-password' } } });
  await registry.pushImage({ repository: 'acme/api', tag: '1.0.5' });
  const statusWith = async (password: string): Promise<number> => {
    const headers = { authorization: `Basic ${Buffer.from(`reader:${password}`).toString('base64')}` };
    const answer = await fetch(`${registry.url}/v2/acme/api/tags/list`, { headers });
    return answer.status;
  };
  expect([await statusWith('first-password'), await statusWith('second-password')]).toEqual([200, 401]);
  await registry.setPassword('reader', 'second-password');
  expect([await statusWith('first-password'), await statusWith('second-password')]).toEqual([401, 200]);
  expect(registry.requests.map(({ authorization }) => authorization)).toEqual(['basic', 'basic', 'basic', 'basic']);
});

test('the token registry takes a token of its server, for the repositories a user may see', async () => {
  const alice = { password: 'a', repositories: ['team-a/'] };
  await using registry = await startRealRegistry({ auth: { kind: 'token', users: { alice }, anonymous: ['open/'] } });
  await registry.pushImages(
    ['team-a/api', 'team-b/api', 'open/api'].map((repository) => ({ repository, tag: '1.0.0' })),
  );
  const statusOf = async (repository: string, authorization?: string): Promise<number> => {
    const scope = `repository:${repository}:pull`;
    const given = await fetch(`${registry.tokenServer?.url}?service=test-registry&scope=${scope}`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    const { token } = (await given.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${registry.url}/v2/${repository}/tags/list`, { headers });
    return answer.status;
  };
  const basic = `Basic ${btoa('alice:a')}`;
  expect([await statusOf('team-a/api', basic), await statusOf('team-b/api', basic)]).toEqual([200, 401]);
  expect([await statusOf('open/api'), await statusOf('team-a/api')]).toEqual([200, 401]);
});
