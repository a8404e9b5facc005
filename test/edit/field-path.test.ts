import { expect, test } from 'vitest';
import { formatPath, parseFieldPath } from '../../src/edit/field-path.ts';

test.for([
  { path: 'image', want: ['image'] },
  { path: 'spec.runners[*].image', want: ['spec', 'runners', '*', 'image'] },
  { path: 'a."b.c"[0].d', want: ['a', 'b.c', 0, 'd'] },
  { path: 'metadata."example.com/an image".x', want: ['metadata', 'example.com/an image', 'x'] },
  { path: 'a[0][*].b', want: ['a', 0, '*', 'b'] },
  { path: 'a."[*]".__proto__', want: ['a', '[*]', '__proto__'] },
])('$path is a path', ({ path, want }) => {
  const parsed = parseFieldPath(path);
  expect(
    parsed.ok && parsed.value.map((step) => (step.kind === 'key' ? step.key : step.kind === 'each' ? '*' : step.index)),
  ).toEqual(want);
});

test.for([
  { path: '', problem: 'is empty' },
  { path: '.a', problem: 'has an empty key' },
  { path: 'a..b', problem: 'has an empty key' },
  { path: 'a.', problem: 'has an empty key' },
  { path: 'a[', problem: 'has a [ without a ]' },
  { path: 'a[-1].b', problem: 'has [-1], which is neither a number nor *' },
  { path: 'a[*]b', problem: 'has no dot before "b"' },
  { path: 'a[*]', problem: 'does not begin and end with a key' },
  { path: '[*].a', problem: 'does not begin and end with a key' },
  { path: 'a."b', problem: 'has an unclosed quote' },
  { path: 'a."b"c', problem: 'has no dot before "c"' },
  { path: 'a.b c', problem: 'has a key "b c" with a character that must be quoted' },
  { path: 'a.*.b', problem: 'has a key "*" with a character that must be quoted' },
  { path: `a${'.b'.repeat(256)}`, problem: 'is longer than 512 characters' },
])('"$path" is refused', ({ path, problem }) => {
  const parsed = parseFieldPath(path);
  expect(parsed.ok ? 'a path' : parsed.problem).toContain(problem);
});

test('a place is shown as a path that parses', () => {
  expect(formatPath(['items', 0, 'spec', 'a.b', 'c'])).toBe('items[0].spec."a.b".c');
});
