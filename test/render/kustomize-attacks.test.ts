import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout, type Content, DEPLOYMENT, errorOf, kustomize, renderApplication, run } from './render-checkout.ts';

/** A server beside the plugin that a tenant must not reach; it would answer with a secret. */
let server: Server;
let port = 0;
let hits = 0;

beforeAll(async () => {
  server = createServer((_, response) => {
    hits += 1;
    response.end('secret-of-the-neighbour');
  });
  server.on('connection', () => (hits += 1));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

test('the neighbour is really in reach of an unguarded kustomize', async () => {
  const root = await checkout({
    'app/kustomization.yaml': `configMapGenerator: [{name: c, files: ["x=http://127.0.0.1:${port}/"]}]\n`,
  });
  const { stdout } = await run(kustomize, ['build', join(root, 'app')]);
  expect(stdout).toContain('secret-of-the-neighbour');
});

const spellings: readonly string[] = [
  'http://127.0.0.1:PORT/x',
  'HTTP://127.0.0.1:PORT/x',
  'https://127.0.0.1:PORT/x',
  'https://127.1:PORT/x',
  'https://2130706433:PORT/x',
  'https://0x7f.0.0.1:PORT/x',
  'https://0177.0.0.1:PORT/x',
  'https://[::1]:PORT/x',
  'https://[::ffff:127.0.0.1]:PORT/x',
  'https://localhost:PORT/x',
  'https://LOCALHOST.:PORT/x',
  'https://metadata.google.internal/x',
  'https://redis.argocd.svc/x',
  'https://redis.argocd/x',
  'https://user@localhost:PORT/x',
  'https://github.com@127.0.0.1:PORT/x',
  'https://github.com%00@127.0.0.1:PORT/x',
  'https://github.com\\@127.0.0.1:PORT/x',
  'https://github.com#@127.0.0.1:PORT/x',
  'file:///etc/passwd',
  'git::http://127.0.0.1:PORT/x/y',
  'git::file:///etc',
  'git@127.0.0.1:x/y',
  'git@localhost/x/y',
  'ssh://git@127.0.0.1:PORT/x/y',
  's3::https://s3.amazonaws.com/x',
];

test.for(
  spellings.flatMap((spelling) =>
    ['resources', 'bases', 'components', 'generators'].map((field) => ({ spelling, field })),
  ),
)('$field from $spelling: refused, and nobody is asked', async ({ spelling, field }) => {
  hits = 0;
  const text = JSON.stringify([spelling.replace('PORT', String(port))]);
  const root = await checkout({ 'app/kustomization.yaml': `${field}: ${text}\n` });
  const error = await errorOf(renderApplication(join(root, 'app')));
  expect(error).toMatchObject({ code: 'SOURCE_REFUSED', where: `app/kustomization.yaml ${field}[0]` });
  expect(hits).toBe(0);
});

/** URL stands for one of the neighbour's. */
const hidingPlaces: readonly {
  readonly name: string;
  readonly text: string;
  readonly more?: Record<string, Content>;
}[] = [
  { name: 'a file of a configMapGenerator', text: 'configMapGenerator: [{name: c, files: ["x=URL"]}]' },
  { name: 'a file without a key', text: 'configMapGenerator: [{name: c, files: ["URL"]}]' },
  { name: 'an env file', text: 'secretGenerator: [{name: c, envs: ["URL"]}]' },
  { name: 'the old env field', text: 'secretGenerator: [{name: c, env: "URL"}]' },
  { name: 'a key in other letters', text: 'CONFIGMAPGENERATOR: [{name: c, Files: ["x=URL"]}]' },
  { name: 'a key that Go folds to ASCII', text: 'reſourceſ: ["URL"]' },
  { name: 'a key with the Kelvin sign', text: 'resources: []\npatcheſ: [{path: "URL"}]' },
  { name: 'a merge key', text: '<<: {resources: ["URL"]}' },
  { name: 'a merge of an alias in a list', text: 'openapi: &a {resources: ["URL"]}\n<<: [*a]' },
  { name: 'a key that stands twice', text: 'resources: ["URL"]\nresources: []' },
  { name: 'an alias', text: 'namePrefix: &u "URL"\nresources: [*u]' },
  { name: 'an anchor that is defined again', text: 'namePrefix: &u "URL"\nresources: [*u]\nnameSuffix: &u "x"' },
  { name: 'an escaped string', text: 'resources: ["\\x68ttp://127.0.0.1:PORT/x"]' },
  { name: 'a block scalar', text: 'resources:\n  - >-\n    URL' },
  { name: 'a binary tag', text: 'resources: [!!binary aHR0cDovLzEyNy4wLjAuMTo4MC94]' },
  { name: 'a patch file', text: 'patches: [{path: "URL"}]' },
  { name: 'a JSON patch', text: 'patchesJson6902: [{path: "URL", target: {kind: Pod, name: x, version: v1}}]' },
  { name: 'a strategic merge patch', text: 'patchesStrategicMerge: ["URL"]' },
  { name: 'a replacement', text: 'replacements: [{path: "URL"}]' },
  { name: 'an OpenAPI schema', text: 'openapi: {path: "URL"}' },
  { name: 'a custom resource definition', text: 'crds: ["URL"]' },
  { name: 'a transformer configuration', text: 'configurations: ["URL"]' },
  { name: 'a validator', text: 'validators: ["URL"]' },
  { name: 'a base of a base', text: 'resources: [../base]', more: { 'base/kustomization.yaml': 'resources: ["URL"]' } },
  {
    name: 'a component of a base',
    text: 'resources: [../base]',
    more: { 'base/Kustomization': 'components: ["URL"]' },
  },
  {
    name: 'a second kustomization file',
    text: 'resources: []',
    more: { 'app/kustomization.yml': 'resources: ["URL"]' },
  },
  {
    name: 'a second document',
    text: 'resources: []\n---\nresources: ["URL"]',
  },
  {
    name: 'an inline generator',
    text: 'generators:\n  - |-\n    {apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: c}, files: ["x=URL"]}',
  },
  {
    name: 'a generator’s file',
    text: 'generators: [g.yaml]',
    more: {
      'app/g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: c}\nfiles: ["x=URL"]\n',
    },
  },
  {
    name: 'a list of generators in a file',
    text: 'generators: [g.yaml]',
    more: {
      'app/g.yaml':
        'kind: List\napiVersion: v1\nitems:\n- {apiVersion: builtin, kind: SecretGenerator, metadata: {name: c}, env: "URL"}\n',
    },
  },
  {
    name: 'a transformer’s patch',
    text: 'transformers: [t]',
    more: {
      'app/t/kustomization.yaml': 'resources: [t.yaml]',
      'app/t/t.yaml': 'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: "URL"\n',
    },
  },
  {
    name: 'the targets of a value that is added',
    text: 'transformers: [t.yaml]',
    more: {
      'app/t.yaml':
        'apiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: v}\nvalue: x\ntargetFilePath: "URL"\n',
    },
  },
  {
    name: 'generators that a kustomization changes',
    text: 'generators: [g]',
    more: {
      'app/g/kustomization.yaml':
        'resources: [g.yaml]\npatches: [{patch: "[{op: add, path: /files, value: [\\"x=URL\\"]}]", target: {kind: ConfigMapGenerator}}]',
      'app/g/g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: c}\n',
    },
  },
];

test.for(hidingPlaces)('a URL in $name is found, and nobody is asked', async ({ text, more = {} }) => {
  hits = 0;
  const place = (content: Content): Content =>
    typeof content === 'string'
      ? content.replaceAll('URL', `http://127.0.0.1:${port}/x`).replaceAll('PORT', String(port))
      : content;
  const files = Object.fromEntries(Object.entries(more).map(([path, content]) => [path, place(content)]));
  const root = await checkout({ 'app/kustomization.yaml': place(text), ...files });
  const error = await errorOf(renderApplication(join(root, 'app')));
  expect(['SOURCE_REFUSED', 'MANIFEST_INVALID']).toContain(error.code);
  expect(hits).toBe(0);
});

test.for([
  { name: 'parent directories', text: 'resources: [../../outside.yaml]' },
  { name: 'an absolute path', text: 'resources: [/etc/hostname]' },
  { name: 'a link to a file', text: 'resources: [link.yaml]', more: { 'app/link.yaml': { link: '/etc/hostname' } } },
  { name: 'a link to a directory', text: 'resources: [dir]', more: { 'app/dir': { link: '../../..' } } },
  {
    name: 'a link in a directory',
    text: 'resources: [../base]',
    more: { 'base/kustomization.yaml': { link: '/etc/hostname' } },
  },
  {
    name: 'a link over a link',
    text: 'resources: [a/b]',
    more: { 'app/a': { link: '.' }, 'app/b': { link: '../../../..' } },
  },
  { name: 'a generator’s file', text: 'configMapGenerator: [{name: c, files: ["x=../../../etc/passwd"]}]' },
  { name: 'the application’s own kustomization', text: '', more: { 'app/Kustomization': { link: '/etc/passwd' } } },
])('$name out of the repository: refused', async ({ text, more = {} }) => {
  const root = await checkout({ ...(text === '' ? {} : { 'app/kustomization.yaml': text }), ...more });
  const policy = { kustomizeBuildOptions: ['--load-restrictor', 'LoadRestrictionsNone'] };
  const error = await errorOf(renderApplication(join(root, 'app'), { policy }));
  expect(error.code).toBe('PATH_OUTSIDE_TREE');
  expect(error.message).not.toContain('root:');
});

test('an inline patch is no path, even where its text would be one', async () => {
  const root = await checkout({
    'app/kustomization.yaml': 'patchesStrategicMerge: ["{kind: x, a: /../../../../../../etc/passwd}"]\n',
  });
  expect((await errorOf(renderApplication(join(root, 'app')))).code).toBe('SOURCE_REFUSED');
});

test.for([
  { components: ['http://127.0.0.1:PORT/x'], code: 'SOURCE_REFUSED' },
  { components: ['../../..'], code: 'PATH_OUTSIDE_TREE' },
  { components: ['/etc'], code: 'PATH_OUTSIDE_TREE' },
])('the component $components of a parameter: $code', async ({ components, code }) => {
  hits = 0;
  const root = await checkout({ 'app/kustomization.yaml': 'resources: [d.yaml]\n', 'app/d.yaml': DEPLOYMENT });
  const spec = { components: components.map((one) => one.replace('PORT', String(port))) };
  const error = await errorOf(renderApplication(join(root, 'app'), { kustomize: spec }));
  expect(error).toMatchObject({ code, where: 'parameter kustomize-components[0]' });
  expect(hits).toBe(0);
});

test('a patch of a parameter may not name a URL either', async () => {
  hits = 0;
  const root = await checkout({ 'app/kustomization.yaml': 'resources: [d.yaml]\n', 'app/d.yaml': DEPLOYMENT });
  const patches = `- path: http://127.0.0.1:${port}/x\n`;
  const error = await errorOf(renderApplication(join(root, 'app'), { kustomize: { patches } }));
  expect(error).toMatchObject({ code: 'SOURCE_REFUSED', where: 'app/kustomization.yaml patches[0].path' });
  expect(hits).toBe(0);
});

test('bytes that go into the manifests unread come only from a host the operator names', async () => {
  const root = await checkout({
    'app/kustomization.yaml': 'configMapGenerator: [{name: c, files: ["x=https://files.example.com/x"]}]\n',
  });
  const error = await errorOf(renderApplication(join(root, 'app')));
  expect(error.code).toBe('SOURCE_REFUSED');
  expect(error.fix).toContain('files.example.com');
});

test('charts are inflated only where the operator enabled it, and take no options of helm', async () => {
  const chart = (releaseName: string): Record<string, string> => ({
    'app/kustomization.yaml': `helmCharts: [{name: web, releaseName: "${releaseName}"}]\n`,
    'app/charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
    'app/charts/web/values.yaml': '{}\n',
  });
  const disabled = await errorOf(renderApplication(join(await checkout(chart('web')), 'app')));
  expect(disabled).toMatchObject({ code: 'SOURCE_REFUSED', where: 'app/kustomization.yaml' });
  const policy = { kustomizeBuildOptions: ['--enable-helm'] };
  const injected = await checkout(chart('--post-renderer=./evil'));
  const error = await errorOf(renderApplication(join(injected, 'app'), { policy }));
  expect(error).toMatchObject({ code: 'SOURCE_REFUSED', where: 'app/kustomization.yaml helmCharts[0].releaseName' });
});

test.for([
  { name: 'an http chart repository', text: 'helmCharts: [{name: web, repo: "http://127.0.0.1:PORT"}]' },
  { name: 'a local chart repository', text: 'helmCharts: [{name: web, repo: "/etc"}]' },
  { name: 'values from the neighbour', text: 'helmCharts: [{name: web, valuesFile: "http://127.0.0.1:PORT"}]' },
  { name: 'a chart home that links out', text: 'helmGlobals: {chartHome: charts}\nhelmCharts: [{name: web}]' },
])('$name: refused', async ({ text }) => {
  hits = 0;
  const root = await checkout({
    'app/kustomization.yaml': text.replace('PORT', String(port)),
    'app/charts/web/templates/secret.yaml': { link: '/etc/passwd' },
  });
  const policy = { kustomizeBuildOptions: ['--enable-helm'] };
  const error = await errorOf(renderApplication(join(root, 'app'), { policy }));
  expect(['SOURCE_REFUSED', 'PATH_OUTSIDE_TREE']).toContain(error.code);
  expect(hits).toBe(0);
});

test('a plugin that would run a program is refused', async () => {
  const root = await checkout({
    'app/kustomization.yaml': 'transformers: [t.yaml]\n',
    'app/t.yaml':
      'apiVersion: v1\nkind: X\nmetadata:\n  name: x\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./x}\n',
  });
  expect((await errorOf(renderApplication(join(root, 'app')))).code).toBe('SOURCE_REFUSED');
});

test.for([
  { name: 'nested a thousand deep', text: `resources: ${'['.repeat(1000)}`, code: 'MANIFEST_TOO_DEEP' },
  {
    name: 'with an inline patch nested a thousand deep',
    text: `patchesStrategicMerge: ['{a: ${'['.repeat(1000)}']`,
    code: 'MANIFEST_TOO_DEEP',
  },
  { name: 'no YAML', text: 'resources: [', code: 'MANIFEST_INVALID' },
  { name: 'an alias in its own anchor', text: 'a: &a {<<: *a}\n<<: *a\n', code: 'MANIFEST_INVALID' },
  {
    name: 'aliases of aliases',
    text: `a0: &a0 [x]\n${Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} {<<: [${`*a${at},`.repeat(9)}]}\n`).join('')}<<: *a40\n`,
    code: 'MANIFEST_INVALID',
  },
  { name: 'larger than the limit', text: `# ${'x'.repeat(2 * 1024 * 1024)}\n`, code: 'FILE_TOO_LARGE' },
  { name: 'no UTF-8', text: 'latin1', code: 'FILE_NOT_UTF8' },
])('a kustomization that is $name: $code', async ({ text, code }) => {
  const root = await checkout({ 'app/kustomization.yaml': text });
  if (text === 'latin1') await writeFile(join(root, 'app/kustomization.yaml'), Buffer.from('# caf\xe9\n', 'latin1'));
  expect((await errorOf(renderApplication(join(root, 'app')))).code).toBe(code);
});

test('a base that is reached again and again is looked at once', async () => {
  const files: Record<string, string> = { 'b0/kustomization.yaml': 'resources: [d.yaml]', 'b0/d.yaml': DEPLOYMENT };
  for (let at = 1; at <= 60; at++) {
    files[`b${at}/kustomization.yaml`] = `components: [../b${at - 1}, ../b${at - 1}, ../b${at - 1}]`;
  }
  const root = await checkout(files);
  // kustomize itself takes 3^60 steps, or says what is wrong with it; the scan before it must not.
  const error = await errorOf(renderApplication(join(root, 'b60'), { tools: { kustomize: '/nonexistent/kustomize' } }));
  expect(error.code).toBe('RENDERER_MISSING');
});
