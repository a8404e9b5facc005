import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderDirectory } from '../../src/render/directory/render-directory.ts';
import { checkout, type Files, renderOptions, type Wish } from './render-checkout.ts';

const object = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const json = (name: string): string => `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${name}"}}\n`;

async function rendered(files: Files, changes: Wish = {}): Promise<string> {
  const tree = await checkout(files);
  return (await renderDirectory(await renderOptions(tree, changes))).text;
}

test.for<{ name: string; files: Files; directory?: Wish['directory']; app?: string; want: string }>([
  {
    name: 'keeps one file as it is, to the missing line feed at its end',
    files: { 'a.yaml': '# why\r\nkind: A # note\r\nb:   "x"' },
    want: '# why\r\nkind: A # note\r\nb:   "x"',
  },
  {
    name: 'puts --- between files, and a line feed where a file ends without one',
    files: { 'b.yml': object('b').trimEnd(), 'a.json': json('a'), 'c.yaml': object('c') },
    want: `${json('a')}---\n${object('b')}---\n${object('c')}`,
  },
  {
    name: 'adds no second separator before a file that begins with one',
    files: { 'a.yaml': object('a'), 'b.yaml': `--- # b\n${object('b')}` },
    want: `${object('a')}--- # b\n${object('b')}`,
  },
  {
    name: 'reads sub-directories only with recurse',
    files: { 'a.yaml': object('a'), 'sub/b.yaml': object('b') },
    want: object('a'),
  },
  {
    name: 'goes through directories in the order of Go: names by their bytes, a directory at its own place',
    files: {
      'b.yaml': object('4'),
      'a/z.yaml': object('1'),
      'a.yaml': object('3'),
      'a/z/y.yaml': object('0'),
      'a-b.yaml': object('2'),
      'B.yaml': object('-1'),
      '😀.yaml': object('9'),
      '\ufffd.yaml': object('8'),
    },
    directory: { recurse: true },
    want: ['-1', '0', '1', '2', '3', '4', '8', '9'].map(object).join('---\n'),
  },
  {
    name: 'reads only .yaml, .yml, .json and .jsonnet, in lower case',
    files: { 'a.yaml': object('a'), 'b.YAML': object('b'), 'c.yaml.tpl': object('c'), README: object('d') },
    want: object('a'),
  },
  {
    name: 'leaves out what carries the skip marker, whatever its encoding',
    files: { 'a.yaml': object('a'), 'b.yaml': Buffer.from('# +argocd:skip-file-rendering\nx: \xff\n', 'latin1') },
    want: object('a'),
  },
  {
    name: 'leaves out image policies',
    files: {
      'a.yaml': object('a'),
      '.image-resolver.yaml': 'apiVersion: image-resolver.io/v1alpha1\nkind: ImagePolicies\nmetadata: {}\n',
    },
    want: object('a'),
  },
  {
    name: 'leaves out YAML that is no Kubernetes object and does not look like one',
    files: {
      'a.yaml': object('a'),
      'values.yaml': 'image:\n  tag: 1\n',
      'list.yaml': '- kind\n- of\n',
      'broken.yaml': 'kind: {',
      'empty.yaml': '',
      'comments.yaml': '# kind\n---\n# nothing\n',
      '.argocd-source.yaml': 'plugin:\n  name: kind\n',
    },
    want: object('a'),
  },
  {
    name: 'leaves out a whole file when its first document is none and it does not look like manifests',
    files: { 'a.yaml': 'a: 1\n---\nkind: A\nmetadata: {}\n' },
    want: '',
  },
  {
    name: 'keeps a List and an object of any kind',
    files: {
      'a.yaml': 'kind: List\nitems: []\n',
      'b.json': '{"kind": "List", "apiVersion": "v1", "items": [{"kind": "A"}]}',
    },
    want: 'kind: List\nitems: []\n---\n{"kind": "List", "apiVersion": "v1", "items": [{"kind": "A"}]}',
  },
  {
    name: 'takes equal keys, merged keys and aliases as Argo CD does',
    files: { 'a.yaml': 'x: &k {kind: A}\n<<: *k\n---\nkind: A\nkind: B\n---\nx: &y C\nkind: *y\n' },
    want: 'x: &k {kind: A}\n<<: *k\n---\nkind: A\nkind: B\n---\nx: &y C\nkind: *y\n',
  },
  {
    name: 'writes what is legal in JSON and not in YAML so that it is legal in both, and nothing else of JSON anew',
    files: {
      'a.json':
        String.raw`{"kind": "A",  "a": "\/ \\/ \ud83d\ude00 \ud83d \u00e9 \n", "b": 1e400, "c": "` + '\u2028\x7f"}',
    },
    want: String.raw`{"kind": "A",  "a": "/ \\/ 😀 \u{fffd} \u00e9 \n", "b": 1e400, "c": "\u2028\u007f"}`.replace(
      String.raw`\u{fffd}`,
      '\ufffd',
    ),
  },
  {
    name: 'leaves out a file with an alias of nothing when it does not look like manifests',
    files: { 'a.yaml': 'kind: A\nx: *y\n', 'b.yaml': object('b') },
    want: object('b'),
  },
  {
    name: 'reads a kind whose key is spelt with escapes',
    files: {
      'a.yaml': object('a'),
      'x.yaml': String.raw`"\x6bind": Pod`,
      'y.yaml': String.raw`"k\u0069nd": Pod`,
      'z.yaml': '? "ki\\\n  nd"\n: Pod\n',
    },
    want: [object('a'), '"\\x6bind": Pod\n', '"k\\u0069nd": Pod\n', '? "ki\\\n  nd"\n: Pod\n'].join('---\n'),
  },
  {
    name: 'takes a boolean of YAML 1.1 for no kind',
    files: { 'a.yaml': 'kind: yes\n', 'b.yaml': 'kind: N\n' },
    want: '',
  },
  { name: 'removes the byte order mark of UTF-8', files: { 'a.yaml': `\ufeff${object('a')}` }, want: object('a') },
  { name: 'is empty for a directory without manifests', files: { README: 'x' }, want: '' },
  {
    name: 'reads a link to a file in the tree under its own name',
    files: { 'app/a.yaml': { link: '../shared/x.txt' }, 'shared/x.txt': object('a') },
    app: 'app',
    want: object('a'),
  },
  {
    name: 'reads no directory through a link',
    files: { 'app/a.yaml': object('a'), 'app/sub': { link: '../shared' }, 'shared/b.yaml': object('b') },
    app: 'app',
    directory: { recurse: true },
    want: object('a'),
  },
  {
    name: 'lets * of include cross directories and braces stand for several',
    files: { 'a.yaml': object('a'), 'x/prod/b.yml': object('b'), 'x/dev/c.yml': object('c') },
    directory: { recurse: true, include: '{*prod*,a.yaml}' },
    want: `${object('a')}---\n${object('b')}`,
  },
  {
    name: 'lets exclude win over include',
    files: { 'a.yaml': object('a'), 'b.yaml': object('b') },
    directory: { include: '*.yaml', exclude: '[!a].yaml' },
    want: object('a'),
  },
])('$name', async ({ files, directory = {}, app = '.', want }) => {
  expect(await rendered(files, { directory, app })).toBe(want);
});

test.for<{ name: string; files: Files; directory?: Wish['directory']; app?: string; want: object }>([
  {
    name: 'refuses broken YAML in a file that looks like manifests, with line and column',
    files: { 'x/a.yaml': `${object('a')}---\n${object('b')}  x: [\n` },
    app: 'x',
    want: { code: 'MANIFEST_INVALID', where: expect.stringMatching(/^x\/a\.yaml:(10|11):\d+$/) as string },
  },
  {
    name: 'refuses a document without kind after one with it',
    files: { 'a.yaml': `kind: A\n---\nb: 1\n` },
    want: { code: 'MANIFEST_INVALID', where: 'a.yaml:3:1', message: 'the object has no kind' },
  },
  {
    name: 'refuses text behind a separator, as Kubernetes does',
    files: { 'a.yaml': `${object('a')}--- {kind: B}\n` },
    want: { code: 'MANIFEST_INVALID', where: expect.stringMatching(/^a\.yaml:5:/) as string },
  },
  {
    name: 'refuses JSON objects that follow each other in a YAML file, which Argo CD takes, instead of leaving them out',
    files: { 'a.yaml': '{"kind": "A"}\n{"kind": "B"}\n' },
    want: { code: 'MANIFEST_INVALID', where: 'a.yaml:2:1' },
  },
  {
    name: 'refuses a document that is no object in a large file that is not parsed as a whole',
    files: { 'a.yaml': `${object('a')}${'# filler\n'.repeat(10_000)}---\n- x\n` },
    want: { code: 'MANIFEST_INVALID', where: 'a.yaml:10006:1' },
  },
  {
    name: 'refuses a JSON array',
    files: { 'a.json': `[${json('a')}]` },
    want: { code: 'MANIFEST_INVALID', message: 'the file is no JSON object' },
  },
  {
    name: 'refuses two objects in a JSON file',
    files: { 'a.json': json('a') + json('b') },
    want: { code: 'MANIFEST_INVALID', where: 'a.json:2:1' },
  },
  {
    name: 'refuses a JSON object without kind, which Argo CD refuses later',
    files: { 'package.json': '{"name": "x"}' },
    want: { code: 'MANIFEST_INVALID', message: 'the object has no kind' },
  },
  {
    name: 'refuses UTF-16',
    files: { 'a.yaml': Buffer.from(`\ufeff${object('a')}`, 'utf16le') },
    want: { code: 'FILE_NOT_UTF8', where: 'a.yaml' },
  },
  {
    name: 'refuses Latin-1',
    files: { 'a.yaml': Buffer.from(`${object('a')}# caf\xe9\n`, 'latin1') },
    want: { code: 'FILE_NOT_UTF8' },
  },
  {
    name: 'refuses a file as large as all may be together',
    files: { 'a.yaml': Buffer.alloc(10_000_001, '#') },
    want: { code: 'FILE_TOO_LARGE', where: 'a.yaml' },
  },
  {
    name: 'refuses files that are too large together',
    files: { 'a.yaml': Buffer.alloc(5_000_000, '#'), 'b.yaml': Buffer.alloc(5_000_001, '#') },
    want: { code: 'FILE_TOO_LARGE', where: 'b.yaml' },
  },
  {
    name: 'refuses deep nesting',
    files: { 'a.yaml': `kind: A\nx: ${'['.repeat(5000)}` },
    want: { code: 'MANIFEST_TOO_DEEP', where: 'a.yaml' },
  },
  {
    name: 'refuses a link out of the tree even where exclude names it, as Argo CD does',
    files: { 'app/a.yaml': { link: '../../outside.yaml' } },
    app: 'app',
    directory: { exclude: '*' },
    want: { code: 'PATH_OUTSIDE_TREE', where: 'app/a.yaml' },
  },
  {
    name: 'refuses an absolute link',
    files: { 'a.yaml': { link: '/etc/hostname' } },
    want: { code: 'PATH_OUTSIDE_TREE' },
  },
  {
    name: 'refuses a pattern that cannot be read, which Argo CD takes for one that matches nothing',
    files: {},
    directory: { exclude: '[a' },
    want: { code: 'FILTER_INVALID', where: 'parameter directory-exclude' },
  },
])('$name', async ({ files, directory = {}, app = '.', want }) => {
  await expect(rendered(files, { directory, app })).rejects.toMatchObject(want);
});

test('says which links lead nowhere and leaves them out', async () => {
  const tree = await checkout({
    'a.yaml': object('a'),
    'b.yaml': { link: 'gone.yaml' },
    'c.yaml': { link: '.' },
  });
  const { text, notices } = await renderDirectory(await renderOptions(tree));
  expect(text).toBe(object('a'));
  expect(notices).toEqual([
    { code: 'RENDER_WARNING', where: 'b.yaml', what: 'the symbolic link leads nowhere; left out' },
    { code: 'RENDER_WARNING', where: 'c.yaml', what: 'the symbolic link leads to no regular file; left out' },
  ]);
});

/** Prints its arguments as an object, or what a file beside it holds. */
const FAKE_JSONNET = `#!/bin/sh
if [ -f "$PWD/output" ]; then cat "$PWD/output"; else
printf '{"kind": "Arguments", "list": "'; for argument in "$@"; do printf '%s|' "$argument"; done; printf '"}\\n'; fi
if [ -f "$PWD/fails" ]; then echo "RUNTIME ERROR: in $PWD/a.jsonnet" >&2; exit 1; fi
`;

async function renderedWithJsonnet(files: Files, changes: Wish = {}): Promise<string> {
  const tree = await checkout(files);
  const jsonnet = join(tree, '..', 'jsonnet');
  await writeFile(jsonnet, FAKE_JSONNET);
  await chmod(jsonnet, 0o755);
  const { text } = await renderDirectory(await renderOptions(tree, { ...changes, tools: { jsonnet } }));
  return text.replaceAll(tree, '/tree');
}

const VARIABLES = {
  extVars: { env: 'prod', n: 'code:1 + 1' },
  tlas: { who: '-x', f: 'code:[]' },
  libs: ['lib', '/vendor'],
};

test('gives jsonnet the application, the libraries of the tree and each variable as text or code', async () => {
  const files: Files = { 'app/a.jsonnet': '{}', 'lib/x': '', 'vendor/x': '' };
  expect(await renderedWithJsonnet(files, { app: 'app', directory: { jsonnet: VARIABLES } })).toBe(
    '{"kind": "Arguments", "list": "-J|/tree/app|-J|/tree/lib|-J|/tree/vendor|--ext-str|env=prod|--ext-code|n=1 + 1|' +
      '--tla-str|who=-x|--tla-code|f=[]|/tree/app/a.jsonnet|"}\n',
  );
});

test('prints each object of an array that jsonnet makes, without its nulls', async () => {
  const text = await renderedWithJsonnet({
    'a.jsonnet': '',
    output: '[{"kind": "A"}, null, {"kind": "B"}]',
    'b.yaml': object('b'),
  });
  expect(text).toBe(`{\n  "kind": "A"\n}\n---\n{\n  "kind": "B"\n}\n---\n${object('b')}`);
});

test.for<{ name: string; files: Files; directory?: Wish['directory']; want: object }>([
  {
    name: 'tells where jsonnet failed, without paths of the machine',
    files: { 'a.jsonnet': '', fails: '' },
    want: { code: 'RENDER_FAILED', where: 'a.jsonnet', message: 'RUNTIME ERROR: in ./a.jsonnet' },
  },
  {
    name: 'refuses what jsonnet makes when it is no object with a kind',
    files: { 'a.jsonnet': '', output: '{"a": 1}' },
    want: { code: 'RENDER_FAILED', where: 'a.jsonnet' },
  },
  {
    name: 'refuses a variable name that would set another variable',
    files: { 'a.jsonnet': '' },
    directory: { jsonnet: { extVars: { 'a=b': 'c' }, tlas: {}, libs: [] } },
    want: { code: 'PARAMETER_INVALID', where: 'parameter directory-jsonnet-ext-vars' },
  },
  {
    name: 'refuses a library directory out of the tree',
    files: { 'a.jsonnet': '' },
    directory: { jsonnet: { extVars: {}, tlas: {}, libs: ['../..'] } },
    want: { code: 'PATH_OUTSIDE_TREE', where: 'parameter directory-jsonnet-libs' },
  },
  {
    name: 'refuses an import of an absolute path',
    files: { 'a.jsonnet': 'local x = importstr "/etc/passwd"; {}' },
    want: { code: 'PATH_OUTSIDE_TREE', where: 'a.jsonnet' },
  },
  {
    name: 'refuses an import out of the tree behind comments, in a file that is imported',
    files: {
      'a.jsonnet': "import 'lib/b.libsonnet'",
      'lib/b.libsonnet': "{a: importbin/* x */ # y\n // z\n @'../../../secret'}",
    },
    want: { code: 'PATH_OUTSIDE_TREE', where: 'lib/b.libsonnet' },
  },
  {
    name: 'refuses an import through a link out of the tree',
    files: { 'a.jsonnet': "importstr 'b'", b: { link: '/etc/hostname' } },
    want: { code: 'PATH_OUTSIDE_TREE', where: 'a.jsonnet' },
  },
  {
    name: 'refuses an import whose path has escapes',
    files: { 'a.jsonnet': String.raw`importstr "\u002fetc/passwd"` },
    want: { code: 'PATH_OUTSIDE_TREE', where: 'a.jsonnet' },
  },
  {
    name: 'refuses an import in a variable that is code',
    files: { 'a.jsonnet': '' },
    directory: { jsonnet: { extVars: { x: 'code:importstr "/etc/passwd"' }, tlas: {}, libs: [] } },
    want: { code: 'PATH_OUTSIDE_TREE' },
  },
])('$name', async ({ files, directory = {}, want }) => {
  await expect(renderedWithJsonnet(files, { directory })).rejects.toMatchObject(want);
});

test('imports from the file beside, a library and the application, in a loop too', async () => {
  const files: Files = {
    'app/a.jsonnet': "(import 'sub/b.libsonnet') + import 'c.libsonnet' + import 'missing.libsonnet' // important 'x'",
    'app/sub/b.libsonnet': "import '../a.jsonnet' + import 'c.libsonnet'",
    'lib/c.libsonnet': '{}',
  };
  const directory = { jsonnet: { extVars: {}, tlas: {}, libs: ['lib'] } };
  expect(await renderedWithJsonnet(files, { app: 'app', directory })).toContain('"kind": "Arguments"');
});

test('names the file when there is no jsonnet', async () => {
  await expect(rendered({ 'a.jsonnet': '{}' }, { tools: { jsonnet: '/nowhere/jsonnet' } })).rejects.toMatchObject({
    code: 'RENDERER_MISSING',
    where: 'a.jsonnet',
  });
});

test('shows no content of a broken file', async () => {
  const broken = rendered({ 'a.yaml': `${object('a')}data: "x" hunter2secret\n` });
  await expect(broken).rejects.toThrow(/^the YAML cannot be read: (?!.*hunter2secret)/);
});
