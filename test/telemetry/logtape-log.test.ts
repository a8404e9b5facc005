import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLog } from '../../src/telemetry/logtape-log.ts';
import type { LogFields, LogLevel } from '../../src/telemetry/log.ts';

const AT = Date.UTC(2026, 2, 1, 10);

function linesOf(format: 'json' | 'text', level: LogLevel, use: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  use(createLog({ format, level, write: (line) => lines.push(line), now: () => AT }));
  return lines;
}

test('a line of JSON has time, level and event in front and the fields beside them', () => {
  const fields = { host: 'ghcr.io', tags: 41, stale: false, gone: undefined };
  expect(linesOf('json', 'info', (log) => log.warning('listing-failed', fields))).toEqual([
    '{"time":"2026-03-01T10:00:00.000Z","level":"warning","event":"listing-failed","host":"ghcr.io","tags":41,"stale":false}\n',
  ]);
});

test('a line for people quotes what has spaces', () => {
  const fields = { host: 'ghcr.io:5000', problem: 'the registry answered 503' };
  expect(linesOf('text', 'info', (log) => log.error('listing-failed', fields))).toEqual([
    '2026-03-01T10:00:00.000Z ERROR listing-failed host=ghcr.io:5000 problem="the registry answered 503"\n',
  ]);
});

test.for(['debug', 'info', 'warning', 'error'] as const)('at level %s nothing less is written', (level) => {
  const all = ['debug', 'info', 'warning', 'error'] as const;
  const lines = linesOf('json', level, (log) => {
    for (const each of all) log[each]('something');
  });
  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(all.slice(all.indexOf(level)));
});

test('a field cannot take the name of time, level or event', () => {
  const [line = ''] = linesOf('json', 'info', (log) =>
    log.info('started', { time: 'never', level: 'error', event: 'stopped' }),
  );
  expect(JSON.parse(line)).toEqual({ time: '2026-03-01T10:00:00.000Z', level: 'info', event: 'started' });
});

test('a number that JSON does not have is written as a word', () => {
  const [line = ''] = linesOf('json', 'info', (log) => log.info('counted', { share: Number.NaN, age: Infinity }));
  expect(JSON.parse(line)).toMatchObject({ share: 'NaN', age: 'Infinity' });
});

test.for(['json', 'text'] as const)(
  'whatever a tenant wrote, %s stays one printable line of bounded values',
  (format) => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary', minLength: 500, maxLength: 3000 }),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const lines = linesOf(format, 'info', (log) => log.info('seen', { text }));
        expect(lines).toHaveLength(1);
        const [line = ''] = lines;
        expect(line.endsWith('\n')).toBe(true);
        // oxlint-disable-next-line no-control-regex -- controls are what is looked for
        expect(line.slice(0, -1)).not.toMatch(/[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
        // 512 of the value, which quoting doubles at most.
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(2 * 512 + 100);
      }),
    );
  },
);

test('a long value says that it was cut, a short one is whole', () => {
  const [long = '', short = ''] = linesOf('json', 'info', (log) => {
    log.info('seen', { text: 'x'.repeat(513) });
    log.info('seen', { text: 'x'.repeat(512) });
  });
  expect((JSON.parse(long) as { text: string }).text).toMatch(/^x+ … \[cut\]$/);
  expect((JSON.parse(short) as { text: string }).text).toBe('x'.repeat(512));
});

test('a log never throws, neither when it cannot be written nor when a field is not what its type says', () => {
  const broken = createLog({
    format: 'json',
    level: 'debug',
    write: () => {
      throw new Error('EPIPE');
    },
    now: () => AT,
  });
  const field = {
    get value(): string {
      throw new Error('no');
    },
  };
  for (const fields of [undefined, { text: 'x' }, field, { value: 1n } as unknown as LogFields]) {
    expect(() => broken.error('failed', fields)).not.toThrow();
  }
  expect(() =>
    linesOf('text', 'debug', (log) => log.info('seen', { value: Symbol('x') } as unknown as LogFields)),
  ).not.toThrow();
});

test('two logs of one process write to their own places', () => {
  const lines: string[] = [];
  const make = (name: string): ReturnType<typeof createLog> =>
    createLog({ format: 'json', level: 'info', write: () => lines.push(name), now: () => AT });
  const first = make('first');
  make('second').info('one');
  first.info('two');
  expect(lines).toEqual(['second', 'first']);
});
