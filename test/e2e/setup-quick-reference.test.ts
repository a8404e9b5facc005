// A kustomization whose newTag is under policy: every strategy of the quick reference, and what people do in an emergency.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { deployment, plainHttp, startArgoCd, type ArgoCd, type Application } from './argo-cd.ts';

const USER = 'team';
const BACKEND = 'Deployment/backend/backend';
let registry: RealRegistry;
let digests: ReadonlyMap<string, string>;
let argoCd: ArgoCd;

/** The repository of the set-up: a base whose image is renamed and tagged by `images:`. */
function shop(settings: Readonly<Record<string, string>>, constraint = '', name = 'shop'): Application {
  return {
    name,
    path: 'manifests/base',
    files: {
      'manifests/base/kustomization.yaml': `resources: [deployment.yaml]
images:
  - name: backend
    newName: ${registry.host}/your/backend
    newTag: v1.0.0
`,
      'manifests/base/deployment.yaml': deployment('backend', { backend: 'backend' }),
    },
    parameters: [
      { name: 'images', array: [`backend=${registry.host}/your/backend${constraint}`] },
      {
        name: 'image-settings',
        map: Object.fromEntries(Object.entries(settings).map(([setting, value]) => [`backend.${setting}`, value])),
      },
    ],
  };
}

const written = (suffix: string): string => `${registry.host}/your/backend${suffix}`;
const digestOf = (tag: string): string => digests.get(tag) ?? '';

/** Pushed in this order; `nightly` was built last. */
const BUILDS = [
  ['v1.0.0', '2026-01-01'],
  ['v1.0.1', '2026-01-02'],
  ['v1.4.0', '2026-01-03'],
  ['v2.0.0', '2026-01-04'],
  ['v1.0.2', '2026-01-05'],
  ['nightly', '2026-01-06'],
] as const;

beforeAll(async () => {
  registry = await startRealRegistry({ auth: { kind: 'htpasswd', users: { [USER]: 'first-password' } } });
  const found = new Map<string, string>();
  for (const [tag, day] of BUILDS) {
    const { digest } = await registry.pushImage({ repository: 'your/backend', tag, created: `${day}T00:00:00Z` });
    found.set(tag, digest);
  }
  digests = found;
  argoCd = await startArgoCd({
    configuration: {
      registries: { hosts: [{ ...plainHttp(registry), credentials: 'secret:argocd/registry#login' }] },
      modes: [{ application: 'argocd/frozen', mode: 'freeze' }],
    },
    files: { 'secrets/argocd/registry/login': `${USER}:first-password` },
  });
});
afterAll(async () => {
  await argoCd[Symbol.asyncDispose]();
  await registry.stop();
});

describe('the strategies, in a private registry', () => {
  test.for([
    { name: 'semver takes patches for ~1.0.0', constraint: ':~1.0.0', settings: {}, want: 'v1.0.2' },
    { name: 'semver takes minors for ^1.0.0', constraint: ':^1.0.0', settings: {}, want: 'v1.4.0' },
    { name: 'semver takes everything for >=1.0.0', constraint: ':>=1.0.0', settings: {}, want: 'v2.0.0' },
    {
      name: 'a constraint may be a setting, as annotations have it',
      constraint: '',
      settings: { 'update-strategy': 'semver', 'semver-constraint': '~1.0' },
      want: 'v1.0.2',
    },
  ])('$name', async ({ constraint, settings, want }) => {
    const images = await argoCd.images(shop(settings, constraint));
    expect(images).toEqual({ [BACKEND]: written(`:${want}`) });
  });

  test.for([
    { name: 'latest takes what was built last', settings: { 'update-strategy': 'latest' }, want: 'nightly' },
    {
      name: 'regexp takes what was built last among the tags that match',
      settings: { 'update-strategy': 'regexp', 'allow-tags': String.raw`regexp:^v1\.` },
      want: 'v1.0.2',
    },
  ])('$name', async ({ settings, want }) => {
    const images = await argoCd.images(shop(settings));
    expect(images).toEqual({ [BACKEND]: written(`:${want}@${digestOf(want)}`) });
  });

  test('none leaves what Git says, and asks nobody', async () => {
    registry.clearRequests();
    expect(await argoCd.images(shop({ 'update-strategy': 'none' }))).toEqual({ [BACKEND]: written(':v1.0.0') });
    expect(registry.requests).toEqual([]);
  });
});

test('an image with a poll interval is not looked at again within it', async () => {
  const application: Application = {
    files: { 'web.yaml': deployment('web', { web: `${registry.host}/your/polled:1.0.0` }) },
    parameters: [
      { name: 'images', array: [`web=${registry.host}/your/polled:~1.0`] },
      { name: 'image-settings', map: { 'web.image-poll-interval': '5m' } },
    ],
  };
  await registry.pushImage({ repository: 'your/polled', tag: '1.0.1' });
  const images = await argoCd.images(application);
  expect(images).toEqual({ 'Deployment/web/web': `${registry.host}/your/polled:1.0.1` });
  await registry.pushImage({ repository: 'your/polled', tag: '1.0.2' });
  registry.clearRequests();
  expect(await argoCd.images(application)).toEqual(images);
  expect(registry.requests).toEqual([]);
});

describe('in an emergency', () => {
  test('a pin writes just that tag, while the registry is down', async () => {
    registry.setOffline(true);
    try {
      const images = await argoCd.images(shop({ pin: 'v0.9.7' }, ':^1.0.0', 'never-seen'));
      expect(images).toEqual({ [BACKEND]: written(':v0.9.7') });
    } finally {
      registry.setOffline(false);
    }
  });

  test('a pin by digest writes the digest', async () => {
    const digest = digestOf('v1.0.1');
    expect(await argoCd.images(shop({ pin: digest }, ':^1.0.0'))).toEqual({ [BACKEND]: written(`@${digest}`) });
  });

  test('an image can be paused the way argocd-image-updater pauses, with a notice', async () => {
    argoCd.warnings();
    const images = await argoCd.images(shop({ 'ignore-tags': '*' }, ':^1.0.0'));
    expect(images).toEqual({ [BACKEND]: written(':v1.0.0') });
    expect(argoCd.warnings()).toContain('IMAGE_PAUSED');
  });

  test('a frozen application keeps what it had, and others move on', async () => {
    const before = shop({}, ':~3.0', 'frozen');
    await registry.pushImage({ repository: 'your/backend', tag: 'v3.0.0' });
    expect(await argoCd.images(before)).toEqual({ [BACKEND]: written(':v3.0.0') });
    await registry.pushImage({ repository: 'your/backend', tag: 'v3.0.1' });
    expect(await argoCd.images(before)).toEqual({ [BACKEND]: written(':v3.0.0') });
    expect(await argoCd.images(shop({}, ':~3.0', 'free'))).toEqual({ [BACKEND]: written(':v3.0.1') });
  });
});

test('status: explain tells per image what Git said, what came out and why', async () => {
  const application = shop({}, ':~1.0.0');
  const directory = await argoCd.checkOut(application);
  const { code, stdout } = await argoCd.run(['explain', '--json'], { directory, application });
  expect(code).toBe(0);
  const { images } = JSON.parse(stdout) as { images: readonly unknown[] };
  expect(images).toMatchObject([
    {
      field: { container: 'backend', written: written(':v1.0.0'), becomes: written(':v1.0.2') },
      resolution: { kind: 'decided', decision: { tag: 'v1.0.2' } },
    },
  ]);
});
