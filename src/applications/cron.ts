import { parsed, type Parsed, unparsed } from '../error/parsed.ts';

/** A schedule, as a test of a time's parts in UTC. */
export interface Schedule {
  /** The first minute it names strictly after a time, milliseconds; undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
}

/** The numbers a field names, and whether it was written as any. */
interface Field {
  readonly numbers: ReadonlySet<number>;
  readonly isAny: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const BOUNDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const YEARS_AHEAD = 5;

/**
 * Five fields as Argo CD's parser (robfig/cron v3) reads them: `?` is any, `5/10` is `5-59/10`, `7` is no day, and of day
 * of month and day of week one is enough when both are given. Other parsers differ in exactly these.
 *
 * Not taken over: a time zone inside the schedule (`TZ=`), which Argo CD would add to the window's own.
 *
 * @see https://github.com/robfig/cron/blob/v3.0.1/parser.go
 */
export function parseSchedule(text: string): Parsed<Schedule> {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (text.length > MAX_LENGTH || parts.length !== BOUNDS.length) return invalid();
  const fields: Field[] = [];
  for (const [index, bounds] of BOUNDS.entries()) {
    const field = parseField(parts[index] ?? '', bounds);
    if (field === undefined) return invalid();
    fields.push(field);
  }
  const [minutes = ANY, hours = ANY, daysOfMonth = ANY, months = ANY, daysOfWeek = ANY] = fields;
  const minutesOfDay = [...hours.numbers]
    .flatMap((hour) => [...minutes.numbers].map((minute) => hour * 60 + minute))
    .toSorted((a, b) => a - b);
  const isOn = (date: Date): boolean => {
    if (!months.numbers.has(date.getUTCMonth() + 1)) return false;
    const byMonth = daysOfMonth.numbers.has(date.getUTCDate());
    const byWeek = daysOfWeek.numbers.has(date.getUTCDay());
    return daysOfMonth.isAny || daysOfWeek.isAny ? byMonth && byWeek : byMonth || byWeek;
  };
  return parsed({
    next: (afterMs) => {
      const first = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
      const lastYear = new Date(first).getUTCFullYear() + YEARS_AHEAD;
      for (let day = Math.floor(first / DAY_MS) * DAY_MS; ; day += DAY_MS) {
        const date = new Date(day);
        // Not a number: beyond what dates can be.
        if (!(date.getUTCFullYear() <= lastYear)) return undefined;
        if (!isOn(date)) continue;
        const minute = minutesOfDay.find((candidate) => day + candidate * MINUTE_MS >= first);
        if (minute !== undefined) return day + minute * MINUTE_MS;
      }
    },
  });
}

/** A list of every minute is shorter. */
const MAX_LENGTH = 1024;
const ANY: Field = { numbers: new Set(), isAny: true };

function invalid(): Parsed<Schedule> {
  return unparsed('is not a schedule', 'write five fields: minute, hour, day of month, month, day of week');
}

function parseField(text: string, bounds: Bounds): Field | undefined {
  const numbers = new Set<number>();
  let isAny = false;
  for (const part of text.split(',').filter((range) => range !== '')) {
    const range = parseRange(part, bounds);
    if (range === undefined) return undefined;
    for (let number = range.from; number <= range.to; number += range.step) numbers.add(number);
    isAny ||= range.isAny;
  }
  return { numbers, isAny };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly isAny: boolean;
}

function parseRange(text: string, { min, max, names }: Bounds): Range | undefined {
  const [span = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreEnds] = span.split('-');
  const isStar = low === '*' || low === '?';
  const from = isStar ? min : parseNumber(low, min, names);
  const single = high === undefined;
  let to = isStar ? max : single ? from : parseNumber(high, min, names);
  const step = stepText === undefined ? 1 : parseNumber(stepText, min, undefined);
  if (from === undefined || to === undefined || step === undefined || step === 0) return undefined;
  if (moreSteps.length > 0 || (!isStar && moreEnds.length > 0)) return undefined;
  // `5/10` goes on to the end.
  if (stepText !== undefined && single) to = max;
  if (from < min || to > max || from > to) return undefined;
  return { from, to, step, isAny: isStar && step === 1 };
}

function parseNumber(text: string, min: number, names: readonly string[] | undefined): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : undefined;
}
