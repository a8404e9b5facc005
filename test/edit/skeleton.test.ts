import fc from 'fast-check';
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

test.for([
  { name: 'the first member', text: '{"env": 1, "image": "a"}', want: '{"image": "a"}' },
  {
    name: 'a member in the middle',
    text: '{"image": "a", "env": [1, {"image": 2}], "name": 3}',
    want: '{"image": "a", "name": 3}',
  },
  { name: 'the last members', text: '{"image": "a" , "env": null, "x": {}}', want: '{"image": "a"}' },
  { name: 'every member', text: '---\n{"env": -1.5e+3, "x": {"spec": {}}}\n', want: '---\n{}\n' },
  {
    name: 'members of objects in lists',
    text: '{"spec": [{"a": "\\\\", "image": "a"}, {"name": "\\"}", "b": true}, []]}',
    want: '{"spec": [{"image": "a"}, {"name": "\\"}"}, []]}',
  },
  {
    name: 'none with an escape in its key',
    text: String.raw`{"\u0069mage": "a", "env": 1}`,
    want: String.raw`{"\u0069mage": "a"}`,
  },
])('drops of JSON $name', ({ text, want }) => {
  expect(kept(text)).toBe(want);
  JSON.parse(kept(text).replace('---', ''));
});

test.for([
  { name: 'a comment', text: '{"env": 1, # b\n"image": "a"}' },
  { name: 'a plain word', text: '{"env": a, "image": "a"}' },
  { name: 'an anchor', text: '{"env": &a 1, "image": "a"}' },
  { name: 'a comma at the end', text: '{"env": 1, "image": "a",}' },
  { name: 'a second document', text: '{"env": 1}{"image": "a"}' },
  { name: 'no end', text: '{"env": 1, "image": "a"' },
  { name: 'a string without end', text: '{"env": 1, "image": "a}' },
  { name: 'a pair in a list', text: '{"env": ["a": 1], "image": "a"}' },
  { name: 'more pieces to keep than are worth it', text: `{${'"env":1,"image":1,'.repeat(100_002)}"name":1}` },
  { name: 'more than 100 levels', text: `{"env": ${'['.repeat(100)}${']'.repeat(100)}}` },
])('keeps a document like JSON with $name', ({ text }) => {
  expect(kept(text)).toBe(text);
});

test('any JSON keeps the members that matter, each where it stood', () => {
  const relevant = new Set(['spec', 'image', 'name']);
  const without = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(without);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key]) => relevant.has(key));
    return Object.fromEntries(entries.map(([key, inner]) => [key, without(inner)]));
  };
  const { tree } = fc.letrec<{ tree: unknown; object: object }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree')),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom('spec', 'image', 'name', 'env', '{', ','), tie('tree')),
  }));
  const spaces = fc.constantFrom(undefined, 1, '\t');
  fc.assert(
    fc.property(fc.record({ spec: tree, env: tree, name: tree }, { requiredKeys: [] }), spaces, (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      const skeleton = skeletonOf(text, (key) => relevant.has(key));
      expect(JSON.parse(skeleton.text)).toEqual(without(JSON.parse(text)));
      for (let at = 0; at < skeleton.text.length; at += 1) {
        expect(text[skeleton.toDocument(at)]).toBe(skeleton.text[at]);
      }
    }),
  );
});
