// One base, two overlays: development follows what moves, production takes compatible releases; several services.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { deployment, plainHttp, startArgoCd, type Application, type ArgoCd, type Files } from './argo-cd.ts';

let registry: RealRegistry;
let argoCd: ArgoCd;

beforeAll(async () => {
  registry = await startRealRegistry();
  argoCd = await startArgoCd({ configuration: { registries: { hosts: [plainHttp(registry)] } } });
});
afterAll(async () => {
  await argoCd[Symbol.asyncDispose]();
  await registry.stop();
});

function repository(service: string): Files {
  const kustomization = (tag: string): string =>
    `resources: [../../base]\nimages:\n  - name: ${service}\n    newTag: ${tag}\n`;
  return {
    'manifests/base/kustomization.yaml': `resources: [${service}.yaml]
images:
  - name: ${service}
    newName: ${registry.host}/acme/${service}
    newTag: v1.0.0
`,
    [`manifests/base/${service}.yaml`]: deployment(service, { [service]: service }),
    'manifests/overlays/development/kustomization.yaml': kustomization('dev-latest').replace(
      service,
      `${registry.host}/acme/${service}`,
    ),
    'manifests/overlays/production/kustomization.yaml': kustomization('v1.0.5').replace(
      service,
      `${registry.host}/acme/${service}`,
    ),
  };
}

function overlay(
  service: string,
  environment: 'development' | 'production',
  constraint: string,
  settings: Readonly<Record<string, string>> = {},
): Application {
  return {
    name: `${service}-${environment}`,
    files: repository(service),
    path: `manifests/overlays/${environment}`,
    parameters: [
      { name: 'images', array: [`app=${registry.host}/acme/${service}${constraint}`] },
      { name: 'image-settings', map: settings },
    ],
  };
}

async function pushTags(service: string, tags: readonly string[]): Promise<void> {
  await registry.pushImages(tags.map((tag) => ({ repository: `acme/${service}`, tag })));
}

describe('production', () => {
  test('takes v1.0.6 of v1.0.6, v1.1.0 and v2.0.0 for ~1.0', async () => {
    await pushTags('stable', ['v1.0.5', 'v1.0.6', 'v1.1.0', 'v2.0.0']);
    expect(await argoCd.images(overlay('stable', 'production', ':~1.0'))).toEqual({
      'Deployment/stable/stable': `${registry.host}/acme/stable:v1.0.6`,
    });
  });

  test('takes the next compatible release as soon as it is pushed', async () => {
    await pushTags('pushed', ['v1.0.0']);
    const application = overlay('pushed', 'production', ':~1.0');
    const image = (tag: string): object => ({ 'Deployment/pushed/pushed': `${registry.host}/acme/pushed:${tag}` });
    expect(await argoCd.images(application)).toEqual(image('v1.0.0'));
    await pushTags('pushed', ['v1.0.1', 'v1.0.2-rc.1']);
    expect(await argoCd.images(application)).toEqual(image('v1.0.1'));
  });
});

describe('development', () => {
  test('follows dev-latest: what it points at now is what rolls out', async () => {
    const push = async (content: string): Promise<string> =>
      (await registry.pushImage({ repository: 'acme/moving', tag: 'dev-latest', content })).digest;
    const application = overlay('moving', 'development', ':dev-latest', { 'app.update-strategy': 'digest' });
    for (const content of ['v1.0.1-rc.1', 'v1.0.1-rc.2']) {
      const digest = await push(content);
      expect(await argoCd.images(application)).toEqual({
        'Deployment/moving/moving': `${registry.host}/acme/moving:dev-latest@${digest}`,
      });
    }
  });

  test('takes release candidates, which production refuses until the release is there', async () => {
    await pushTags('candidate', ['v1.0.0', 'v1.0.1-rc.1', 'v1.0.1-rc.2']);
    const development = overlay('candidate', 'development', ':~1.0-0');
    const production = overlay('candidate', 'production', ':~1.0');
    const image = (tag: string): object => ({
      'Deployment/candidate/candidate': `${registry.host}/acme/candidate:${tag}`,
    });
    expect(await argoCd.images(development)).toEqual(image('v1.0.1-rc.2'));
    expect(await argoCd.images(production)).toEqual(image('v1.0.0'));
    await pushTags('candidate', ['v1.0.1']);
    expect(await argoCd.images(development)).toEqual(image('v1.0.1'));
    expect(await argoCd.images(production)).toEqual(image('v1.0.1'));
  });
});

describe('filters', () => {
  const TAGS = ['v1.0.5', 'v1.0.6-rc.1', 'v1.0.6-debug', 'v1.0.5-rc.9', '1.0.9', 'latest'];
  beforeAll(async () => pushTags('filtered', TAGS));

  test.for([
    {
      name: 'allow only release names',
      settings: { 'app.allow-tags': String.raw`regexp:^v[0-9]+\.[0-9]+\.[0-9]+$` },
      want: 'v1.0.5',
    },
    { name: 'ignore candidates by expression', settings: { 'app.ignore-tags': 'regex:.*-rc.*' }, want: '1.0.9' },
    { name: 'ignore by several globs', settings: { 'app.ignore-tags': '1.*, *-rc*' }, want: 'v1.0.6-debug' },
    {
      name: 'allow and ignore together',
      settings: { 'app.allow-tags': 'regexp:^v', 'app.ignore-tags': '*-debug' },
      want: 'v1.0.6-rc.1',
    },
  ])('$name', async ({ settings, want }) => {
    expect(await argoCd.images(overlay('filtered', 'production', ':~1.0-0', settings))).toEqual({
      'Deployment/filtered/filtered': `${registry.host}/acme/filtered:${want}`,
    });
  });
});

test('several services of one application move on their own', async () => {
  await pushTags('backend', ['v1.0.0', 'v1.0.1']);
  await pushTags('frontend', ['v2.5.0', 'v2.6.0', 'v3.0.0']);
  const image = (name: string, tag: string): string => `${registry.host}/acme/${name}:${tag}`;
  const application: Application = {
    name: 'services',
    files: {
      'kustomization.yaml': `resources: [services.yaml]
images:
  - {name: backend, newName: ${registry.host}/acme/backend, newTag: v1.0.0}
  - {name: frontend, newName: ${registry.host}/acme/frontend, newTag: v2.5.0}
`,
      'services.yaml': [
        deployment('backend', { backend: 'backend' }),
        deployment('frontend', { frontend: 'frontend', proxy: 'proxy.example.com/envoy:v1.30.0' }),
      ].join('---\n'),
    },
    parameters: [
      {
        name: 'images',
        array: [`backend=${registry.host}/acme/backend:~1.0`, `frontend=${registry.host}/acme/frontend:^2`],
      },
    ],
  };
  expect(await argoCd.images(application)).toEqual({
    'Deployment/backend/backend': image('backend', 'v1.0.1'),
    'Deployment/frontend/frontend': image('frontend', 'v2.6.0'),
    'Deployment/frontend/proxy': 'proxy.example.com/envoy:v1.30.0',
  });
  await pushTags('frontend', ['v2.7.0']);
  expect(await argoCd.images(application)).toMatchObject({
    'Deployment/backend/backend': image('backend', 'v1.0.1'),
    'Deployment/frontend/frontend': image('frontend', 'v2.7.0'),
  });
});
