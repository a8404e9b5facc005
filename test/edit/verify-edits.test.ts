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

/** What verification says of an image scalar overwritten with `written`, meant to be `nginx:2`. */
function verdict(image: string, written: string): string | undefined {
  const { document, node } = imageIn(pod(image));
  const [start = 0, end = 0] = node.range ?? [];
  return verifyEdits(document, [{ node, value: 'nginx:2', replacement: { start, end, text: written } }]);
}

test('the new value alone is accepted', () => {
  expect(verdict('nginx:1', 'nginx:2')).toBeUndefined();
  expect(verdict('"nginx:1" # c', '"nginx:2"')).toBeUndefined();
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
  expect(verdict('nginx:1', written)).toBeDefined();
});

test('a change that swallows a comment is refused', () => {
  const { document, node } = imageIn(pod('nginx:1 # c'));
  const [start = 0] = node.range ?? [];
  const replacement = { start, end: start + 'nginx:1 # c'.length, text: 'nginx:2' };
  expect(verifyEdits(document, [{ node, value: 'nginx:2', replacement }])).toBeDefined();
});
