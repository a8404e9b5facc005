import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderHelm } from '../../src/render/helm/render-helm.ts';
import { buildTool } from '../tools/build.mjs';
import { checkout, type Files, renderOptions, type Wish } from './render-checkout.ts';

const CHART: Files = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
  'chart/values.yaml': 'image:\n  repository: nginx\n  tag: "1.0"\nnumber: 1\nextra: []\n',
  'chart/crds/x.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.y.z}\n',
  'chart/templates/a.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  values: {{ .Values | toJson | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  has: "{{ .Capabilities.APIVersions.Has "example.com/v1/Thing" }}"
  lookup: {{ lookup "v1" "Secret" "default" "x" | toJson | quote }}
`,
  'chart/templates/tests/t.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: t
  annotations: {helm.sh/hook: test}
`,
};

const tools: Record<'helm3' | 'helm4', string> = { helm3: '', helm4: '' };
beforeAll(async () => {
  tools.helm3 = await buildTool('helm3');
  tools.helm4 = await buildTool('helm4');
}, 600_000);

/** A chart that needs another one of the same tree. */
const WITH_DEPENDENCY: Files = {
  ...CHART,
  'chart/Chart.yaml':
    'apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: common, version: 1.x.x, repository: "file://../common"}]\n',
  'common/Chart.yaml': 'apiVersion: v2\nname: common\nversion: 1.2.3\n',
  'common/templates/c.yaml': 'kind: Common\n',
};

/** What the values of the chart's ConfigMap are. */
function valuesIn(text: string): unknown {
  return JSON.parse(JSON.parse(/^ {2}values: (.*)$/m.exec(text)?.[1] ?? 'null') as string);
}

describe.for(['helm3', 'helm4'] as const)('with %s', (version) => {
  async function rendered(files: Files, changes: Wish = {}): Promise<{ text: string; notices: readonly unknown[] }> {
    const tree = await checkout(files);
    return renderHelm(await renderOptions(tree, { app: 'chart', ...changes, tools: { helm: tools[version] } }));
  }

  test.for<{ name: string; changes: Wish; files?: Files; args: readonly string[] }>([
    { name: 'nothing', changes: {}, args: ['--name-template', 'web', '--include-crds'] },
    {
      name: "the cluster's versions and the destination",
      changes: {
        environment: {
          appName: 'team_shop',
          appNamespace: 'prod',
          kubeVersion: 'v1.30.2-gke.1',
          kubeApiVersions: ['v1', 'example.com/v1/Thing'],
        },
      },
      args: [
        '--name-template',
        'shop',
        '--namespace',
        'prod',
        '--kube-version',
        '1.30.2',
        '--api-versions',
        'v1',
        '--api-versions',
        'example.com/v1/Thing',
        '--include-crds',
      ],
    },
    {
      name: 'every parameter',
      changes: {
        environment: { appNamespace: 'prod', kubeVersion: '1.29.0', kubeApiVersions: ['v1'] },
        helm: {
          releaseName: 'shop',
          namespace: 'other',
          kubeVersion: '1.31',
          apiVersions: ['example.com/v1/Thing'],
          valueFiles: ['values-prod.yaml', '/shared/values.yaml'],
          values: 'number: 4\ninline: yes\n',
          parameters: {
            number: '5',
            text: 'a,b',
            escaped: String.raw`a\,b`,
            list: '{a,b}',
            'extra[0].x': 'true',
            dash: '-n',
          },
          stringParameters: { string: '5', image: '' },
          fileParameters: { file: 'file,with.txt' },
          skipCrds: true,
          skipTests: true,
          skipSchemaValidation: true,
        },
      },
      files: {
        'chart/values-prod.yaml': 'number: 2\nprod: 1\n',
        'shared/values.yaml': 'number: 3\nshared: 1\n',
        'chart/file,with.txt': 'a, b = {c}\n',
        'chart/values.schema.json': '{"required": ["nothing"]}',
      },
      args: [
        '--name-template',
        'shop',
        '--namespace',
        'other',
        '--kube-version',
        '1.31',
        '--set',
        'dash=-n',
        '--set',
        String.raw`escaped=a\,b`,
        '--set',
        'extra[0].x=true',
        '--set',
        'list={a,b}',
        '--set',
        'number=5',
        '--set',
        String.raw`text=a\,b`,
        '--set-string',
        'image=',
        '--set-string',
        'string=5',
        '--set-file',
        String.raw`file=file\,with.txt`,
        '--values',
        'values-prod.yaml',
        '--values',
        '../shared/values.yaml',
        '--values',
        '../inline.yaml',
        '--api-versions',
        'example.com/v1/Thing',
        '--skip-schema-validation',
        '--skip-tests',
      ],
    },
  ])('prints what helm prints when Argo CD runs it with $name', async ({ changes, files, args }) => {
    const tree = await checkout({ ...CHART, ...files, 'inline.yaml': 'number: 4\ninline: yes\n' });
    const { stdout } = await promisify(execFile)(tools[version], ['template', '.', ...args], {
      cwd: join(tree, 'chart'),
    });
    const { text, notices } = await renderHelm(
      await renderOptions(tree, { app: 'chart', ...changes, tools: { helm: tools[version] } }),
    );
    expect(text).toBe(stdout);
    expect(notices).toEqual([]);
  });

  test('sets policy values over files, inline values and parameters of the same path, and nothing else', async () => {
    const { text, notices } = await rendered(CHART, {
      helm: {
        values: 'image: {tag: inline, pullPolicy: Always}\n',
        parameters: { 'image.tag': 'parameter', 'image.other': 'kept' },
        stringParameters: { [String.raw`with\.dot`]: 'parameter' },
      },
      overrides: {
        helm: [
          { path: 'image.tag', value: '1.10' },
          { path: String.raw`with\.dot`, value: 'yes' },
        ],
      },
    });
    expect(valuesIn(text)).toEqual({
      image: { repository: 'nginx', tag: '1.10', pullPolicy: 'Always', other: 'kept' },
      number: 1,
      extra: [],
      'with.dot': 'yes',
    });
    expect(notices).toEqual([
      {
        code: 'PARAMETER_OVERRIDDEN',
        what: 'the value comes from an image policy',
        where: 'parameter helm-parameters.image.tag',
      },
      {
        code: 'PARAMETER_OVERRIDDEN',
        what: 'the value comes from an image policy',
        where: String.raw`parameter helm-string-parameters.with\.dot`,
      },
    ]);
  });

  test('keeps the rest of a list, as it is written, when one element is set', async () => {
    const list =
      'web:\n  images:\n    - {name: a, tag: 1.10, on: yes, empty: }\n    - name: b\n      tag: "1.10"\n      text: |\n        x\n        y\n';
    const overrides = [
      { path: 'web.images[1].tag', value: '2.0' },
      { path: 'web.images[1].repository', value: 'r' },
      { path: 'image.tag', value: '3' },
    ];
    const files = { ...CHART, 'chart/list.yaml': list };
    const before = valuesIn((await rendered(files, { helm: { valueFiles: ['list.yaml'] } })).text);
    const after = valuesIn(
      (await rendered(files, { helm: { valueFiles: ['list.yaml'] }, overrides: { helm: overrides } })).text,
    );
    expect(before).toMatchObject({
      web: { images: [{ name: 'a', tag: 1.1, true: true, empty: null }, { tag: '1.10' }] },
    });
    expect(after).toEqual({
      ...(before as object),
      image: { repository: 'nginx', tag: '3' },
      web: {
        images: [
          { name: 'a', tag: 1.1, true: true, empty: null },
          { name: 'b', tag: '2.0', repository: 'r', text: 'x\ny\n' },
        ],
      },
    });
  });

  test('builds missing dependencies from a directory of the tree in a copy and leaves the tree as it was', async () => {
    const tree = await checkout(WITH_DEPENDENCY);
    const options = await renderOptions(tree, { app: 'chart', tools: { helm: tools[version] } });
    const { text } = await renderHelm(options);
    expect(text).toContain('kind: Common');
    await expect(readFile(join(tree, 'chart/charts/common-1.2.3.tgz'))).rejects.toThrow('ENOENT');
    await options.workspace.dispose();
  });

  test('builds them in place when it may, and removes a Chart.lock that was not there', async () => {
    const tree = await checkout(WITH_DEPENDENCY);
    const { text } = await renderHelm(
      await renderOptions(tree, { app: 'chart', inPlace: true, tools: { helm: tools[version] } }),
    );
    expect(text).toContain('kind: Common');
    await expect(readFile(join(tree, 'chart/Chart.lock'))).rejects.toThrow('ENOENT');
    expect(await readFile(join(tree, 'chart/charts/common-1.2.3.tgz'))).toBeDefined();
  });

  test('fetches dependencies from a repository that the operator configured, and from no other one of his, with its credentials', async () => {
    const tree = await checkout({
      'common/Chart.yaml': 'apiVersion: v2\nname: common\nversion: 1.2.3\n',
      'common/templates/c.yaml': 'kind: Common\n',
      ...CHART,
    });
    const folder = await mkdtemp(join(tmpdir(), 'chart-repository-'));
    await promisify(execFile)(tools[version], ['package', join(tree, 'common'), '-d', folder]);
    await promisify(execFile)(tools[version], ['repo', 'index', folder]);
    const authorized: string[] = [];
    await using server = createServer((request, response) => {
      authorized.push(`${request.headers.authorization ?? 'none'} ${request.url}`);
      readFile(join(folder, request.url ?? '')).then(
        (body) => response.end(body),
        () => response.writeHead(404).end(),
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const helmRepositories = join(folder, 'repositories.yaml');
    await writeFile(
      helmRepositories,
      `repositories:\n- {name: ours, url: "${url}", username: u, password: p}\n- {name: other, url: "http://127.0.0.1:1"}\n`,
    );
    await writeFile(
      join(tree, 'chart/Chart.yaml'),
      'apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: common, version: 1.x.x, repository: "@ours"}]\n',
    );
    const { text } = await renderHelm(
      await renderOptions(tree, { app: 'chart', policy: { helmRepositories }, tools: { helm: tools[version] } }),
    );
    expect(text).toContain('kind: Common');
    expect(authorized).toEqual(['Basic dTpw /index.yaml', 'Basic dTpw /common-1.2.3.tgz']);
    await rm(folder, { recursive: true });
  });

  test("passes on a chart's own failure, with what is private taken out", async () => {
    const fail = '{{ fail "no tag: https://user:hunter2@example.com/x?token=hunter2" }}';
    const failed = rendered({ ...CHART, 'chart/templates/f.yaml': fail });
    await expect(failed).rejects.toMatchObject({ code: 'RENDER_FAILED', where: 'helm template chart' });
    await expect(failed).rejects.toThrow('no tag: https://example.com/x');
  });

  test.for<{ name: string; files?: Files; changes?: Wish; want: object }>([
    {
      name: 'names a value file that is not there',
      changes: { helm: { valueFiles: ['values-prod.yaml'] } },
      want: { code: 'FILE_MISSING', where: 'parameter helm-value-files' },
    },
    {
      name: 'tells apart a target inside another parameter',
      changes: { helm: { parameters: { image: 'nginx' } }, overrides: { helm: [{ path: 'image.tag', value: '1' }] } },
      want: { code: 'PARAMETER_INVALID', where: 'parameter helm-parameters.image' },
    },
    {
      name: 'refuses a list element that is not there',
      changes: { overrides: { helm: [{ path: 'extra[0].tag', value: '1' }] } },
      want: { code: 'SETTING_INVALID', message: expect.stringContaining('no element 0') as string },
    },
    {
      name: 'refuses an element of a list that the values do not have',
      changes: { overrides: { helm: [{ path: 'sub.images[0].tag', value: '1' }] } },
      want: { code: 'SETTING_INVALID', message: expect.stringContaining('no list sub.images') as string },
    },
    {
      name: 'refuses a NUL byte in a parameter',
      changes: { helm: { parameters: { a: 'x\0y' } } },
      want: { code: 'PARAMETER_INVALID' },
    },
  ])('$name', async ({ files, changes, want }) => {
    await expect(rendered({ ...CHART, ...files }, changes)).rejects.toMatchObject(want);
  });
});
