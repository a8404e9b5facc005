import type { Sleep } from '../registry/time.ts';

/** Lets a loop rest until somebody wakes it or a time has passed. A wake that comes before the rest is not lost. */
export class Waker {
  readonly #sleep: Sleep;
  #woken = false;
  #wake: (() => void) | undefined;

  constructor(sleep: Sleep) {
    this.#sleep = sleep;
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** @param ms undefined: until somebody wakes it. */
  async rest(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) await this.#until(ms, signal);
    this.#woken = false;
  }

  async #until(ms: number | undefined, signal: AbortSignal): Promise<void> {
    const awake = new AbortController();
    // With a reason of ours: the default one is an error with a stack, made for nobody.
    const wake = (): void => awake.abort('awake');
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    try {
      if (ms === undefined)
        await new Promise<void>((done) => awake.signal.addEventListener('abort', () => done(), { once: true }));
      else await this.#sleep(ms, awake.signal).catch((error: unknown) => this.#expectAbort(error, awake.signal));
    } finally {
      this.#wake = undefined;
      signal.removeEventListener('abort', wake);
      // A sleep that ended by itself leaves nothing behind.
      wake();
    }
  }

  #expectAbort(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) throw error;
  }
}

/** Lets everything else that is due go first. */
export function nextTurn(): Promise<void> {
  return new Promise((next) => setImmediate(next));
}
