import { deadlineOf, withDeadline, type Sleep } from '../registry/time.ts';

/** Time as the resolver sees it: everything it waits for goes through here. */
export interface Time {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** A time that passes. */
export interface Deadline extends Disposable {
  /** Aborts when the time has passed or the parent aborts; no more when the deadline was disposed of. */
  readonly signal: AbortSignal;
}

/** Starts a time of `ms`. Dispose of it, or it keeps a timer. The clock may jump meanwhile: only durations are used. */
export function startDeadline(ms: number, time: Time, parent: AbortSignal): Deadline {
  const over = new AbortController();
  const cleared = new AbortController();
  // Not AbortSignal.any, which leaves the garbage collector something to do for every deadline.
  const stop = (): void => over.abort(parent.reason);
  if (parent.aborted) stop();
  else parent.addEventListener('abort', stop, { once: true });
  const expire = async (): Promise<void> => {
    await rest(ms, time, cleared.signal);
    if (cleared.signal.aborted) return;
    over.abort(new DOMException('the time for this has passed', 'TimeoutError'));
  };
  void expire();
  return {
    signal: withDeadline(over.signal, Math.min(time.now() + ms, deadlineOf(parent))),
    [Symbol.dispose]() {
      parent.removeEventListener('abort', stop);
      // A reason of ours: the default one is an error with a stack, made for nobody.
      cleared.abort('cleared');
    },
  };
}

/** Waits, and comes back early without complaint when the signal aborts. */
export async function rest(ms: number, time: Pick<Time, 'sleep'>, signal: AbortSignal): Promise<void> {
  try {
    await time.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
