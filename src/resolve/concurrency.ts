import type { Soon } from '../store/soon.ts';

/** Runs `work` over all items, at most `limit` at a time, each beginning when one before it ended. Answers in the items' order. */
export async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Soon<R>,
): Promise<readonly R[]> {
  const results: R[] = Array.from({ length: items.length });
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < items.length) {
      const index = begun++;
      const result = work(items[index] as T);
      results[index] = result instanceof Promise ? await result : result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
