/** How much is worked on at once. */
export interface GateLimits {
  readonly inWork: number;
  readonly waiting: number;
}

/** Lets so many in at a time; so many more wait for their turn, in order. */
export class Gate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<() => void>();
  #inWork = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get inWork(): number {
    return this.#inWork;
  }

  /**
   * A place, to be given back by disposing of it; undefined: all are taken, and so are those to wait.
   *
   * @throws the signal's reason when it aborts meanwhile.
   */
  async enter(signal: AbortSignal): Promise<Disposable | undefined> {
    signal.throwIfAborted();
    if (this.#inWork < this.#limits.inWork) this.#inWork += 1;
    else if (this.#waiting.size >= this.#limits.waiting) return undefined;
    // Whoever leaves hands the place over, so that it stays counted.
    else await this.#turn(signal);
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#leave();
      },
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((done, failed) => {
      const go = (): void => {
        signal.removeEventListener('abort', abort);
        done();
      };
      const abort = (): void => {
        this.#waiting.delete(go);
        failed(signal.reason as Error);
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inWork -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
