import { deadlineOf, withDeadline, type Sleep } from '../registry/time.ts';

/** Time as the resolver sees it: everything it waits for goes through here. */
export interface Time {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** A time that passes. */
export interface Deadline extends Disposable {
  /** Aborts when the time has passed or the parent aborts. */
  readonly signal: AbortSignal;
}

/** Starts a time of `ms`. Dispose of it, or it keeps a timer. The clock may jump meanwhile: only durations are used. */
export function startDeadline(ms: number, time: Time, parent: AbortSignal): Deadline {
  const over = new AbortController();
  const cleared = new AbortController();
  const expire = async (): Promise<void> => {
    await rest(ms, time, cleared.signal);
    if (cleared.signal.aborted) return;
    over.abort(new DOMException('the time for this has passed', 'TimeoutError'));
  };
  void expire();
  const signal = withDeadline(AbortSignal.any([over.signal, parent]), Math.min(time.now() + ms, deadlineOf(parent)));
  return {
    signal,
    // A reason of ours: the default one is an error with a stack, made for nobody.
    [Symbol.dispose]: () => cleared.abort('cleared'),
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
