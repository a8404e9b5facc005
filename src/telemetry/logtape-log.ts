import { compareLogLevel, getTextFormatter, type LogRecord, type TextFormatter } from '@logtape/logtape';
import { cutToBytes, escapeControls } from '../error/printable.ts';
import type { Log, LogFields, LogLevel } from './log.ts';

export interface LogOptions {
  /** `json`: one object a line, for collectors. `text`: for people. */
  readonly format: 'json' | 'text';
  /** Less than this is not written. */
  readonly level: LogLevel;
  /** Takes one line, its line feed included. What it throws is dropped: nothing ends because a log cannot be written. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Of one value, in UTF-8. */
const MAX_VALUE_BYTES = 512;

/**
 * A {@link Log} that writes one line an event:
 * ```
 * {"time":"2026-03-01T10:00:00.000Z","level":"warning","event":"listing-failed","host":"ghcr.io","code":"REGISTRY_TIMEOUT"}
 * 2026-03-01T10:00:00.000Z WARNING listing-failed host=ghcr.io code=REGISTRY_TIMEOUT
 * ```
 * LogTape's levels and formatter are used without its configuration, which is one for the whole process: two logs must
 * not write to each other's place.
 */
export function createLog({ format, level: lowest, write, now }: LogOptions): Log {
  const formatter = format === 'json' ? jsonLine : textLine;
  const log = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (compareLogLevel(level, lowest) < 0) return;
    try {
      write(
        formatter({
          ...RECORD,
          level,
          message: [event],
          rawMessage: event,
          timestamp: now(),
          properties: clean(fields),
        }),
      );
    } catch {
      // Nobody is left to tell.
    }
  };
  return {
    debug: (event, fields) => log('debug', event, fields),
    info: (event, fields) => log('info', event, fields),
    warning: (event, fields) => log('warning', event, fields),
    error: (event, fields) => log('error', event, fields),
  };
}

const RECORD = { category: ['image-resolver'] } as const;

/** What may be printed of the fields, in their order. */
function clean(fields: LogFields): Record<string, string | number | boolean> {
  const entries = Object.entries(fields).flatMap(([name, value]): [string, string | number | boolean][] =>
    value === undefined ? [] : [[name, typeof value === 'string' ? printable(value) : finite(value)]],
  );
  return Object.fromEntries(entries);
}

/** Cut before it is escaped as well, so that a long text costs no more than a short one. */
function printable(text: string): string {
  return cutToBytes(escapeControls(text.slice(0, MAX_VALUE_BYTES + 1), 'escape'), MAX_VALUE_BYTES);
}

/** JSON has no NaN, and a line should not say `null` for it. */
function finite(value: number | boolean): string | number | boolean {
  return typeof value === 'boolean' || Number.isFinite(value) ? value : String(value);
}

const jsonLine: TextFormatter = ({ timestamp, level, message, properties }: LogRecord): string => {
  const own = { time: new Date(timestamp).toISOString(), level, event: String(message[0]) };
  // Twice: the first makes them stand in front, the second keeps a field from taking their name.
  return `${JSON.stringify({ ...own, ...properties, ...own })}\n`;
};

const textLine: TextFormatter = getTextFormatter({
  timestamp: 'rfc3339',
  level: 'FULL',
  format: ({ timestamp, level, record }) =>
    [timestamp, level, record.message[0], ...Object.entries(record.properties).map(shown)].join(' '),
});

function shown([name, value]: readonly [name: string, value: unknown]): string {
  const text = String(value);
  return `${name}=${/^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)}`;
}
