/** Work that waits for its turn. */
interface Waiting {
  readonly group: string;
  readonly start: () => void;
}

export interface PoolLimits {
  /** At once in all. */
  readonly slots: number;
  /** At once of one group, as long as others may come. */
  readonly perGroup: number;
  /** That wait, in all; more are refused. */
  readonly waiting: number;
}

/** Runs work in a bounded number of slots; groups that have much to do take turns with those who have little. */
export class FairPool {
  readonly #limits: PoolLimits;
  /** By group, in the order of their turns. */
  readonly #queues = new Map<string, Waiting[]>();
  readonly #running = new Map<string, number>();
  #total = 0;
  #waiting = 0;

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** Undefined: too many wait already. */
  run<T>(group: string, work: () => Promise<T>): Promise<T> | undefined {
    if (this.#waiting >= this.#limits.waiting) return undefined;
    return new Promise<T>((resolve, reject) => {
      const queue = this.#queues.get(group) ?? [];
      queue.push({ group, start: () => void this.#work(group, work).then(resolve, reject) });
      this.#queues.set(group, queue);
      this.#waiting += 1;
      this.#next();
    });
  }

  async #work<T>(group: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#total -= 1;
      const running = (this.#running.get(group) ?? 1) - 1;
      if (running === 0) this.#running.delete(group);
      else this.#running.set(group, running);
      this.#next();
    }
  }

  #next(): void {
    for (const [group, queue] of this.#queues) {
      if (this.#total >= this.#limits.slots) return;
      const running = this.#running.get(group) ?? 0;
      if (running >= this.#limits.perGroup) continue;
      const first = queue.shift();
      // To the end of the line, or out of it. A Map goes on with what is put in while it is walked through.
      this.#queues.delete(group);
      if (queue.length > 0) this.#queues.set(group, queue);
      if (first === undefined) continue;
      this.#waiting -= 1;
      this.#total += 1;
      this.#running.set(group, running + 1);
      first.start();
    }
  }
}
