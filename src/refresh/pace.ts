import { backOffMs } from './back-off.ts';

/** Between two patches: 20 a second are no load for an API server, and a thousand at once are. */
const GAP_MS = 50;
const AFTER_FAULT = { firstMs: 1000, longestMs: 60_000 } as const;

/** When the API may be written to next. */
export class Pace {
  readonly #random: () => number;
  #next = 0;
  #faults = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds from now; 0: at once. */
  waitMs(now: number): number {
    const wait = this.#next - now;
    // A longer wait than there is: the clock was set back.
    if (wait > 2 * AFTER_FAULT.longestMs) this.#next = now;
    return Math.max(0, this.#next - now);
  }

  began(now: number): void {
    this.#next = Math.max(this.#next, now + GAP_MS);
  }

  answered(): void {
    this.#faults = 0;
  }

  /** The API is overloaded or away: nobody writes for a while. */
  failed(now: number): void {
    this.#faults += 1;
    this.#next = Math.max(this.#next, now + backOffMs(this.#faults, AFTER_FAULT, this.#random));
  }
}
