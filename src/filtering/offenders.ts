import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Fault } from '../registry/sources.ts';
import type { NamesWanted } from '../resolve/job.ts';
import { isFresh } from '../store/freshness.ts';

const REMEMBERED = 2_000;
const FIRST_MS = 60_000;
const LONGEST_MS = 30 * 60_000;

interface Offence {
  readonly fault: Fault;
  /** A shorter list is worth a try. */
  readonly tags: number;
  readonly at: number;
  readonly forMs: number;
}

/**
 * Policies that were too costly for their tags: a minute long the same fault is their answer, and twice as long each time
 * they are tried in vain, up to half an hour.
 */
export class Offenders {
  readonly #offences = new LRUCache<string, Offence>({ max: REMEMBERED });
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(wanted: NamesWanted, tags: number): Fault | undefined {
    const offence = this.#offences.size === 0 ? undefined : this.#offences.get(keyOf(wanted));
    if (offence === undefined || tags < offence.tags) return undefined;
    return isFresh(offence.at, offence.forMs, this.#now()) ? offence.fault : undefined;
  }

  add(wanted: NamesWanted, tags: number, fault: Fault): void {
    const key = keyOf(wanted);
    const before = this.#offences.get(key);
    const forMs = before === undefined ? FIRST_MS : Math.min(before.forMs * 2, LONGEST_MS);
    this.#offences.set(key, { fault, tags, at: this.#now(), forMs });
  }

  /** It went well with so many tags. */
  clear(wanted: NamesWanted, tags: number): void {
    if (this.#offences.size === 0) return;
    const key = keyOf(wanted);
    const offence = this.#offences.peek(key);
    if (offence !== undefined && tags >= offence.tags) this.#offences.delete(key);
  }
}

/** With the listing: the same policy may be fine on another repository, whose tenant can't be made to suffer for this one. */
function keyOf({ listing, selection }: NamesWanted): string {
  return hash('sha256', JSON.stringify([listing, selection.strategy, selection.filters]), 'base64');
}
