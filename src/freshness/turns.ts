import { Schedule } from './schedule.ts';
import type { Target } from './target.ts';

/** Looks at once that are due by time; requests are bounded per host by the registry client. */
const LOOKS_AT_ONCE = 32;
/** Of those, at one host: one that is slow or asks to be slow leaves room for the others. */
const AT_ONE_HOST = 12;
/** Besides those, for what somebody waits for. */
const URGENT_LOOKS_AT_ONCE = 8;
const URGENT_AT_ONE_HOST = 4;
/**
 * What is due at a host within this time is looked at one after the other at its end, in milliseconds. A processor that is
 * woken for each look finds its caches cold and takes twice as long; and who asks meanwhile waits for one look at most.
 */
const TOGETHER_MS = 500;
/** What is due for so long does not wait for others at its host any more, in milliseconds: one at a time is not enough. */
const LATE_MS = 500;

/** What waits for its time, and how much of it is done at once. */
export class Turns {
  /** What is due by time. */
  readonly regular: Line = new Line();
  /** What somebody waits for. */
  readonly soon: Line = new Line();
  readonly #running = new Set<Promise<void>>();
  readonly #atHost = new Map<string, number>();

  /** What is due and has room; what somebody waits for first. */
  take(now: number): Target | undefined {
    return this.soon.take(now, this.#beginsSoon) ?? this.regular.take(now, this.#begins);
  }

  /** When the next may begin, if none ends before; Infinity: never. */
  get next(): number {
    return Math.min(this.soon.next(this.#beginsSoon), this.regular.next(this.#begins));
  }

  delete(target: Target): void {
    this.regular.delete(target);
    this.soon.delete(target);
  }

  /** Counts a look until it ends. @param ended told then. */
  begin(target: Target, looking: Promise<void>, ended: () => void): void {
    const host = hostOf(target);
    this.#running.add(looking);
    this.#atHost.set(host, (this.#atHost.get(host) ?? 0) + 1);
    const over = (): void => {
      this.#running.delete(looking);
      const left = (this.#atHost.get(host) ?? 1) - 1;
      if (left === 0) this.#atHost.delete(host);
      else this.#atHost.set(host, left);
      ended();
    };
    looking.then(over, over);
  }

  /** Comes back when every look has ended. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  readonly #begins: Begins = (host, at) => {
    const running = this.#atHost.get(host) ?? 0;
    if (this.#running.size >= LOOKS_AT_ONCE || running >= AT_ONE_HOST) return Infinity;
    return running > 0 ? at + LATE_MS : Math.ceil(at / TOGETHER_MS) * TOGETHER_MS;
  };

  readonly #beginsSoon: Begins = (host, at) => {
    const isFull =
      this.#running.size >= LOOKS_AT_ONCE + URGENT_LOOKS_AT_ONCE ||
      (this.#atHost.get(host) ?? 0) >= AT_ONE_HOST + URGENT_AT_ONE_HOST;
    return isFull ? Infinity : at;
  };
}

/** When what is due at a host at a time may begin as things are; Infinity: there is no room. */
type Begins = (host: string, at: number) => number;

/** Targets by time, those of each host apart. */
class Line {
  readonly #hosts = new Map<string, Schedule<Target>>();

  at(target: Target): number | undefined {
    return this.#hosts.get(hostOf(target))?.at(target);
  }

  set(target: Target, at: number): void {
    const host = hostOf(target);
    const schedule = this.#hosts.get(host) ?? new Schedule<Target>();
    schedule.set(target, at);
    this.#hosts.set(host, schedule);
  }

  delete(target: Target): void {
    this.#remove(hostOf(target), (schedule) => schedule.delete(target));
  }

  next(begins: Begins): number {
    return this.#first(begins).at;
  }

  take(now: number, begins: Begins): Target | undefined {
    const { host, at } = this.#first(begins);
    return host === undefined || at > now ? undefined : this.#remove(host, (schedule) => schedule.take(now));
  }

  /** The host whose turn is next, and when. */
  #first(begins: Begins): { readonly host?: string; readonly at: number } {
    let first: { readonly host?: string; readonly at: number } = { at: Infinity };
    for (const [host, { next }] of this.#hosts) {
      const at = next === undefined ? Infinity : begins(host, next);
      if (at < first.at) first = { host, at };
    }
    return first;
  }

  /** A host with nothing left is forgotten: operators come and go with them. */
  #remove<T>(host: string, remove: (schedule: Schedule<Target>) => T): T | undefined {
    const schedule = this.#hosts.get(host);
    if (schedule === undefined) return undefined;
    const removed = remove(schedule);
    if (schedule.next === undefined) this.#hosts.delete(host);
    return removed;
  }
}

function hostOf({ access }: Target): string {
  return access.endpoint.apiUrl;
}
