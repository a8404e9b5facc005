/**
 * What is there at once, or later. For what is asked a hundred times for one answer and is nearly always in memory: to wait for
 * what is there takes longer than to look it up.
 */
export type Soon<T> = T | Promise<T>;

/** Goes on with a value: at once where it is there. */
export function whenThere<T, R>(value: Soon<T>, use: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
