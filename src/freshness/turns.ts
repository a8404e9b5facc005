import { Schedule } from './schedule.ts';
import type { Target } from './target.ts';

/** Looks at once that are due by time; requests are bounded per host by the registry client. */
const LOOKS_AT_ONCE = 32;
/** Of those, at one host: one that is slow or asks to be slow leaves room for the others. */
const AT_ONE_HOST = 12;
/** Besides those, for what somebody waits for. */
const URGENT_LOOKS_AT_ONCE = 8;
const URGENT_AT_ONE_HOST = 4;

/** What waits for its time, and how much of it is done at once. */
export class Turns {
  /** What is due by time. */
  readonly regular: Line = new Line();
  /** What somebody waits for. */
  readonly soon: Line = new Line();
  readonly #running = new Set<Promise<void>>();
  readonly #atHost = new Map<string, number>();
  readonly #hasRoom = (host: string): boolean => this.#isWithin(host, LOOKS_AT_ONCE, AT_ONE_HOST);
  readonly #hasUrgentRoom = (host: string): boolean =>
    this.#isWithin(host, LOOKS_AT_ONCE + URGENT_LOOKS_AT_ONCE, AT_ONE_HOST + URGENT_AT_ONE_HOST);

  /** What is due and has room; what somebody waits for first. */
  take(now: number): Target | undefined {
    return this.soon.take(now, this.#hasUrgentRoom) ?? this.regular.take(now, this.#hasRoom);
  }

  /** When the first is due of what has room; Infinity: never. */
  get next(): number {
    return Math.min(this.soon.next(this.#hasUrgentRoom), this.regular.next(this.#hasRoom));
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

  #isWithin(host: string, inAll: number, atHost: number): boolean {
    return this.#running.size < inAll && (this.#atHost.get(host) ?? 0) < atHost;
  }
}

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

  /** Infinity: none has room. */
  next(hasRoom: (host: string) => boolean): number {
    let first = Infinity;
    for (const [host, { next = Infinity }] of this.#hosts) if (next < first && hasRoom(host)) first = next;
    return first;
  }

  take(now: number, hasRoom: (host: string) => boolean): Target | undefined {
    const first = this.next(hasRoom);
    if (first > now) return undefined;
    for (const [host, { next }] of this.#hosts) {
      if (next === first && hasRoom(host)) return this.#remove(host, (schedule) => schedule.take(now));
    }
    return undefined;
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
