import { describe, expect, test } from 'vitest';
import { checkDepth } from '../../src/edit/depth.ts';

const indented = (levels: number, line: (level: number) => string) =>
  Array.from({ length: levels }, (_, level) => `${' '.repeat(2 * level)}${line(level)}`).join('\n');

describe('refuses', () => {
  test.for([
    { name: 'flow sequences', text: `a: ${'['.repeat(101)}`, line: 1 },
    { name: 'flow maps', text: `a:\n  ${'{a: '.repeat(101)}`, line: 2 },
    { name: 'JSON', text: '{"a":'.repeat(101), line: 1 },
    { name: 'half a million brackets', text: '['.repeat(500_000), line: 1 },
    { name: 'brackets after a quote inside a plain scalar', text: `a: [b"c, ${'['.repeat(101)}`, line: 1 },
    { name: 'block maps', text: indented(102, (level) => `k${String(level)}:`), line: 101 },
    { name: 'block sequences on one line', text: '- '.repeat(101), line: 1 },
    { name: 'explicit keys on one line', text: '? '.repeat(101), line: 1 },
    { name: 'empty keys on one line', text: `a: ${': '.repeat(101)}`, line: 1 },
    {
      name: 'block maps among flow collections that span lines',
      text: indented(102, (level) => `x: [\n${'  '.repeat(level)}]\n${'  '.repeat(level)}k${String(level)}:`),
      line: 298,
    },
    { name: 'the second document', text: `a: 1\n---\n${'['.repeat(101)}`, line: 3 },
  ])('$name nested deeper than the maximum', ({ text, line }) => {
    expect(checkDepth(text, 100)).toEqual({ ok: false, line });
  });
});

describe('accepts', () => {
  test.for([
    { name: 'an empty text', text: '' },
    { name: 'as many levels as the maximum', text: `${'['.repeat(100)}${']'.repeat(100)}` },
    { name: 'brackets side by side', text: `[${'[], {}, '.repeat(1_000)}]` },
    { name: 'a double-quoted string of brackets', text: `a: "${'[{'.repeat(500)}\\"${'['.repeat(500)}"` },
    { name: 'a single-quoted string of brackets', text: `a: 'it''s ${'[{'.repeat(500)}'` },
    { name: 'a plain scalar of brackets', text: `a: x${'[{'.repeat(500)}` },
    { name: 'a comment of brackets', text: `a: b # ${'[{'.repeat(500)}\n# ${'[{'.repeat(500)}` },
    {
      name: 'minified code in a ConfigMap',
      text: `data:\n  app.js: |-\n    ${'(function(){[{'.repeat(500)}\n  b: c\n`,
    },
    {
      name: 'a deep text in a block scalar',
      text: `data:\n  a.yaml: |\n    ${indented(200, () => 'k:').replaceAll('\n', '\n    ')}\n`,
    },
    { name: 'indentation of a thousand columns', text: `a:\n${' '.repeat(1_000)}b:\n${' '.repeat(2_000)}c: d` },
  ])('$name', ({ text }) => {
    expect(checkDepth(text, 100)).toEqual({ ok: true });
  });
});
