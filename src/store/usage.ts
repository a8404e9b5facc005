/** How exactly it is known when something was last used; reading it writes at most this often, in milliseconds. */
const USAGE_PRECISION_MS = 24 * 60 * 60 * 1000;

/** Whether the time of last use should be written again; a time in the future is put right. */
export function usageIsOutdated(usedAt: number, now: number): boolean {
  return usedAt > now || now - usedAt > USAGE_PRECISION_MS;
}
