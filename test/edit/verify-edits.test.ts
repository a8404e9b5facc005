import { isScalar, type Scalar, visit } from 'yaml';
import { expect, test } from 'vitest';
import { findImages } from '../../src/edit/find-fields.ts';
import type { FoundDocument } from '../../src/edit/rendering.ts';
import { verifyEdits } from '../../src/edit/verify-edits.ts';
import { pod } from './editing.ts';

function imageIn(text: string): { readonly document: FoundDocument; readonly node: Scalar } {
  const [document] = findImages(text, { rules: [] }).documents;
  let node: Scalar | undefined;
  visit(document?.tree.root ?? null, {
    Pair: (_, pair) => {
      if (isScalar(pair.key) && pair.key.value === 'image' && isScalar(pair.value)) node = pair.value;
    },
  });
  if (!document || !node) throw new Error('no image');
  return { document, node };
}

/** Who reads a Pod. */
const FORMS = {
  'by the yaml package': (image: string): string => podOf(image, '&name web'),
  'line by line': (image: string): string => podOf(image, 'web'),
} as const;

function podOf(image: string, name: string): string {
  return `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${image}\n    name: ${name}\n  volumes:\n`;
}

/** What verification says of an image scalar overwritten with `written`, meant to be `nginx:2`. */
function verdict(image: string, written: string, form = FORMS['line by line']): string | undefined {
  const { document, node } = imageIn(form(image));
  const [start = 0, end = 0] = node.range ?? [];
  return verifyEdits(document, [{ node, value: 'nginx:2', replacement: { start, end, text: written } }]);
}

test('the two forms are read by two readers', () => {
  expect(imageIn(FORMS['by the yaml package']('nginx:1')).document.tree.isBlockLines).toBe(false);
  expect(imageIn(FORMS['line by line']('nginx:1')).document.tree.isBlockLines).toBe(true);
});

test.for(Object.entries(FORMS))('the new value alone is accepted when read %s', ([, form]) => {
  expect(verdict('nginx:1', 'nginx:2', form)).toBeUndefined();
  expect(verdict('nginx:1', '"nginx:2"', form)).toBeUndefined();
  expect(verdict("'nginx:1'", 'nginx:2', form)).toBeUndefined();
  expect(verdict('"nginx:1" # c', '"nginx:2"', form)).toBeUndefined();
});

test('a change that reaches into the next line is refused', () => {
  const { document, node } = imageIn(FORMS['line by line']('nginx:1'));
  const [start = 0, end = 0] = node.range ?? [];
  const rest = '\n    name: web';
  for (const text of ['nginx:2', 'nginx:2\n    name: other', 'nginx:2 ']) {
    const replacement = { start, end: end + rest.length, text };
    expect(verifyEdits(document, [{ node, value: 'nginx:2', replacement }])).toBeDefined();
  }
});

test('a key that gets a value where something stands below it is refused', () => {
  const { document, node } = imageIn(FORMS['line by line']('nginx:1'));
  const at = document.skeleton.text.indexOf('containers:') + 'containers:'.length;
  const replacement = { start: at, end: at, text: ' nginx:2' };
  expect(verifyEdits(document, [{ node, value: 'nginx:2', replacement }])).toBeDefined();
});

test.for([
  { name: 'another value', written: 'nginx:3' },
  { name: 'a line more', written: 'nginx:2\n    name: other' },
  { name: 'a line that is passed over when searching', written: 'nginx:2\n    privileged: true' },
  { name: 'a comment', written: 'nginx:2 # c' },
  { name: 'an anchor', written: '&a nginx:2' },
  { name: 'a tag', written: '!!str nginx:2' },
  { name: 'a collection', written: '[nginx:2]' },
  { name: 'a document more', written: 'nginx:2\n---\nimage: x' },
  { name: 'a value that is no YAML', written: '"nginx:2' },
  { name: 'nothing', written: '' },
])('$name besides it is refused', ({ written }) => {
  for (const form of Object.values(FORMS)) expect(verdict('nginx:1', written, form)).toBeDefined();
});

test('a change that swallows a comment is refused', () => {
  const { document, node } = imageIn(pod('nginx:1 # c'));
  const [start = 0] = node.range ?? [];
  const replacement = { start, end: start + 'nginx:1 # c'.length, text: 'nginx:2' };
  expect(verifyEdits(document, [{ node, value: 'nginx:2', replacement }])).toBeDefined();
});
