import type { Sleep } from '../registry/time.ts';
import { rest, type Time } from '../resolve/deadline.ts';

/** How often who waits looks whether there is something new to wait for, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/** Names, each with the time at which it is due. */
export class Overdue {
  readonly #time: Time;
  readonly #due = new Map<string, number>();

  constructor(time: { readonly now: () => number; readonly sleep: Sleep }) {
    this.#time = time;
  }

  /** Due in `ms`; the earliest time of several counts. */
  in(ms: number, name: string): void {
    const at = this.#time.now() + ms;
    this.#due.set(name, Math.min(at, this.#due.get(name) ?? Infinity));
  }

  /** Tells what is due, until the signal aborts; `everyLook` is called before each look. */
  async run(signal: AbortSignal, everyLook: () => void, tell: (name: string) => void): Promise<void> {
    let before = this.#time.now();
    while (!signal.aborted) {
      everyLook();
      const now = this.#time.now();
      // A clock that was set back must not make anybody wait for it to catch up.
      const back = Math.max(before - now, 0);
      before = now;
      for (const [name, at] of this.#due) {
        if (at - back > now) {
          if (back > 0) this.#due.set(name, at - back);
          continue;
        }
        this.#due.delete(name);
        tell(name);
      }
      await rest(LOOK_EVERY_MS, this.#time, signal);
    }
  }
}
