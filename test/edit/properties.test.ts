import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Lexer, parseAllDocuments, parseDocument, stringify, visit, type Node } from 'yaml';
import { readBlockLines } from '../../src/edit/block-lines.ts';
import { findImages } from '../../src/edit/find-fields.ts';
import type { Findings } from '../../src/edit/image-field.ts';
import { edited, fieldsOf, tag } from './editing.ts';

const key = fc.constantFrom(
  'image',
  'name',
  'env',
  'containers',
  'spec',
  'metadata',
  'labels',
  'a b',
  'x/y.z-1',
  '-a',
  '1',
  '"',
  'kind',
);
const text = fc.oneof(
  fc.constantFrom(
    'nginx:1',
    'a: b',
    'image: x:1',
    '- image: x:1',
    'x\nimage: y:1\n',
    '#',
    'a # b',
    ' x ',
    '',
    '---\n',
    '&a',
    '*a',
    '[',
    '{',
    '"',
    "'",
    '\t',
    '\r\n',
    'null',
    '1.0',
    '|',
    'é😀',
  ),
  fc.string({ maxLength: 12 }),
);
const tree = fc.letrec<{ node: unknown; map: Record<string, unknown>; list: unknown[] }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, text, fc.constant(null), tie('map'), tie('list')),
  map: fc.dictionary(key, tie('node'), { maxKeys: 4, noNullPrototype: true }),
  list: fc.array(tie('node'), { maxLength: 3 }),
}));
const style = fc.record({
  indent: fc.constantFrom(2, 3, 4),
  indentSeq: fc.boolean(),
  lineWidth: fc.constantFrom(0, 20, 80),
  blockQuote: fc.constantFrom(true, false, 'folded' as const, 'literal' as const),
  defaultStringType: fc.constantFrom(
    'PLAIN' as const,
    'QUOTE_DOUBLE' as const,
    'QUOTE_SINGLE' as const,
    'BLOCK_LITERAL' as const,
    'BLOCK_FOLDED' as const,
  ),
  defaultKeyType: fc.constantFrom('PLAIN' as const, 'PLAIN' as const, 'QUOTE_DOUBLE' as const),
  collectionStyle: fc.constantFrom('any' as const, 'block' as const, 'block' as const, 'flow' as const),
});

/** Pods whose other fields are anything, printed in any style. */
const podText = fc
  .record({
    extra: tree.map,
    container: tree.map,
    first: fc.boolean(),
    images: fc.array(fc.constantFrom('nginx:1', 'a.example:5000/b/c@sha256:' + 'ab'.repeat(32), 'x/y'), {
      minLength: 1,
      maxLength: 3,
    }),
    style,
  })
  .map(({ extra, container, first, images, style: options }) => {
    const containers = images.map((image) =>
      first ? Object.assign({ image }, container, { image, name: 'n' }) : { ...container, name: 'n', image },
    );
    const pod = {
      extra,
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', labels: extra },
      spec: { before: extra, containers, after: extra },
    };
    return {
      pod,
      source: stringify(pod, { ...options, aliasDuplicateObjects: false, version: '1.2', schema: 'core' }),
    };
  })
  // The package folds some texts wrongly, and puts flow collections into columns where it does not accept them.
  .filter(({ pod, source }) => {
    const read = parseDocument(source, { logLevel: 'silent' });
    return read.errors.length === 0 && isDeepStrictEqual(read.toJS(), pod);
  })
  .map(({ source }) => source);

/** Block lines with simple values, indented this way and that. */
const simpleText = fc.tuple(tree.map, fc.array(fc.nat(), { minLength: 20, maxLength: 20 })).map(([root, choices]) => {
  let turn = 0;
  const choose = <T>(...options: readonly T[]): T | undefined =>
    options[(choices[turn++ % choices.length] ?? 0) % options.length];
  const print = (node: unknown, column: number, inMap: boolean): string => {
    if (Array.isArray(node)) {
      const at = column + (inMap ? (choose(0, 2) ?? 0) : 0);
      return node
        .map((item) => {
          const gap = choose('-', '- ', '-   ', '-\n') ?? '-';
          if (gap === '-' || item === null || typeof item !== 'object') return `${' '.repeat(at)}-\n`;
          const inner = print(item, at + (gap === '-\n' ? 1 : gap.length), false);
          return `${' '.repeat(at)}${gap}${gap === '-\n' ? inner : inner.trimStart()}`;
        })
        .join('');
    }
    if (node === null || typeof node !== 'object')
      return `${' '.repeat(column)}x: ${choose('a', '"b c"', "'d'", 'e:f') ?? ''}\n`;
    return Object.entries(node)
      .map(([name, value]: [string, unknown]) => {
        const written = name.replaceAll(/[^a-z]/g, '') || 'k';
        if (value === null || typeof value !== 'object')
          return `${' '.repeat(column)}${written}:${choose('', ' a', ' "b: c" ', " 'd'", ' e:f/g', ' 1.0  ') ?? ''}\n`;
        return `${' '.repeat(column)}${written}:${choose('', ' ') ?? ''}\n${print(value, column + (choose(1, 2, 4) ?? 2), true)}`;
      })
      .join('');
  };
  return (choose('', '---\n') ?? '') + print(root, choose(0, 0, 0, 2) ?? 0, false);
});

/** Lines of a text with some of them dropped, doubled, moved sideways or between others. */
const mangled = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      texts,
      fc.array(
        fc.record({
          at: fc.nat(),
          what: fc.constantFrom('drop', 'double', 'in', 'out', 'comment', 'blank', 'cr', 'lone'),
        }),
        { maxLength: 3 },
      ),
    )
    .map(([source, changes]) => {
      const lines = source.split('\n');
      for (const { at, what } of changes) {
        const index = at % lines.length;
        const line = lines[index] ?? '';
        const changed = {
          drop: [],
          double: [line, line],
          in: [` ${line}`],
          out: [line.replace(/^ /, '')],
          comment: ['# image: x:1', line],
          blank: [line, '  '],
          cr: [`${line}\r`],
          lone: [line.replace(':', ':\r')],
        }[what];
        lines.splice(index, 1, ...(changed ?? []));
      }
      return lines.join('\n');
    });

const STRICT_RUN = { numRuns: 200 };

describe('reading simple lines', () => {
  const describeTree = (root: unknown): unknown[] => {
    const seen: unknown[] = [];
    visit(root as Node, {
      Map: (_, node) => void seen.push(['map', node.items.length]),
      Seq: (_, node) => void seen.push(['seq', node.items.length]),
      Scalar: (_, node) =>
        void seen.push([node.value, node.type, node.value === '' ? 0 : node.range?.slice(0, 2), node.tag, node.anchor]),
      Alias: () => void seen.push('alias'),
    });
    return seen;
  };

  test('gives the nodes that the yaml package gives, or none', () => {
    let read = 0;
    const lines = fc
      .tuple(mangled(simpleText), fc.constantFrom('\n', '\r\n'))
      .map(([source, end]) => source.replaceAll('\n', end));
    fc.assert(
      fc.property(fc.oneof(lines, mangled(podText)), (source) => {
        const mine = readBlockLines(source);
        if (mine === undefined) return;
        read += 1;
        const theirs = parseAllDocuments(source, { schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
        expect(theirs).toHaveLength(1);
        expect('errors' in (theirs[0] ?? {}) && theirs[0]?.errors).toEqual([]);
        expect(describeTree(mine)).toEqual(describeTree(theirs[0]?.contents));
      }),
      { numRuns: 1_500 },
    );
    expect(read).toBeGreaterThan(100);
  });
});

describe('passing over what does not matter', () => {
  // An anchor with an alias makes the document one that is parsed whole.
  const whole = (source: string): string => `${source.replace(/\n?$/, '\n')}zz: &zz image\nzy: *zz\n`;

  test('finds what parsing everything finds', () => {
    let compared = 0;
    fc.assert(
      fc.property(mangled(podText), (source) => {
        if (source.startsWith('{') || source.endsWith('\r')) return;
        let want;
        try {
          want = findingsOf(whole(source));
        } catch {
          return; // not YAML: what stands in passed-over parts is not looked at
        }
        compared += want.fields.length > 0 ? 1 : 0;
        expect(findingsOf(source)).toEqual(want);
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(50);
  });
});

describe('editing', () => {
  test('without a write keeps the bytes', () => {
    fc.assert(
      fc.property(podText, (source) => {
        expect(edited(source, () => undefined)).toBe(source);
      }),
      STRICT_RUN,
    );
  });

  test('gives the value to a parser, and changes nothing else: no value, no comment, no order', () => {
    const comment = fc.constantFrom('', ' # image: a:1', '\n# image: b:1');
    fc.assert(
      fc.property(
        podText,
        comment,
        fc.constantFrom('2.0.0', 'v2', '1'),
        fc.boolean(),
        fc.nat(),
        (plain, note, to, crlf, pick) => {
          const commented = plain.startsWith('{') ? plain : plain.replace(/^(kind: Pod)$/m, `$1${note}`);
          const source = crlf ? commented.replaceAll('\n', '\r\n') : commented;
          const chosen = pick % fieldsOf(source).length;
          let index = 0;
          const result = edited(source, ({ reference }) =>
            reference && index++ === chosen ? { tag: tag(to) } : undefined,
          );
          const before = parseDocument(source);
          const path = ['spec', 'containers', chosen, 'image'];
          const repository = String(before.getIn(path)).replace(/(?::\w+)?(?:@.*)?$/, '');
          before.setIn(path, `${repository}:${to}`);
          expect(parseDocument(result).toJS()).toEqual(before.toJS());
          expect(commentsOf(result)).toEqual(commentsOf(source));
          expect(result.length - source.length).toBe(writtenLength(result, path) - writtenLength(source, path));
        },
      ),
      STRICT_RUN,
    );
  });
});

function findingsOf(source: string): Findings {
  return findImages(source, { rules: [] }).findings;
}

function commentsOf(source: string): readonly string[] {
  return [...new Lexer().lex(source)].filter((token) => token.startsWith('#'));
}

function writtenLength(source: string, path: readonly unknown[]): number {
  const node = parseDocument(source).getIn(path, true) as Node;
  const [start, end] = node.range ?? [0, 0];
  return end - start;
}
