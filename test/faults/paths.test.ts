import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { PARAMETER_NAMES } from '../../src/parameters/catalog.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import {
  type FileContent,
  type PluginContainer,
  type PluginParameter,
  startPluginContainer,
} from '../support/run-resolver.ts';
import { expectFailure } from './expect-failure.ts';
import { deployment } from './one-image.ts';

// Every parameter that takes a path, every way out of the tree. The file outside is there and can be read, and holds a
// canary.

const CANARY = 'canary-outside-the-tree';
let container: PluginContainer;
let neighbour: FakeRegistry;

beforeAll(async () => {
  neighbour = await startFakeRegistry();
  container = await startPluginContainer();
  // The absence of jsonnet is not what must refuse.
  await container.write('jsonnet/jsonnet', '#!/bin/sh\necho "{}"\n', 0o755);
  await container.write('outside/values.yaml', `secret: ${CANARY}\n`);
  await container.write('outside/Chart.yaml', `apiVersion: v2\nname: ${CANARY}\nversion: 1.0.0\n`);
  await container.write('outside/kustomization.yaml', `namePrefix: ${CANARY}\n`);
  await container.write('outside/api.yaml', deployment(CANARY));
  await container.write('outside/lib.libsonnet', `{secret: "${CANARY}"}`);
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
  await neighbour.close();
});

const MANIFEST = deployment('ghcr.io/acme/api:1.0.0');
const CHART = {
  'app/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 0.1.0\n',
  'app/templates/api.yaml': `${MANIFEST}# {{ .Values | toJson }}\n`,
};
const OVERLAY = { 'app/kustomization.yaml': 'resources: [api.yaml]\n', 'app/api.yaml': MANIFEST };
const JSONNET = { 'app/api.jsonnet': '{}' };

type Way = (path: string) => string;
/** `OUT` is the folder outside. */
const WAYS: readonly { readonly name: string; readonly way: Way }[] = [
  { name: 'dots', way: (file) => `../../outside/${file}` },
  { name: 'dots behind a slash', way: (file) => `/../outside/${file}` },
  { name: 'dots in the middle', way: (file) => `templates/../../../outside/${file}` },
  { name: 'an absolute path', way: (file) => `OUT/${file}` },
  { name: 'a link', way: (file) => `way-out/${file}` },
  { name: 'a file URL', way: (file) => `file://OUT/${file}` },
];

const PLACES: readonly {
  readonly parameter: string;
  readonly file: string;
  readonly files: Readonly<Record<string, FileContent>>;
  readonly value: (path: string) => PluginParameter;
}[] = [
  {
    parameter: 'helm-value-files',
    file: 'values.yaml',
    files: CHART,
    value: (path) => ({ name: 'helm-value-files', array: [path] }),
  },
  {
    parameter: 'helm-value-files by a glob',
    file: '*.yaml',
    files: CHART,
    value: (path) => ({ name: 'helm-value-files', array: [path] }),
  },
  {
    parameter: 'helm-file-parameters',
    file: 'values.yaml',
    files: CHART,
    value: (path) => ({ name: 'helm-file-parameters', map: { secret: path } }),
  },
  {
    parameter: 'kustomize-components',
    file: '',
    files: OVERLAY,
    value: (path) => ({ name: 'kustomize-components', array: [path] }),
  },
  {
    parameter: 'kustomize-patches',
    file: 'api.yaml',
    files: OVERLAY,
    value: (path) => ({ name: 'kustomize-patches', string: JSON.stringify([{ path }]) }),
  },
  {
    parameter: 'directory-jsonnet-libs',
    file: '',
    files: JSONNET,
    value: (path) => ({ name: 'directory-jsonnet-libs', array: [path] }),
  },
];

test.for(PLACES.flatMap((place) => WAYS.map((one) => ({ ...place, ...one }))))(
  '$parameter with $name does not leave the tree',
  async ({ file, files, value, way }) => {
    const application = await container.application(
      { ...files, 'way-out': { link: '../outside' }, 'app/way-out': { link: '../../outside' } },
      { parameters: [value(way(file).replace('OUT', `${container.folder}/outside`))] },
    );
    const run = await container.generate(application, { toolsFirst: [`${container.folder}/jsonnet`] });
    expect(run).toMatchObject({ stdout: '', exitCode: 1 });
    expect(run.stderr).toMatch(/^(?:PATH_OUTSIDE_TREE|FILE_MISSING|SOURCE_REFUSED|PARAMETER_INVALID) /);
    expect(run.stderr).not.toContain(CANARY);
    expect(await container.leftovers()).toEqual([]);
  },
);

test('every parameter that takes a path is tried above', () => {
  expect(PARAMETER_NAMES.filter((name) => /files?\b|file-|libs|components|patches/.test(name))).toEqual([
    'helm-value-files',
    'helm-ignore-missing-value-files',
    'helm-file-parameters',
    'kustomize-patches',
    'kustomize-components',
    'kustomize-ignore-missing-components',
    'directory-jsonnet-libs',
  ]);
});

test.for<{ name: string; files: Readonly<Record<string, FileContent>>; code: ErrorCode }>([
  {
    name: 'a manifest that is a link',
    files: { 'app/x.yaml': { link: '../../outside/api.yaml' } },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a policy file that is a link',
    files: { 'app/api.yaml': MANIFEST, 'app/.image-resolver.yaml': { link: '../../outside/values.yaml' } },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a chart file that is a link',
    files: { ...CHART, 'app/values.yaml': { link: '../../outside/values.yaml' } },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a template folder that is a link',
    files: { 'app/Chart.yaml': CHART['app/Chart.yaml'], 'app/templates': { link: '/proc/self' } },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a kustomization that is a link',
    files: { 'app/kustomization.yaml': { link: '../../outside/kustomization.yaml' } },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a resource that is a link',
    files: { 'app/kustomization.yaml': 'resources: [x.yaml]\n', 'app/x.yaml': { link: '../../outside/api.yaml' } },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a resource that is the environment of the plugin',
    files: {
      'app/kustomization.yaml': 'configMapGenerator: [{name: c, files: [environ]}]\n',
      'app/environ': { link: '/proc/self/environ' },
    },
    code: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a dependency by a file URL',
    files: {
      ...CHART,
      'app/Chart.yaml': `${CHART['app/Chart.yaml']}dependencies: [{name: x, version: 1.0.0, repository: "file://../../outside"}]\n`,
    },
    code: 'PATH_OUTSIDE_TREE',
  },
])('$name: $code', async ({ files, code }) => {
  const stderr = await expectFailure(container, await container.application(files), code, {
    environment: { REGISTRY_PASSWORD: CANARY },
  });
  expect(stderr).not.toContain(CANARY);
});

test.for<{
  name: string;
  files: (url: string) => Readonly<Record<string, FileContent>>;
  parameters?: (url: string) => readonly PluginParameter[];
}>([
  {
    name: 'a generator of kustomize',
    files: (url) => ({ 'app/kustomization.yaml': `configMapGenerator: [{name: c, files: ["x=${url}/"]}]\n` }),
  },
  { name: 'a resource of kustomize', files: (url) => ({ 'app/kustomization.yaml': `resources: ["${url}/x.yaml"]\n` }) },
  {
    name: 'a component that a parameter names',
    files: () => OVERLAY,
    parameters: (url) => [{ name: 'kustomize-components', array: [`${url}/x`] }],
  },
  {
    name: 'values of Helm',
    files: () => CHART,
    parameters: (url) => [{ name: 'helm-value-files', array: [`${url}/values.yaml`] }],
  },
  {
    name: 'a dependency of Helm',
    files: (url) => ({
      ...CHART,
      'app/Chart.yaml': `${CHART['app/Chart.yaml']}dependencies: [{name: x, version: 1.0.0, repository: "${url}"}]\n`,
    }),
  },
])('$name from this machine is refused, and nobody connects', async ({ files, parameters }) => {
  for (const url of [neighbour.url, neighbour.url.replace('127.0.0.1', 'localhost')]) {
    const application = await container.application(files(url), { parameters: parameters?.(url) ?? [] });
    await expectFailure(container, application, 'SOURCE_REFUSED', { once: true });
  }
  expect(neighbour.connections).toBe(0);
});
