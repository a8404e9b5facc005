/**
 * How long a `Retry-After` header asks to wait, in milliseconds from now. A date is measured against the answer's own
 * `Date`, so that a clock that is wrong on either side does no harm.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(
  retryAfter: string | undefined,
  date: string | undefined,
  nowMs: number,
): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const until = Date.parse(retryAfter);
  if (Number.isNaN(until)) return undefined;
  const reference = date === undefined ? Number.NaN : Date.parse(date);
  return Math.max(0, until - (Number.isNaN(reference) ? nowMs : reference));
}
