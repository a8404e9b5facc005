import type { RefreshCause } from './refresher.ts';

/** What is served before what; causes of one class are served in the order they came. */
const CLASSES = [
  ['webhook'],
  ['user'],
  ['first'],
  ['poll', 'start', 'cached-manifest'],
  ['unknown'],
] as const satisfies readonly (readonly RefreshCause[])[];

/** How many classes of urgency there are; 0 is the most urgent. */
export const URGENCIES: number = CLASSES.length;

export function urgencyOf(cause: RefreshCause): number {
  return CLASSES.findIndex((causes: readonly RefreshCause[]) => causes.includes(cause));
}

export function moreUrgent(one: RefreshCause, other: RefreshCause): RefreshCause {
  return urgencyOf(other) < urgencyOf(one) ? other : one;
}

export function isRefreshCause(value: unknown): value is RefreshCause {
  return CLASSES.some((causes: readonly unknown[]) => causes.includes(value));
}
