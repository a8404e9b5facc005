import fc from 'fast-check';
import { expect, test } from 'vitest';
import { questionOf } from '../../src/remote/question.ts';
import { readResolutions } from '../../src/remote/read-resolutions.ts';
import { readQuery, readReport } from '../../src/service/read-query.ts';
import { anyAsk, anyQuery, anyReport, anyResolution } from './arbitraries.ts';

const wire = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
/** Ordinary objects, as parsing makes them. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a query arrives as it was sent', () => {
  fc.assert(
    fc.property(anyQuery, (query) => {
      expect(readQuery(wire(query))).toStrictEqual(plain(query));
    }),
  );
});

test('a report arrives as it was sent', () => {
  fc.assert(
    fc.property(anyReport, (report) => {
      expect(readReport(wire(report))).toStrictEqual(plain(report));
    }),
  );
});

test('resolutions arrive as they were sent', () => {
  fc.assert(
    fc.property(fc.array(anyResolution, { maxLength: 6 }), (resolutions) => {
      expect(readResolutions(plain({ resolutions }), resolutions.length)).toStrictEqual(plain(resolutions));
    }),
  );
});

test('any JSON as an answer is either read or refused', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const body of [value, { resolutions: [value] }]) expect(outcomeOf(body)).toMatch(/^(?:read|ShapeError)$/);
    }),
  );
});

function outcomeOf(body: unknown): string {
  try {
    readResolutions(body, 1);
    return 'read';
  } catch (error) {
    return (error as Error).name;
  }
}

test('a question changes with everything that may change its answer, and with nothing else', () => {
  const words = new Set(['label', 'where', 'untagged', 'pollIntervalMs']);
  fc.assert(
    fc.property(anyAsk, anyAsk, (one, other) => {
      fc.pre(one.choice.kind === 'select' && other.choice.kind === 'select');
      const known = questionOf(one, 'team');
      expect(questionOf(one, undefined)).not.toBe(known);
      expect(questionOf(one, 'other')).not.toBe(known);
      for (const key of Object.keys({ ...one, ...other }) as (keyof typeof one)[]) {
        const { [key]: _before, ...rest } = one;
        const changed = { ...rest, ...(other[key] !== undefined && { [key]: other[key] }) } as typeof one;
        const isSame = words.has(key) || JSON.stringify(one[key]) === JSON.stringify(other[key]);
        expect({ key, same: questionOf(changed, 'team') === known }).toEqual({ key, same: isSame });
      }
    }),
  );
});
