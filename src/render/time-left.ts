/** How much of a budget is left, for steps that share it. Monotonic: a clock that is set does not matter. */
export function timeLeft(budgetMs: number): () => number {
  const end = performance.now() + budgetMs;
  return () => Math.max(0, end - performance.now());
}
