import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { startFakeRegistry, type FakeRegistry } from '../support/fake-registry.ts';
import { accessTo, basic, clientUnderTest, patient, type AccessOptions } from './client-under-test.ts';

const TAG = '3.9' as Tag;
const BEHIND = 'k8s-artifacts-prod/images/pause';

/** registry.k8s.io as a server of this process, in front of another; both answer to whatever name leads to loopback. */
async function startBoth(behindHost: string) {
  const behind = await startFakeRegistry({ quirks: { pageSize: 2 } });
  const front = await startFakeRegistry();
  const digest = behind.content.put({ repository: BEHIND, tag: TAG });
  behind.content.putTags(BEHIND, ['3.7', '3.8', TAG]);
  const location = `${behind.url.replace('127.0.0.1', behindHost)}/v2/${BEHIND}`;
  front.fail(/tags/, [{ kind: 'answer', status: 307, headers: { location: `${location}/tags/list?n=1000` } }], 'last');
  front.fail(
    /manifests/,
    [{ kind: 'answer', status: 307, headers: { location: `${location}/manifests/${TAG}` } }],
    'last',
  );
  return { front, behind, digest, location };
}

function ask(
  { front, behind }: { readonly front: FakeRegistry; readonly behind: FakeRegistry },
  host: string,
  options: AccessOptions = {},
) {
  const under = clientUnderTest({
    resolve: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
  });
  // The name leads to loopback here, so the operator has to have named it.
  const endpoint = { tokenHosts: [`us-west2-docker.pkg.dev:${new URL(behind.url).port}`] };
  return {
    under,
    access: accessTo(front.url.replace('127.0.0.1', host), { repository: 'pause', endpoint, ...options }),
  };
}

test('registry.k8s.io is listed, and its digests found, where it sends everybody', async () => {
  const both = await startBoth('us-west2-docker.pkg.dev');
  const { under, access } = ask(both, 'registry.k8s.io');
  expect(await under.client.list(access, undefined, patient())).toEqual({
    kind: 'complete',
    tags: ['3.7', '3.8', TAG],
  });
  expect(await under.client.head(access, TAG, patient())).toEqual({ kind: 'found', digest: both.digest });
  await Promise.all([under.client.close(), both.front.close(), both.behind.close()]);
});

test.for([
  {
    name: 'another registry that redirects alike',
    host: 'registry.example.com',
    behindHost: 'us-west2-docker.pkg.dev',
  },
  { name: 'registry.k8s.io to a host that is not known', host: 'registry.k8s.io', behindHost: 'evil.pkg.dev' },
  {
    name: 'registry.k8s.io asked with a credential',
    host: 'registry.k8s.io',
    behindHost: 'us-west2-docker.pkg.dev',
    credential: basic('alice', 'a'),
  },
])('$name is not followed', async ({ host, behindHost, credential }) => {
  const both = await startBoth(behindHost);
  const { front, behind, location } = both;
  if (credential !== undefined) {
    const challenge = { 'www-authenticate': 'Basic realm="x"' };
    front.heal();
    front.fail(/tags/, [
      { kind: 'answer', status: 401, headers: challenge },
      { kind: 'answer', status: 307, headers: { location: `${location}/tags/list` } },
    ]);
  }
  const { under, access } = ask(both, host, credential && { credential });
  expect(await under.client.list(access, undefined, patient())).toMatchObject({
    fault: { kind: 'refused', error: { code: 'REGISTRY_SUSPICIOUS' } },
  });
  expect(behind.connections).toBe(0);
  await Promise.all([under.client.close(), both.front.close(), both.behind.close()]);
});
