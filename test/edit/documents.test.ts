import { describe, expect, test } from 'vitest';
import { splitDocuments } from '../../src/edit/documents.ts';
import { findImages } from '../../src/edit/find-fields.ts';
import { codeOf, errorOf, fieldsOf, pod, retagged } from './editing.ts';

describe('splits', () => {
  test.for([
    { name: 'nothing from an empty text', text: '', want: [] },
    { name: 'one document without a marker', text: 'a: 1\n', want: ['a: 1\n'] },
    { name: 'a document with its marker', text: '---\na: 1\n', want: ['---\na: 1\n'] },
    {
      name: 'at each marker',
      text: 'a: 1\n---\nb: 1\n--- # c\nc: 1',
      want: ['a: 1\n', '---\nb: 1\n', '--- # c\nc: 1'],
    },
    { name: 'at a marker with content', text: 'a: 1\n--- {b: 1}\n', want: ['a: 1\n', '--- {b: 1}\n'] },
    { name: 'empty documents', text: '---\n---\n---', want: ['---\n', '---\n', '---'] },
    {
      name: 'comments before the marker with its document',
      text: '# Source: a\n\n---\na: 1\n',
      want: ['# Source: a\n\n---\na: 1\n'],
    },
    {
      name: 'directives with their document',
      text: 'a: 1\n...\n%YAML 1.2\n---\nb: 1\n',
      want: ['a: 1\n...\n', '%YAML 1.2\n---\nb: 1\n'],
    },
    { name: 'after an end marker', text: 'a: 1\n...\nb: 1\n', want: ['a: 1\n...\n', 'b: 1\n'] },
    { name: 'with Windows line ends', text: 'a: 1\r\n---\r\nb: 1\r\n', want: ['a: 1\r\n', '---\r\nb: 1\r\n'] },
    { name: 'without byte order marks', text: '\uFEFFa: 1\n---\nb: 1\n', want: ['a: 1\n', '---\nb: 1\n'] },
    { name: 'a mark before the first marker', text: '\uFEFF---\na: 1\n', want: ['---\na: 1\n'] },
    {
      name: 'not at dashes that go on',
      text: 'a: |\n  x\n---b\n----\n --- \n...c\n',
      want: ['a: |\n  x\n---b\n----\n --- \n...c\n'],
    },
    { name: 'within a block scalar', text: 'a: |\n  x\n---\nb: 1\n', want: ['a: |\n  x\n', '---\nb: 1\n'] },
    { name: 'not at an indented marker in a block scalar', text: 'a: |\n  ---\n  x\n', want: ['a: |\n  ---\n  x\n'] },
  ])('$name', ({ text, want }) => {
    expect(splitDocuments(text).map(({ start, end }) => text.slice(start, end))).toEqual(want);
  });
});

test('a rendering may have 10,000 documents and not one more', () => {
  expect(splitDocuments('---\na: 1\n'.repeat(10_000))).toHaveLength(10_000);
  expect(codeOf(() => splitDocuments('---\na: 1\n'.repeat(10_001)))).toBe('RENDER_TOO_LARGE');
  expect(codeOf(() => splitDocuments('...\n'.repeat(100_000)))).toBe('RENDER_TOO_LARGE');
});

test('a rendering of more than 50 MiB is refused by its bytes, not its characters', () => {
  expect(splitDocuments('x'.repeat(50 * 1024 * 1024))).toHaveLength(1);
  expect(codeOf(() => splitDocuments('x'.repeat(50 * 1024 * 1024 + 1)))).toBe('RENDER_TOO_LARGE');
  expect(codeOf(() => splitDocuments('€'.repeat(20 * 1024 * 1024)))).toBe('RENDER_TOO_LARGE');
});

test('each document is edited for itself, those without images are not even read', () => {
  const text = [
    '# Source: chart/broken.yaml\na: [',
    pod('nginx:1'),
    'kind: ConfigMap\ndata:\n  a: "no picture here',
    `\uFEFF${pod('"nginx:1"')}`,
    pod('nginx:1').replaceAll('\n', '\r\n'),
    '{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"nginx:1"}]}}\n',
  ].join('\n---\n');
  expect(fieldsOf(text)).toHaveLength(4);
  expect(retagged(text, '2')).toBe(text.replaceAll('nginx:1', 'nginx:2'));
});

test('a ConfigMap that talks of images is not parsed beyond what could matter', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: image\ndata:\n  image: [ { " \n  b: "\n';
  expect(fieldsOf(text)).toEqual([]);
});

test.for([
  { name: 'broken YAML', text: `${pod('nginx:1')}---\n${pod('[ nginx')}`, line: 19 },
  { name: 'a quote that is not closed', text: pod('"nginx:1'), line: 9 },
  {
    name: 'an error below what was passed over',
    text: pod('nginx:1\n    env:\n    - name: A\n    image: ]'),
    line: 11,
  },
])('$name in a document with images is an error with its line', ({ text, line }) => {
  const error = errorOf(() => findImages(text, { rules: [], fileName: 'out.yaml' }));
  expect(error?.code).toBe('MANIFEST_INVALID');
  expect(error?.where).toMatch(new RegExp(`^out\\.yaml:${String(line)}:\\d+$`));
});

test.for([
  { name: 'a word behind a value', image: '"nginx:1" s3cret' },
  { name: 'a block scalar header', image: '|s3cret' },
  { name: 'a tag', image: '!s3cret! nginx' },
  { name: 'something after a bracket too many', image: 'a\n]s3cret: x' },
])('an error about $name does not quote it', ({ image }) => {
  const error = errorOf(() => fieldsOf(pod(image)));
  expect(error?.code).toBe('MANIFEST_INVALID');
  expect(JSON.stringify(error?.toData())).not.toContain('s3cret');
});

test('an error about a directive does not quote it', () => {
  const error = errorOf(() => fieldsOf(`%s3cret\n${pod('nginx')}`));
  expect(JSON.stringify(error?.toData())).not.toContain('s3cret');
});

test('entries of a document that begins on the line of its marker are not passed over', () => {
  const text =
    '--- {apiVersion: v1, kind: Pod,\nlabels: {}, spec: {containers: [{name: a, image: "nginx:1"}]},\nx: y}\n';
  expect(retagged(text, '2')).toBe(text.replace('nginx:1', 'nginx:2'));
});

test('lines of a value that look like entries are not passed over', () => {
  const text = pod('nginx:1').replace('name: app', 'name: |-\n      env: x\n      args: y');
  expect(findImages(text, { rules: [] }).findings.fields[0]?.container).toBe('env: x\nargs: y');
});

test('a document that nests too deep is an error with its line', () => {
  const error = errorOf(() => fieldsOf(`a: 1\n---\n${pod('['.repeat(200))}`));
  expect(error?.code).toBe('MANIFEST_TOO_DEEP');
  expect(error?.where).toContain(':10:');
});
