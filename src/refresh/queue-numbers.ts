import type { RefreshEntry } from './refresh-entry.ts';

/** For metrics. */
export interface QueueNumbers {
  readonly waiting: number;
  readonly inFlight: number;
  /** Of those that were not given up. */
  readonly oldestSeconds: number;
  readonly givenUp: number;
}

export function numbersOf(refreshes: Iterable<readonly [string, RefreshEntry]>, now: number): QueueNumbers {
  const count = { waiting: 0, asked: 0, 'given-up': 0 };
  let oldest = now;
  for (const [, { kind, since }] of refreshes) {
    count[kind] += 1;
    if (kind !== 'given-up') oldest = Math.min(oldest, since);
  }
  return {
    waiting: count.waiting,
    inFlight: count.asked,
    oldestSeconds: Math.max(0, now - oldest) / 1000,
    givenUp: count['given-up'],
  };
}
