/** Work that several callers wait for. */
export interface SharedRun<T> {
  readonly ended: Promise<T>;
  /** Waits for the end, or until the caller's signal: then with `gone()`. The work is stopped when nobody waits any longer. */
  join(signal: AbortSignal, gone: () => Error): Promise<T>;
}

/** Starts work for many callers: one who goes away does not take the answer from the others. */
export function shareRun<T>(work: (signal: AbortSignal) => Promise<T>): SharedRun<T> {
  const stop = new AbortController();
  const ended = work(stop.signal);
  let waiting = 0;
  return {
    ended,
    async join(signal, gone) {
      waiting += 1;
      const left = Promise.withResolvers<never>();
      const leave = (): void => {
        waiting -= 1;
        if (waiting === 0) stop.abort();
        left.reject(gone());
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
      try {
        return await Promise.race([left.promise, ended]);
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}
