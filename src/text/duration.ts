import { parsed, type Parsed, unparsed } from '../error/parsed.ts';

/** Go's `time.ParseDuration`, without a sign. */
export const DURATION: RegExp =
  /^(?:0|(?:(?:[0-9]{1,12}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(?:ns|us|\u00b5s|ms|s|m|h)){1,8})$/;

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a duration as Go and Kubernetes write it: `30s`, `2m`, `1h30m`, `0s`. */
export function parseDuration(text: string): Parsed<number> {
  if (!DURATION.test(text)) return unparsed('is not a duration', 'write a number with a unit: 30s, 2m, 1h30m');
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)([a-z\u00b5]+)/g))
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return parsed(Math.round(total));
}
