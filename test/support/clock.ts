import type { Sleep } from '../../src/registry/time.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time under a test's control: a wall clock that can be set wrong, and timers that run on their own, as a machine's do. */
export class FakeClock {
  #elapsed = 0;
  #wall: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs: number = Date.parse('2026-03-01T12:00:00Z')) {
    this.#wall = startMs;
  }

  /** Whole milliseconds, as `Date.now` gives them. */
  readonly now = (): number => Math.floor(this.#wall);

  readonly sleep: Sleep = (ms, signal) =>
    new Promise((done, failed) => {
      if (signal.aborted) {
        failed(signal.reason as Error);
        return;
      }
      const sleeper: Sleeper = {
        at: this.#elapsed + ms,
        wake: () => {
          signal.removeEventListener('abort', abort);
          done();
        },
      };
      const abort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        failed(signal.reason as Error);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#sleepers.push(sleeper);
    });

  /** How many wait. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Sets the wall clock forward or back; who sleeps does not notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** Lets time pass, waking who is due in order, and lets each do what it can before the next. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    for (;;) {
      await quiet();
      const next = this.#next();
      if (next === undefined || next.at > until) break;
      this.#passTo(next.at);
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.wake();
    }
    this.#passTo(until);
    await quiet();
  }

  /** Waits for a promise, letting exactly the time pass that it waits for. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const ended = promise.finally(() => {
      over = true;
    });
    ended.catch(() => undefined);
    for (;;) {
      await quiet();
      if (over) return promise;
      const next = this.#next();
      if (next === undefined) return promise;
      await this.advance(next.at - this.#elapsed);
    }
  }

  #next(): Sleeper | undefined {
    return this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
  }

  #passTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}

/** Everything that waits for nothing but promises has gone on until it waits for time. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((done) => setImmediate(done));
}
