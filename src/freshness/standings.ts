import type { Failure, Standing } from './freshness.ts';
import type { Rests } from './rests.ts';
import type { SteadyTime } from './steady-time.ts';
import { failingOf, type Followed, type Target } from './target.ts';
import { pausedFault } from './trouble.ts';
import type { Turns } from './turns.ts';
import type { WatchList } from './watch-list.ts';

const NONE: ReadonlyMap<string, Failure> = new Map();

/** How images stand with their registries. */
export class Standings {
  readonly #list: WatchList;
  readonly #rests: Rests;
  readonly #turns: Turns;
  readonly #time: SteadyTime;

  constructor(parts: {
    readonly list: WatchList;
    readonly rests: Rests;
    readonly turns: Turns;
    readonly time: SteadyTime;
  }) {
    this.#list = parts.list;
    this.#rests = parts.rests;
    this.#turns = parts.turns;
    this.#time = parts.time;
  }

  /** Of the images of an application, by image. */
  of(application: string): ReadonlyMap<string, Standing> {
    const standings = new Map<string, Standing>();
    for (const { ask, followed } of this.#list.usesOf(application)) {
      const { image } = ask;
      if (standings.get(image)?.failing === undefined) standings.set(image, this.#standingOf(followed));
    }
    return standings;
  }

  /** Of those that fail alone. */
  failures(application: string): ReadonlyMap<string, Failure> {
    let failures: Map<string, Failure> | undefined;
    for (const { ask, followed } of this.#list.usesOf(application)) {
      const failing = this.#failureOf(followed);
      if (failing === undefined) continue;
      failures ??= new Map();
      if (!failures.has(ask.image)) failures.set(ask.image, failing);
    }
    return failures ?? NONE;
  }

  #standingOf(followed: Followed): Standing {
    const { lastCompleteAt, intervalMs } = followed.target;
    const next = this.#nextLookAt(followed.target);
    const failing = this.#failureOf(followed);
    return {
      ...(lastCompleteAt === undefined ? {} : { lastCompleteAt }),
      ...(next === undefined ? {} : { nextLookAt: next }),
      intervalMs,
      ...(failing === undefined ? {} : { failing }),
    };
  }

  #failureOf(followed: Followed): Failure | undefined {
    const failing = failingOf(followed);
    if (failing !== undefined) return failing;
    const held = this.#rests.holding(followed.target);
    return held && { since: held.since, fault: pausedFault(followed.target.access, held.kind) };
  }

  #nextLookAt(target: Target): number | undefined {
    const planned = [this.#turns.regular.at(target), this.#turns.soon.at(target)].filter((at) => at !== undefined);
    const next = Math.min(...planned, this.#rests.holding(target)?.until ?? Infinity);
    return next === Infinity ? undefined : Math.round(this.#time.wallAt(next));
  }
}
