/** Between requests that Argo CD did not fulfil. */
export const RETRY = { firstMs: 15_000, longestMs: 600_000 } as const;

/** Milliseconds to wait: doubling from `firstMs` to `longestMs`, and up to a fifth more or less, so that many do not come at once. */
export function backOffMs(
  times: number,
  bounds: { readonly firstMs: number; readonly longestMs: number },
  random: () => number,
): number {
  const doubled = bounds.firstMs * 2 ** Math.min(times - 1, 30);
  return Math.round(Math.min(doubled, bounds.longestMs) * (0.8 + 0.4 * random()));
}
