// What holds for every set-up: the same manifests without policies, never a worse image because of a fault, few requests.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { buildTool } from '../tools/build.mjs';
import { deployment, plainHttp, startArgoCd, type Application, type ArgoCd, type Files } from './argo-cd.ts';

let registry: RealRegistry;

beforeAll(async () => {
  registry = await startRealRegistry();
});
afterAll(async () => {
  await registry.stop();
});

const hosts = (): Readonly<Record<string, unknown>> => ({ registries: { hosts: [plainHttp(registry)] } });

function directory(
  name: string,
  repository: string,
  constraint: string,
  settings: Readonly<Record<string, string>> = {},
): Application {
  return {
    name,
    files: { 'web.yaml': deployment('web', { web: `${registry.host}/${repository}:1.0.0` }) },
    parameters: [
      { name: 'images', array: [`web=${registry.host}/${repository}${constraint}`] },
      { name: 'image-settings', map: settings },
    ],
  };
}

const web = (repository: string, suffix: string): object => ({
  'Deployment/web/web': `${registry.host}/${repository}${suffix}`,
});

describe('without an image policy', () => {
  const KUSTOMIZE: Files = {
    'kustomization.yaml':
      'resources: [web.yaml]\nnamePrefix: shop-\nimages: [{name: nginx, newTag: "1.27"}]\nconfigMapGenerator: [{name: conf, literals: ["a=1"]}]\n',
    'web.yaml': `# kept as kustomize keeps it\n${deployment('web', { web: 'nginx', log: '"fluent/fluent-bit:3.1"' })}`,
  };
  const CHART: Files = {
    'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'values.yaml': 'image: nginx:1.27\n',
    'templates/web.yaml': deployment('web', { web: '"{{ .Values.image }}" # from values' }),
    'templates/NOTES.txt': 'not a manifest\n',
  };

  test.for([
    { renderer: 'kustomize', tool: 'kustomize', files: KUSTOMIZE, native: ['build', '.'] },
    {
      renderer: 'helm',
      tool: 'helm4',
      files: CHART,
      native: ['template', 'shop', '.', '--namespace', 'shop', '--kube-version', '1.34.0', '--include-crds'],
    },
  ])('the output of $renderer is passed on byte for byte', async ({ tool, files, native }) => {
    const program = await buildTool(tool);
    await using argoCd = await startArgoCd();
    const application = { files };
    const cwd = await argoCd.checkOut(application);
    const { stdout: expected } = await promisify(execFile)(program, native, { cwd });
    const { stdout } = await argoCd.run(['generate'], { directory: cwd, application });
    expect(stdout).toBe(expected);

    const pluginYaml = JSON.stringify({
      kind: 'ConfigManagementPlugin',
      metadata: { name: 'native' },
      spec: { generate: { command: [program, ...native] } },
    });
    await using nativeArgoCd = await startArgoCd({ pluginYaml });
    expect(await argoCd.generate(application)).toEqual(await nativeArgoCd.generate(application));
  });

  test('a directory is passed on file by file', async () => {
    const files = {
      'a.yaml': deployment('a', { a: 'nginx' }),
      'b.yml': `---\n# comment\n${deployment('b', { b: "'nginx'" })}`,
    };
    await using argoCd = await startArgoCd();
    const { stdout } = await argoCd.run(['generate'], {
      directory: await argoCd.checkOut({ files }),
      application: { files },
    });
    for (const text of Object.values(files)) expect(stdout).toContain(text);
    expect(await argoCd.images({ files })).toEqual({ 'Deployment/a/a': 'nginx', 'Deployment/b/b': 'nginx' });
  });
});

describe('while the registry is down', () => {
  let argoCd: ArgoCd;
  beforeAll(async () => {
    argoCd = await startArgoCd({ configuration: { ...hosts(), budget: '8s' } });
    await registry.pushImages(['1.0.0', '1.0.1'].map((tag) => ({ repository: 'acme/outage', tag })));
  });
  afterAll(async () => argoCd[Symbol.asyncDispose]());

  test('the last known good answer is served, with a warning; without one it is an error and no manifest', async () => {
    const answered = directory('answered', 'acme/outage', ':~1.0');
    expect(await argoCd.images(answered)).toEqual(web('acme/outage', ':1.0.1'));
    registry.setOffline(true);
    try {
      argoCd.warnings();
      expect(await argoCd.images(answered)).toEqual(web('acme/outage', ':1.0.1'));
      expect(argoCd.warnings()).toContain('ANSWER_STALE');

      const failure = await argoCd.failure(directory('never-answered', 'acme/never-answered', ':~1.0'));
      expect(failure).toContain('REGISTRY_UNAVAILABLE');
      expect(failure).toContain(registry.host);
      expect(failure).toMatch(/\n\s+fix /);
      expect(Buffer.byteLength(failure)).toBeLessThan(4096 + 200);
    } finally {
      registry.setOffline(false);
    }
  });

  test('a new pod knows nothing, and says so instead of deploying what Git says', async () => {
    const application = directory('new-pod', 'acme/outage', ':~1.0');
    expect(await argoCd.images(application)).toEqual(web('acme/outage', ':1.0.1'));
    await argoCd.forgetEverything();
    registry.setOffline(true);
    try {
      expect(await argoCd.failure(application)).toContain('REGISTRY_UNAVAILABLE');
    } finally {
      registry.setOffline(false);
    }
    // A host that cut connections is left alone for a moment.
    await expect
      .poll(async () => argoCd.images(application).catch(() => 'still failing'), { timeout: 30_000, interval: 200 })
      .toEqual(web('acme/outage', ':1.0.1'));
  });
});

describe('one repository of 500 tags', () => {
  const REPOSITORY = 'acme/many';
  const TAGS = Array.from({ length: 500 }, (_, index) => `1.${Math.floor(index / 100)}.${index % 100}`);

  beforeAll(async () => {
    const day = (index: number): string => new Date(Date.UTC(2025, 0, 1 + index)).toISOString();
    await registry.pushImages(TAGS.map((tag, index) => ({ repository: REPOSITORY, tag, created: day(index) })));
  });

  test('30 applications within one interval cost one listing', async () => {
    await using argoCd = await startArgoCd({ configuration: { ...hosts(), interval: '10m' } });
    registry.clearRequests();
    for (let index = 0; index < 30; index++) {
      const constraint = [':~1.0', ':^1', ':~1.3'][index % 3] ?? '';
      const tag = ['1.0.99', '1.4.99', '1.3.99'][index % 3] ?? '';
      expect(await argoCd.images(directory(`app-${index}`, REPOSITORY, constraint))).toEqual(
        web(REPOSITORY, `:${tag}`),
      );
    }
    expect(registry.listings).toBe(1);
    expect(registry.requests.filter(({ kind }) => kind !== 'listing' && kind !== 'ping')).toEqual([]);
  });

  test('50 cold generations at once cost at most two listings', async () => {
    await using argoCd = await startArgoCd({ configuration: { ...hosts(), interval: '10m', budget: '50s' } });
    registry.clearRequests();
    const all = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => argoCd.images(directory(`cold-${index}`, REPOSITORY, ':~1.2'))),
    );
    for (const images of all) expect(images).toEqual(web(REPOSITORY, ':1.2.99'));
    expect(registry.listings).toBeGreaterThan(0);
    expect(registry.listings).toBeLessThanOrEqual(2);
  });

  test('newest-build reads each tag once, and then only looks whether something changed', async () => {
    await using argoCd = await startArgoCd({ configuration: hosts() });
    const application = directory('newest', REPOSITORY, '', { 'web.update-strategy': 'newest-build' });
    registry.clearRequests();
    const cold = await argoCd.images(application);
    expect(Object.values(cold)[0]).toContain(`${REPOSITORY}:1.4.99@sha256:`);
    expect(registry.requests.length).toBeLessThanOrEqual(1001);
    registry.clearRequests();
    expect(await argoCd.images(application)).toEqual(cold);
    expect(registry.requests.map(({ method, kind }) => `${method} ${kind}`)).toEqual(['GET listing', 'HEAD manifest']);
  });
});
