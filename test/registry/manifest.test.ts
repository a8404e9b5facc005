import { expect, test } from 'vitest';
import type { Digest, Tag } from '../../src/image/reference.ts';
import type { Platform } from '../../src/image/platform.ts';
import type { FakeImage } from '../support/fake-registry-content.ts';
import { sha256 } from '../support/image-content.ts';
import { startFakeRegistry, type Quirks } from '../support/fake-registry.ts';
import { accessTo, clientUnderTest, patient, containing } from './client-under-test.ts';

const TAG = '1.0.0' as Tag;
const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
const ARM64: Platform = { os: 'linux', architecture: 'arm64' };
const built = (date: string) => ({ kind: 'built', createdMs: Date.parse(date) });

test.for<{ name: string; quirks: Quirks; methods: readonly string[]; again: readonly string[] }>([
  { name: 'by HEAD', quirks: {}, methods: ['HEAD'], again: ['HEAD'] },
  { name: 'by GET where HEAD is 405, remembered', quirks: { head: 405 }, methods: ['HEAD', 'GET'], again: ['GET'] },
  {
    name: 'by GET where HEAD is 404, asked again each time',
    quirks: { head: 404 },
    methods: ['HEAD', 'GET'],
    again: ['HEAD', 'GET'],
  },
  {
    name: 'by GET and sha256 where HEAD has no digest',
    quirks: { head: 'without-digest' },
    methods: ['HEAD', 'GET'],
    again: ['GET'],
  },
])('the digest of a tag comes $name', async ({ quirks, methods, again }) => {
  await using registry = await startFakeRegistry({ quirks });
  await using under = clientUnderTest();
  const platforms = { 'linux/amd64': '2025-01-01T00:00:00Z', 'linux/arm64': '2025-01-01T00:00:00Z' };
  for (const family of ['oci', 'docker'] as const) {
    const digest = registry.content.put({ repository: 'acme/api', tag: TAG, platforms, family });
    const access = accessTo(registry.url, { endpoint: { id: family } });
    for (const expected of [methods, again]) {
      registry.clearRequests();
      expect(await under.client.head(access, TAG, patient())).toEqual({ kind: 'found', digest });
      expect(registry.requests.map(({ method }) => method)).toEqual(expected);
    }
  }
});

test('every family of manifests is named in Accept', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  await under.client.head(accessTo(registry.url), TAG, patient());
  const accepted = String(registry.requests[0]?.headers['accept']).split(', ');
  expect(accepted).toHaveLength(4);
  expect(accepted).toContain('application/vnd.oci.image.index.v1+json');
  expect(accepted).toContain('application/vnd.docker.distribution.manifest.v2+json');
});

test.for<{ name: string; image: Omit<FakeImage, 'repository' | 'tag'>; platforms: readonly Platform[]; want: unknown }>(
  [
    {
      name: "a single manifest has its config's date",
      image: { created: '2025-03-04T05:06:07.123456789Z' },
      platforms: [AMD64],
      want: built('2025-03-04T05:06:07.123Z'),
    },
    {
      name: 'a docker manifest alike',
      image: { created: '2025-03-04T05:06:07+02:00', family: 'docker' },
      platforms: [AMD64],
      want: built('2025-03-04T03:06:07Z'),
    },
    {
      name: 'an index has the newest of the wanted platforms',
      image: {
        platforms: {
          'linux/amd64': '2025-01-01T00:00:00Z',
          'linux/arm64': '2025-02-02T00:00:00Z',
          'windows/amd64': '2026-01-01T00:00:00Z',
        },
      },
      platforms: [AMD64, ARM64],
      want: built('2025-02-02T00:00:00Z'),
    },
    {
      name: 'a platform nobody wants does not count',
      image: { platforms: { 'linux/amd64': '2025-01-01T00:00:00Z', 'linux/arm64': '2025-02-02T00:00:00Z' } },
      platforms: [AMD64],
      want: built('2025-01-01T00:00:00Z'),
    },
    {
      name: 'an index without a wanted platform has no date',
      image: { platforms: { 'linux/arm64': '2025-02-02T00:00:00Z' } },
      platforms: [AMD64],
      want: { kind: 'no-platform' },
    },
    {
      name: 'nor has a single manifest of another platform',
      image: {},
      platforms: [ARM64],
      want: { kind: 'no-platform' },
    },
    {
      name: 'an attestation is no platform',
      image: { platforms: { 'linux/amd64': '2025-01-01T00:00:00Z', 'unknown/unknown': '2026-01-01T00:00:00Z' } },
      platforms: [AMD64],
      want: built('2025-01-01T00:00:00Z'),
    },
    {
      name: 'a config without date is undated',
      image: { created: null },
      platforms: [AMD64],
      want: { kind: 'undated' },
    },
    {
      name: 'a date that is none is undated',
      image: { created: 'yesterday' },
      platforms: [AMD64],
      want: { kind: 'undated' },
    },
    {
      name: 'the year 1 is a date',
      image: { created: '0001-01-01T00:00:00Z' },
      platforms: [AMD64],
      want: { kind: 'built', createdMs: -62_135_596_800_000 },
    },
  ],
)('$name', async ({ image, platforms, want }) => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const digest = registry.content.put({ repository: 'acme/api', tag: TAG, ...image });
  const access = accessTo(registry.url);
  expect(await under.client.built(access, digest as Digest, platforms, patient())).toEqual(want);
  expect(await under.client.inspect(access, TAG, platforms, patient())).toEqual({
    head: { kind: 'found', digest },
    built: want,
  });
});

test('one platform that cannot be read fails the fact', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const platforms = { 'linux/amd64': '2025-01-01T00:00:00Z', 'linux/arm64': '2025-02-02T00:00:00Z' };
  registry.content.put({ repository: 'acme/api', tag: TAG, platforms });
  const [first] = registry.content.blobs.keys();
  registry.content.blobs.delete(String(first));
  const { built: fact } = await under.client.inspect(accessTo(registry.url), TAG, [AMD64, ARM64], patient());
  expect(fact).toMatchObject({ kind: 'failed', fault: { kind: 'missing' } });
});

test.for([
  { name: 'the manifest', change: 'manifest' },
  { name: 'the config', change: 'config' },
])('$name that is not what its digest says is not believed', async ({ change }) => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const digest = registry.content.put({ repository: 'acme/api', tag: TAG }) as Digest;
  const { blobs, manifests } = registry.content;
  const [key, stored] =
    (change === 'config' ? [...blobs] : [...manifests].filter(([name]) => name.includes('@')))[0] ?? [];
  (change === 'config' ? blobs : manifests).set(String(key), {
    mediaType: String(stored?.mediaType),
    body: `${stored?.body} `,
  });
  expect(await under.client.built(accessTo(registry.url), digest, [AMD64], patient())).toMatchObject({
    kind: 'failed',
    fault: { error: { code: 'REGISTRY_INVALID', what: containing('is not the one its digest names') } },
  });
});

test.for([
  {
    name: 'docker schema 1',
    type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    body: '{"schemaVersion":1}',
    says: 'schema 1',
  },
  { name: 'JSON that is no manifest', type: 'application/json', body: '{"hello":"world"}', says: 'no image manifest' },
  {
    name: 'index and image in one',
    type: 'application/json',
    body: `{"manifests":[],"config":{"digest":"${sha256('')}"}}`,
    says: 'no image manifest',
  },
  { name: 'HTML', type: 'text/html', body: '<html>', says: 'no image manifest' },
])('$name is refused clearly', async ({ type, body, says }) => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const digest = registry.content.putManifest('acme/api', TAG, type, body) as Digest;
  const fact = await under.client.built(accessTo(registry.url), digest, [AMD64], patient());
  expect(fact).toMatchObject({
    kind: 'failed',
    fault: { error: { code: 'REGISTRY_INVALID', what: containing(says) } },
  });
});

test('an index with hundreds of matching children is refused', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const child = (number: number) => ({
    digest: sha256(String(number)),
    platform: { os: 'linux', architecture: 'amd64' },
  });
  const body = JSON.stringify({
    schemaVersion: 2,
    manifests: Array.from({ length: 300 }, (_, number) => child(number)),
  });
  registry.content.putManifest('acme/api', TAG, 'application/vnd.oci.image.index.v1+json', body);
  const { built: fact } = await under.client.inspect(accessTo(registry.url), TAG, [AMD64], patient());
  expect(fact).toMatchObject({ kind: 'failed', fault: { error: { code: 'REGISTRY_TOO_LARGE' } } });
  expect(registry.requests).toHaveLength(1);
});

test('a tag that is not there is missing', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  registry.content.putTags('acme/api', []);
  expect(await under.client.head(accessTo(registry.url), TAG, patient())).toMatchObject({
    kind: 'failed',
    fault: { kind: 'missing', error: { code: 'MANIFEST_NOT_FOUND' } },
  });
});

test('500 single-platform tags cost 1,000 requests', async () => {
  await using registry = await startFakeRegistry();
  await using under = clientUnderTest();
  const tags = Array.from({ length: 500 }, (_, number) => `1.0.${number}` as Tag);
  for (const tag of tags) registry.content.put({ repository: 'acme/api', tag });
  const access = accessTo(registry.url);
  await Promise.all(tags.map((tag) => under.client.inspect(access, tag, [AMD64], patient())));
  expect(registry.requests).toHaveLength(1000);
});
