/** Clocks are corrected by small steps all the time, in milliseconds. */
const CLOCK_SLACK_MS = 1_000;

/**
 * Whether something of time `at` is younger than `intervalMs`. A time in the future was written with a wrong clock: it
 * counts as old, never as fresh until the clock catches up. Nothing is fresh with an interval of 0.
 */
export function isFresh(at: number, intervalMs: number, now: number): boolean {
  return isPast(at, now) && Math.max(now - at, 0) < intervalMs;
}

/** Whether `at` was at or after `since`, by a clock that was right. */
export function isSince(at: number, since: number, now: number): boolean {
  return at >= since && isPast(at, now);
}

/**
 * Whether something that began at `since` and ends at `until` holds now. What began in the future was written with a
 * wrong clock and does not hold.
 */
export function holds(since: number, until: number, now: number): boolean {
  return isPast(since, now) && now < until;
}

function isPast(at: number, now: number): boolean {
  return at <= now + CLOCK_SLACK_MS;
}
