import type { Sleep } from '../../src/registry/time.ts';

/** Never comes back. */
const never = (): Promise<never> => new Promise(() => {});

type Call = (...args: readonly unknown[]) => unknown;

/** A process that can end at any effect: from then on nothing it does has an effect, and nothing reaches it. */
export class Life {
  isOver = false;
  #left = Infinity;

  /** Ends it before (odd) or after (even) one of its next effects. */
  endAfter(effects: number): void {
    this.#left = effects;
  }

  end(): void {
    this.isOver = true;
  }

  /** The same thing as this process has it: every call of it is an effect. */
  guard<T extends object>(thing: T): T {
    return new Proxy(thing, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value === 'function')
          return (...args: readonly unknown[]) => this.#call(target, value as Call, args);
        return typeof value === 'object' && value !== null ? this.guard(value) : value;
      },
    });
  }

  sleep(real: Sleep): Sleep {
    return async (ms, signal) => {
      if (this.isOver) await never();
      try {
        await real(ms, signal);
      } finally {
        if (this.isOver) await never();
      }
    };
  }

  #call(target: object, method: Call, args: readonly unknown[]): unknown {
    this.#step();
    if (this.isOver) return never();
    const result = method.apply(target, [...args]);
    return result instanceof Promise ? this.#outcome(result) : this.#wrapped(result);
  }

  async #outcome(result: Promise<unknown>): Promise<unknown> {
    try {
      return this.#wrapped(await result);
    } finally {
      this.#step();
      if (this.isOver) await never();
    }
  }

  /** A lease, a collection: what can do something itself. */
  #wrapped(result: unknown): unknown {
    if (typeof result !== 'object' || result === null) return result;
    return Object.values(result).some((value) => typeof value === 'function') ? this.guard(result) : result;
  }

  #step(): void {
    this.#left -= 1;
    if (this.#left <= 0) this.isOver = true;
  }
}
