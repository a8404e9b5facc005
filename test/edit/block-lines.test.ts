import { expect, test } from 'vitest';
import { readBlockLines } from '../../src/edit/block-lines.ts';
import { pod } from './editing.ts';

test.for([
  {
    name: 'lists level with their key',
    text: 'spec:\n  containers:\n  - image: a:1\n    name: b\n  volumes:\n  - name: c\n',
  },
  { name: 'lists below their key', text: 'spec:\n  containers:\n    - image: a:1\n      name: b\n  volumes:\n' },
  {
    name: 'items begun by a bare dash',
    text: '---\nspec:\n  containers:\n  -\n    image: "a:1"\r\n  -\n    image: \'b\'',
  },
])('reads $name', ({ text }) => {
  expect(readBlockLines(text)).toBeDefined();
});

test.for([
  { name: 'a comment', text: 'a: b # c\n' },
  { name: 'an anchor', text: 'a: &b c\n' },
  { name: 'a flow collection', text: pod('nginx:1') },
  { name: 'a block scalar', text: 'a: |\n  b\n' },
  { name: 'a value on two lines', text: 'a: b\n  c: d\n' },
  { name: 'a blank line', text: 'a: b\n\nc: d\n' },
  { name: 'keys in two columns', text: 'a:\n    b: c\n  d: e\n' },
  { name: 'an item beside keys', text: 'a: b\n- c: d\n' },
  { name: 'a key beside items', text: '- c: d\na: b\n' },
  { name: 'two trees', text: '  a: b\nc: d\n' },
  { name: 'an escape', text: String.raw`a: "\x41"` },
  {
    name: 'a hundred and one levels',
    text: Array.from({ length: 101 }, (_, level) => `${' '.repeat(level)}a:\n`).join(''),
  },
])('leaves $name to the yaml package', ({ text }) => {
  expect(readBlockLines(text)).toBeUndefined();
});
