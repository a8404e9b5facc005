import { monotonicMs } from './monotonic-clock.ts';

/** How much of a budget is left, for steps that share it. Monotonic: a clock that is set does not matter. */
export function timeLeft(budgetMs: number): () => number {
  const end = monotonicMs() + budgetMs;
  return () => Math.max(0, end - monotonicMs());
}
