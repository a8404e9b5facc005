/**
 * Whether something of time `at` is younger than `intervalMs`. A time in the future was written with a wrong clock: it
 * counts as old, never as fresh until the clock catches up. Nothing is fresh with an interval of 0.
 */
export function isFresh(at: number, intervalMs: number, now: number): boolean {
  const age = now - at;
  return age >= 0 && age < intervalMs;
}

/**
 * Whether something that began at `since` and ends at `until` holds now. What began in the future was written with a
 * wrong clock and does not hold.
 */
export function holds(since: number, until: number, now: number): boolean {
  return since <= now && now < until;
}
