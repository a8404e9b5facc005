import { expect, test } from 'vitest';
import { skeletonOf } from '../../src/edit/skeleton.ts';

const kept = (text: string): string => skeletonOf(text, (key) => ['spec', 'image', 'name'].includes(key)).text;

test.for([
  {
    name: 'entries whose key does not matter',
    text: 'spec:\n  env: x\n  image: a\n  x:\n    image: b\n',
    want: 'spec:\n  image: a\n',
  },
  {
    name: 'lists level with such a key',
    text: 'spec:\n  env:\n  - name: a\n  - b\n  image: a\n',
    want: 'spec:\n  image: a\n',
  },
  {
    name: 'all but the dash of an item that begins with such a key',
    text: 'spec:\n- env:\n  - name: a\n  image: a\n',
    want: 'spec:\n-\n  image: a\n',
  },
  { name: 'block scalars under such a key', text: 'env: |\n  image: a\n\n # c\n  [{"\nimage: b\n', want: 'image: b\n' },
  {
    name: 'comments and blank lines between entries',
    text: '# c\n\nspec:\n  # image: a\n  image: b\n',
    want: 'spec:\n  image: b\n',
  },
])('drops $name', ({ text, want }) => {
  expect(kept(text)).toBe(want);
  expect(kept(text.replaceAll('\n', '\r\n')).replaceAll('\r\n', '\n')).toBe(want);
});

test.for([
  { name: 'values on several lines', text: 'image: >-\n  env: a\n\n  # b\nname: "a\n  env: b"\n' },
  { name: 'a document with another line outside of a value', text: 'env: x\n? image\n: a\n' },
  { name: 'a flow map', text: '{env: x, image: a}\n' },
  { name: 'a document on the line of its marker', text: '--- !!map\nenv: x\nimage: a\n' },
  { name: 'an anchor that an alias could name', text: 'env: &a x\nimage: *a\n' },
  { name: 'a carriage return that ends no line', text: 'env: x\rimage: a\n' },
  { name: 'a tab for indentation', text: 'env: x\n\timage: a\nb: \n\tx\n\n\t\n' },
])('keeps $name', ({ text }) => {
  expect(kept(text)).toBe(text);
});

test('tells where in the document each kept character stands', () => {
  const text = 'env: x\nspec:\n  env: y\n  image: a\n  - env: z\n    name: b\n';
  const skeleton = skeletonOf(text, (key) => key !== 'env');
  for (const word of ['spec', 'image', 'name', 'b\n']) {
    expect(skeleton.toDocument(skeleton.text.indexOf(word))).toBe(text.indexOf(word));
  }
});
