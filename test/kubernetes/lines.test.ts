import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { LineSplitter } from '../../src/kubernetes/lines.ts';

test('however the bytes arrive, the lines are the same, and those that are too long are told as such', () => {
  const lines = fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }).map((line) => line.replaceAll('\n', '')));
  fc.assert(
    fc.property(lines, fc.array(fc.nat({ max: 20 }), { minLength: 1 }), (texts, sizes) => {
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
      const splitter = new LineSplitter(10);
      const found: (string | undefined)[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = 1 + (sizes[turn % sizes.length] ?? 0);
        found.push(...splitter.push(bytes.subarray(at, at + size)));
        at += size;
      }
      const want = texts.filter((text) => text !== '').map((text) => (Buffer.byteLength(text) > 10 ? undefined : text));
      expect(found).toEqual(want.map((text) => text?.toWellFormed()));
    }),
  );
});
