/** Wall clock, milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** Waits; rejects with the signal's reason when it aborts first. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** The real one. Not `node:timers/promises`: that makes an error with a stack for each wait that ends early, which most do. */
export const sleepForReal: Sleep = (ms, signal) =>
  new Promise((done, failed) => {
    const stop = (): void => {
      clearTimeout(timer);
      failed(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      done();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

const deadlines = new WeakMap<AbortSignal, number>();

/**
 * A signal that aborts after a time, and from which the client can tell how much of it is left, so that it does not begin
 * a wait that cannot succeed. A signal without known deadline counts as endless.
 */
export function signalWithDeadline(ms: number, clock: Clock, parent?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  const signal = parent === undefined ? timeout : AbortSignal.any([timeout, parent]);
  const parentDeadline = parent === undefined ? Infinity : deadlineOf(parent);
  return withDeadline(signal, Math.min(clock.now() + ms, parentDeadline));
}

/** Notes when a signal will abort. */
export function withDeadline(signal: AbortSignal, atMs: number): AbortSignal {
  deadlines.set(signal, atMs);
  return signal;
}

/** When a signal will abort, milliseconds since the epoch; Infinity when nobody said. */
export function deadlineOf(signal: AbortSignal): number {
  return deadlines.get(signal) ?? Infinity;
}
