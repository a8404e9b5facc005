import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { renderHelm } from '../../src/render/helm/render-helm.ts';
import { buildTool } from '../tools/build.mjs';
import { checkout, type Files, renderOptions, temporaryFolder, type Wish } from './render-checkout.ts';

const SECRET = 'canary-secret-outside-the-tree';
const CHART: Files = {
  'app/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
  'app/values.yaml': 'a: 1\n',
  'app/templates/a.yaml': 'kind: A\nvalues: {{ .Values | toJson | quote }}\nfile: {{ .Files.Get "f.txt" | quote }}\n',
};
const chartWith = (repository: string): string =>
  `apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- {name: x, version: 1.0.0, ${repository}}\n`;

let connections = 0;
const listener = createServer((socket) => {
  connections++;
  socket.destroy();
});
let url = '';
let helms: readonly string[] = [];
beforeAll(async () => {
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  url = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  helms = [await buildTool('helm3'), await buildTool('helm4')];
}, 600_000);
afterAll(() => listener.close());

/** Attacks use `{url}` for a listener on this machine and `{outside}` for a folder beside the tree with the secret in it. */
test.for<{ name: string; files?: Files; changes?: Wish; want: string }>([
  {
    name: 'values from http on this machine',
    changes: { helm: { valueFiles: ['http://{url}/v.yaml'] } },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'values from https on this machine',
    changes: { helm: { valueFiles: ['https://{url}/v.yaml'] } },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'values from a host the operator does not allow',
    changes: { helm: { valueFiles: ['https://example.com/v.yaml'] }, policy: { remoteHosts: [] } },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'values from git',
    changes: { helm: { valueFiles: ['git::https://example.com/v.yaml'] } },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'values by a file URL',
    changes: { helm: { valueFiles: ['file://{outside}/v.yaml'] } },
    want: 'SOURCE_REFUSED',
  },
  { name: 'values by an absolute path', changes: { helm: { valueFiles: ['{outside}/v.yaml'] } }, want: 'FILE_MISSING' },
  { name: 'values by dots', changes: { helm: { valueFiles: ['../../outside/v.yaml'] } }, want: 'PATH_OUTSIDE_TREE' },
  {
    name: 'values by dots behind a slash',
    changes: { helm: { valueFiles: ['/../outside/v.yaml'] } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'values by a link',
    files: { 'app/l.yaml': { link: '../../outside/v.yaml' } },
    changes: { helm: { valueFiles: ['l.yaml'] } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'values by dots in a pattern',
    changes: { helm: { valueFiles: ['../../outside/*.yaml'] } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'values by a pattern that meets a link',
    files: { 'shared/l.yaml': { link: '../../outside/v.yaml' } },
    changes: { helm: { valueFiles: ['../shared/*'] } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'values by a pattern below a link',
    files: { shared: { link: '../outside' } },
    changes: { helm: { valueFiles: ['../shared/*.yaml'] } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'values of another source',
    changes: { helm: { valueFiles: ['$values/v.yaml'] } },
    want: 'NATIVE_FEATURE_UNAVAILABLE',
  },
  {
    name: 'a file parameter by an absolute path',
    changes: { helm: { fileParameters: { a: '{outside}/v.yaml' } } },
    want: 'FILE_MISSING',
  },
  {
    name: 'a file parameter whose name is another one',
    files: { 'app/b': 'b' },
    changes: { helm: { fileParameters: { 'a={outside}/v.yaml,b': 'b' } } },
    want: 'PARAMETER_INVALID',
  },
  {
    name: 'a file parameter from http',
    changes: { helm: { fileParameters: { a: 'http://{url}/v.yaml' } } },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a file of the chart that is a link',
    files: { 'app/f.txt': { link: '../../outside/v.yaml' } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a link in a directory that a link of the chart leads to',
    files: { 'app/sub': { link: '../shared' }, 'shared/f.txt': { link: '{outside}/v.yaml' } },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a dependency by an absolute file URL',
    files: { 'app/Chart.yaml': chartWith('repository: "file://{outside}/chart"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency by dots',
    files: { 'app/Chart.yaml': chartWith('repository: "file://../../outside/chart"') },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a dependency whose key is written in another case',
    files: { 'app/Chart.yaml': chartWith('Repository: "file://{outside}/chart"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency whose key has a long s',
    files: { 'app/Chart.yaml': chartWith('repo\u017fitory: "file://{outside}/chart"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency by equal keys',
    files: { 'app/Chart.yaml': chartWith('repository: "file://../shared", repository: "file://{outside}/chart"') },
    want: 'FILE_MISSING',
  },
  {
    name: 'a dependency by an alias',
    files: { 'app/Chart.yaml': `icon: &a "file://{outside}/chart"\n${chartWith('repository: *a')}` },
    want: 'MANIFEST_INVALID',
  },
  {
    name: 'a dependency behind a line separator of YAML 1.1',
    files: {
      'app/Chart.yaml': `apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- name: x\n  version: 1.0.0\n  # \u2028  repository: "file://{outside}/chart"\n`,
    },
    want: 'MANIFEST_INVALID',
  },
  {
    name: 'a dependency with links in it',
    files: {
      'app/Chart.yaml': chartWith('repository: "file://../shared"'),
      'shared/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 1.0.0\n',
      'shared/f.txt': { link: '../../outside/v.yaml' },
    },
    want: 'PATH_OUTSIDE_TREE',
  },
  {
    name: 'a dependency from http on this machine',
    files: { 'app/Chart.yaml': chartWith('repository: "http://{url}"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency from https on this machine',
    files: { 'app/Chart.yaml': chartWith('repository: "https://{url}"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency from an OCI registry on this machine',
    files: { 'app/Chart.yaml': chartWith('repository: "oci://{url}/x"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency of a repository that nobody configured',
    files: { 'app/Chart.yaml': chartWith('repository: "@ours"') },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'a dependency that only the lock names',
    files: {
      'app/Chart.yaml': chartWith('repository: ""'),
      'app/Chart.lock': 'dependencies:\n- {name: x, version: 1.0.0, repository: "http://{url}"}\ndigest: sha256:0\n',
    },
    want: 'SOURCE_REFUSED',
  },
  {
    name: 'requirements of a chart of the first kind',
    files: {
      'app/Chart.yaml': 'apiVersion: v1\nname: web\nversion: 0.1.0\n',
      'app/requirements.yaml': 'dependencies:\n- {name: x, version: 1.0.0, repository: "http://{url}"}\n',
    },
    want: 'SOURCE_REFUSED',
  },
])('refuses $name', async ({ files = {}, changes = {}, want }) => {
  for (const helm of helms) {
    const before = connections;
    const error: unknown = await attack({ files: { ...CHART, ...files }, changes, helm }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: want });
    expect(connections).toBe(before);
    expect(JSON.stringify(error) + String(error)).not.toContain(SECRET);
  }
});

test('reads a value file whose name has a comma as one file', async () => {
  const name = `x,{outside}/v.yaml`;
  for (const helm of helms) {
    const files = { ...CHART, [`app/${name}`]: 'a: 2\n' };
    expect(await attack({ files, changes: { helm: { valueFiles: [name] } }, helm })).toContain(String.raw`{\"a\":2}`);
  }
});

test('runs no plugin that the repository or the environment of the plugin holds', async () => {
  for (const helm of helms) {
    const plugin =
      'name: downloader\nversion: 0.1.0\ncommand: "$HELM_PLUGIN_DIR/run.sh"\ndownloaders: [{command: run.sh, protocols: [planted]}]\n';
    const tree = await checkout({ ...CHART, 'plugins/downloader/plugin.yaml': plugin });
    const marker = join(tree, 'ran');
    const script = join(tree, 'plugins/downloader/run.sh');
    await writeFile(script, `#!/bin/sh\ntouch ${marker}\n`);
    await chmod(script, 0o755);
    const parentEnvironment = {
      ...process.env,
      HELM_PLUGINS: join(tree, 'plugins'),
      XDG_DATA_HOME: tree,
    };
    const options = { app: 'app', parentEnvironment, tools: { helm } };
    await expect(
      renderHelm(await renderOptions(tree, { ...options, helm: { valueFiles: ['planted://x'] } })),
    ).rejects.toMatchObject({ code: 'SOURCE_REFUSED' });
    await renderHelm(await renderOptions(tree, options));
    expect(existsSync(marker)).toBe(false);
  }
});

test('gives helm no secret of its own environment, no cluster and a home of its own', async () => {
  const tree = await checkout(CHART);
  const helm = join(tree, '../stub');
  await writeFile(helm, '#!/bin/sh\nenv\n');
  await chmod(helm, 0o755);
  const parentEnvironment = {
    PATH: process.env['PATH'],
    ARGOCD_APP_PARAMETERS: SECRET,
    AWS_SECRET_ACCESS_KEY: SECRET,
    ARGOCD_GIT_BEARER_AUTH_HEADER: SECRET,
    HELM_KUBETOKEN: SECRET,
    HELM_DEBUG: 'true',
  };
  const { text } = await renderHelm(await renderOptions(tree, { app: 'app', parentEnvironment, tools: { helm } }));
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain('HELM_DEBUG');
  expect(text).toContain('KUBECONFIG=/dev/null');
  expect(text).toMatch(/^HELM_PLUGINS=.*image-resolver-/m);
});

async function attack(options: { files: Files; changes: Wish; helm: string }): Promise<string> {
  const outside = join(await temporaryFolder(), 'outside');
  await mkdir(join(outside, 'chart'), { recursive: true });
  await writeFile(join(outside, 'v.yaml'), `secret: ${SECRET}\n`);
  await writeFile(join(outside, 'chart/Chart.yaml'), 'apiVersion: v2\nname: x\nversion: 1.0.0\n');
  const fill = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value).replaceAll('{url}', url).replaceAll('{outside}', outside)) as T;
  const filled = await checkout(fill(options.files));
  await copyBeside(filled, outside);
  const { text } = await renderHelm(
    await renderOptions(filled, { app: 'app', ...fill(options.changes), tools: { helm: options.helm } }),
  );
  return text;
}

/** The relative attacks lead beside the tree, so the secret must be there too, or they would fail for the wrong reason. */
async function copyBeside(tree: string, outside: string): Promise<void> {
  const beside = join(tree, '../outside');
  await mkdir(join(beside, 'chart'), { recursive: true });
  for (const name of ['v.yaml', 'chart/Chart.yaml'])
    await writeFile(join(beside, name), await readFile(join(outside, name)));
}
