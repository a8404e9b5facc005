import { ERROR_CODES } from '../error/codes.ts';
import type { RequestOutcome } from './metrics.ts';

/** What stands for every label value that is not on a list: whoever can choose a value could else fill the memory with series. */
export const OTHER = 'other';

/** Statuses that tell an operator something by themselves; of the others only the class does. */
const TELLING: ReadonlySet<number> = new Set([200, 206, 304, 307, 400, 401, 403, 404, 405, 429, 500, 502, 503, 504]);

/** A registry answers what it likes, so its statuses are a closed set here: `503`, or the class `5xx`; a fault's own code. */
export function statusLabel(outcome: RequestOutcome): string {
  if (typeof outcome === 'string') return Object.hasOwn(ERROR_CODES, outcome) ? outcome : OTHER;
  if (TELLING.has(outcome)) return String(outcome);
  return outcome >= 100 && outcome < 600 ? `${Math.floor(outcome / 100)}xx` : OTHER;
}

/** The value if it is on the list. */
export function listed(value: string, list: ReadonlySet<string>): string {
  return list.has(value) ? value : OTHER;
}
