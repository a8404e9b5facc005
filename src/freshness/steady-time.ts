/** No step of a clock that is read all the time is longer, in milliseconds; what is, is a jump. */
export const LONGEST_STEP_MS = 30_000;

/**
 * A time that only goes forward and never jumps, whatever is done to the wall clock. Read it at least every
 * {@link LONGEST_STEP_MS}.
 */
export class SteadyTime {
  readonly #wall: () => number;
  #last: number;
  #passed = 0;

  constructor(wall: () => number) {
    this.#wall = wall;
    this.#last = wall();
  }

  /** Milliseconds since this was made. */
  now(): number {
    const wall = this.#wall();
    this.#passed += Math.min(Math.max(wall - this.#last, 0), LONGEST_STEP_MS);
    this.#last = wall;
    return this.#passed;
  }

  /** The wall clock at a steady time, as far as it can be told now. */
  wallAt(steady: number): number {
    return this.#wall() + steady - this.now();
  }
}
