import { describe, expect, test } from 'vitest';
import type { ImageField } from '../../src/edit/image-field.ts';
import type { FieldWrite } from '../../src/edit/plan-edits.ts';
import { codeOf, edited, fieldsOf, retagged, tag } from './editing.ts';

const HEAD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n';
const inPod = (spec: string): string => `${HEAD}spec:\n${spec}`;

const only =
  (container: string, to: string) =>
  (field: ImageField): FieldWrite | undefined =>
    field.container === container ? { tag: tag(to) } : undefined;

describe('aliases', () => {
  const two = (first: string, second: string): string =>
    inPod(`  containers:\n  - {name: a, image: ${first}}\n  - {name: b, image: ${second}} # c\n`);

  test('an alias of an image is a field of its own', () => {
    expect(fieldsOf(two('&i nginx:1', '*i'))).toEqual([
      ['spec.containers[0].image', 'nginx:1'],
      ['spec.containers[1].image', 'nginx:1'],
    ]);
  });
  test('an alias is replaced by the value, its anchor stays as it is', () => {
    expect(edited(two('&i nginx:1', '*i'), only('b', '2'))).toBe(two('&i nginx:1', 'nginx:2'));
  });
  test('an alias is quoted where its value has to be', () => {
    expect(edited(two('&i "[::1]/a:1"', '*i'), only('b', '2'))).toBe(two('&i "[::1]/a:1"', '"[::1]/a:2"'));
  });
  test('an anchor and all its aliases change together', () => {
    expect(retagged(two('&i nginx:1', '*i'), '2')).toBe(two('&i nginx:2', 'nginx:2'));
  });
  test('an alias that keeps its value is written out when its anchor changes', () => {
    const text = two('&i nginx:1', '*i');
    expect(edited(text, ({ container }) => ({ tag: tag(container === 'a' ? '2' : '1') }))).toBe(
      two('&i nginx:2', 'nginx:1'),
    );
  });
  test('an anchor is not changed while an image stands for it', () => {
    expect(codeOf(() => edited(two('&i nginx:1', '*i'), only('a', '2')))).toBe('ANCHOR_SHARED');
  });
  test('an anchor is not changed while something that is no image stands for it', () => {
    const image = inPod('  containers: [{name: a, image: &i nginx:1, args: [*i]}]\n');
    expect(codeOf(() => retagged(image, '2'))).toBe('ANCHOR_SHARED');
  });
  test('a shared image that is up to date already needs no edit and is no error', () => {
    const text = inPod('  containers: [{name: a, image: &i nginx:1, args: [*i]}]\n');
    expect(retagged(text, '1')).toBe(text);
  });
  test('an anchor defined again later is another one', () => {
    const text = inPod(
      '  containers:\n  - {name: a, image: &i nginx:1}\n  - {name: b, image: &i nginx:5}\n  - {name: c, image: *i}\n',
    );
    expect(edited(text, only('a', '2'))).toBe(text.replace('nginx:1', 'nginx:2'));
    expect(codeOf(() => edited(text, only('b', '2')))).toBe('ANCHOR_SHARED');
  });
  test('a text that looks like an anchor in an unrelated place stops nothing', () => {
    const text = inPod(
      '  containers:\n  - image: nginx:1\n    name: a\n    command: [sh, -c, "a && b *"]\n    args:\n    - a && *b\n',
    );
    expect(retagged(text, '2')).toBe(text.replace('nginx:1', 'nginx:2'));
  });
  test('an anchor under a key that does not matter still names the image', () => {
    const text = inPod('  x-images:\n    web: &web nginx:1\n  containers:\n  - name: a\n    image: *web\n');
    expect(retagged(text, '2')).toBe(text.replace('*web', 'nginx:2'));
  });
});

describe('maps that stand in several places', () => {
  const merged = (own: string): string =>
    inPod(
      `  containers:\n  - &base\n    name: a\n    image: nginx:1\n  initContainers:\n  - <<: *base\n    name: b\n${own}`,
    );

  test('a merged image is a field in each place', () => {
    expect(fieldsOf(merged(''))).toEqual([
      ['spec.containers[0].image', 'nginx:1'],
      ['spec.initContainers[0].image', 'nginx:1'],
    ]);
  });
  test('it changes when all its places get the same', () => {
    expect(retagged(merged(''), '2')).toBe(merged('').replace('nginx:1', 'nginx:2'));
  });
  test.for([
    { name: 'one place', choose: only('a', '2') },
    { name: 'the other place', choose: only('b', '2') },
    {
      name: 'two places differently',
      choose: ({ container }: ImageField) => ({ tag: tag(container === 'a' ? '2' : '3') }),
    },
  ])('it does not change for $name', ({ choose }) => {
    expect(codeOf(() => edited(merged(''), choose))).toBe('ANCHOR_SHARED');
  });
  test('an image of its own hides the merged one, and both change apart', () => {
    const text = merged('    image: redis:1\n');
    expect(edited(text, only('a', '2'))).toBe(text.replace('nginx:1', 'nginx:2'));
    expect(edited(text, only('b', '2'))).toBe(text.replace('redis:1', 'redis:2'));
  });
  test('the first of several merged maps wins', () => {
    const text = inPod('  x: [&a {image: "a:1"}, &b {image: "b:1"}]\n  containers:\n  - <<: [*b, *a]\n    name: c\n');
    expect(fieldsOf(text)).toEqual([['spec.containers[0].image', 'b:1']]);
  });
  test('a merged map that also stands where no image is looked for is shared', () => {
    const text = inPod('  x: &a {image: "a:1"}\n  containers:\n  - <<: *a\n    name: c\n');
    expect(codeOf(() => retagged(text, '2'))).toBe('ANCHOR_SHARED');
  });
  test('maps merged over and over are looked at once', () => {
    const levels = Array.from(
      { length: 60 },
      (_, n) => `  m${String(n + 1)}: &m${String(n + 1)} {<<: [*m${String(n)}, *m${String(n)}]}\n`,
    );
    const text = inPod(`  m0: &m0 {image: "a:1"}\n${levels.join('')}  containers: [*m60]\n`);
    expect(fieldsOf(text)).toEqual([['spec.containers[0].image', 'a:1']]);
  });
  test('a whole list used twice is one list', () => {
    const text = inPod('  containers: &all\n  - {name: a, image: nginx:1}\n  initContainers: *all\n');
    expect(retagged(text, '2')).toBe(text.replace('nginx:1', 'nginx:2'));
    const elsewhere = `${text}  other: *all\n`;
    expect(fieldsOf(elsewhere)).toHaveLength(2);
    expect(codeOf(() => retagged(elsewhere, '2'))).toBe('ANCHOR_SHARED');
  });
});

test.for([
  { name: 'an alias without an anchor', value: '*nowhere' },
  { name: 'an alias before its anchor', value: '*later, name: &later x' },
])('$name is an error', ({ value }) => {
  expect(codeOf(() => fieldsOf(inPod(`  containers: [{image: ${value}}]\n`)))).toBe('MANIFEST_INVALID');
});

test('an alias within what it names is an error', () => {
  expect(codeOf(() => fieldsOf(inPod('  containers: &a [{image: "a:1"}, *a]\n')))).toBe('MANIFEST_INVALID');
});
