import { URGENCIES } from './refresh-cause.ts';

/** Where an application stands in the queue. */
export type Place =
  /** To be asked as soon as there is room. */
  | { readonly kind: 'ready'; readonly urgency: number }
  /** Left alone until then, milliseconds since the epoch. */
  | { readonly kind: 'resting'; readonly until: number }
  /** In flight; to be looked at again at that time at the latest. */
  | { readonly kind: 'asked'; readonly until: number };

/** Nothing waits longer: a later time shows that the clock was set back. */
const LONGEST_MS = 1_200_000;

/** Who is next, and when somebody is. In memory; made from the entries. */
export class QueueOrder {
  /** By urgency, in the order they came. */
  readonly #ready: readonly Set<string>[] = Array.from({ length: URGENCIES }, () => new Set<string>());
  readonly #times = new Map<string, number>();
  readonly #asked = new Set<string>();

  place(application: string, place: Place | undefined): void {
    const urgency = place?.kind === 'ready' ? place.urgency : undefined;
    // Who is ready already keeps the turn.
    for (const [at, ready] of this.#ready.entries()) if (at !== urgency) ready.delete(application);
    if (urgency !== undefined) this.#ready[urgency]?.add(application);
    if (place?.kind === 'asked') this.#asked.add(application);
    else this.#asked.delete(application);
    if (place === undefined || place.kind === 'ready') this.#times.delete(application);
    else this.#times.set(application, place.until);
  }

  /** Most urgent first, then oldest first. */
  *ready(): Iterable<string> {
    for (const ready of this.#ready) yield* ready;
  }

  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  get hasReady(): boolean {
    return this.#ready.some(({ size }) => size > 0);
  }

  /** Whose time has come, told once. */
  due(now: number): readonly string[] {
    const due = [...this.#times]
      .filter(([, at]) => at <= now || at > now + LONGEST_MS)
      .map(([application]) => application);
    for (const application of due) this.#times.delete(application);
    return due;
  }

  /** When the next one is due. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    for (const at of this.#times.values()) next = Math.min(next ?? at, at);
    return next;
  }
}
