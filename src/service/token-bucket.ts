/** So many at once, and so many more in each second. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #size: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** @param now milliseconds; a clock that jumps fills the bucket at most once. */
  constructor(options: { readonly perSecond: number; readonly size: number; readonly now: () => number }) {
    this.#perSecond = options.perSecond;
    this.#size = options.size;
    this.#now = options.now;
    this.#tokens = options.size;
    this.#filledAt = options.now();
  }

  take(): boolean {
    const now = this.#now();
    const passed = Math.max(0, now - this.#filledAt) / 1000;
    this.#tokens = Math.min(this.#size, this.#tokens + passed * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
