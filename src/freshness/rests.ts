import type { Access } from '../registry/access.ts';
import type { Fault } from '../registry/sources.ts';
import type { Target } from './target.ts';

/** The longest a registry rests without having asked for it, in milliseconds. */
const LONGEST_REST_MS: number = 10 * 60 * 1000;
/** The longest `Retry-After` that is believed, in milliseconds. */
const LONGEST_RETRY_AFTER_MS: number = 60 * 60 * 1000;

/** A host (after an outage), or a credential at a host (after a 429), that is left alone. Times are steady. */
export interface Rest {
  readonly key: string;
  readonly host: string;
  readonly kind: 'outage' | 'throttled';
  /** Milliseconds since the epoch: when it began. */
  readonly since: number;
  until: number;
  tries: number;
  faultAt: number;
  fault: Fault;
  /** One look finds out whether it is over; the others wait for it. */
  probe: Target | undefined;
  readonly parked: Set<Target>;
}

/** What is known of the trouble of hosts, so that one who fails is told from one that fails all. */
export class Rests {
  readonly #rests = new Map<string, Rest>();
  /** When a look last succeeded, by the same keys. Steady. */
  readonly #succeeded = new Map<string, number>();

  all(): Iterable<Rest> {
    return this.#rests.values();
  }

  /** The rests that concern a target; the host's first. */
  of(access: Access): readonly Rest[] {
    // Nearly always, and everything that is looked at asks.
    if (this.#rests.size === 0) return [];
    return keysOf(access).flatMap((key) => this.#rests.get(key) ?? []);
  }

  /** The rest that a target waits for. */
  holding(target: Target): Rest | undefined {
    return this.of(target.access).find(({ parked }) => parked.has(target));
  }

  /** When the next one ends that somebody waits for. */
  get next(): number | undefined {
    let next: number | undefined;
    for (const { until, probe, parked } of this.#rests.values()) {
      if (probe === undefined && parked.size > 0) next = Math.min(until, next ?? Infinity);
    }
    return next;
  }

  /** Whether others succeeded where this target fails again: then the fault is its own. */
  isOwnFault(target: Target, kind: Rest['kind']): boolean {
    const succeeded = this.#succeeded.get(keyOf(target.access, kind));
    return target.faultAt !== undefined && succeeded !== undefined && succeeded > target.faultAt;
  }

  /** Answers the rests that are over by it. */
  succeeded(access: Access, startedAt: number, now: number): readonly Rest[] {
    const over = this.of(access).filter(({ faultAt }) => startedAt >= faultAt);
    for (const { key } of over) this.#rests.delete(key);
    for (const key of keysOf(access)) this.#succeeded.set(key, now);
    return over;
  }

  /**
   * A look failed in a way that concerns others. Begins a rest or makes it longer, unless the look began before the rest.
   *
   * @param options.escalates false: nothing was asked, because the client or the store leaves the registry alone already.
   */
  failed(
    target: Target,
    fault: Fault,
    options: {
      readonly kind: Rest['kind'];
      readonly startedAt: number;
      readonly now: number;
      /** Milliseconds since the epoch. */
      readonly wallNow: number;
      readonly random: number;
      readonly escalates: boolean;
    },
  ): { readonly rest: Rest; readonly isNew: boolean } {
    const { kind, startedAt, now, escalates } = options;
    const key = keyOf(target.access, kind);
    const known = this.#rests.get(key);
    const { host } = target.access.endpoint;
    const rest: Rest = known ?? {
      key,
      host,
      kind,
      since: options.wallNow,
      until: now,
      tries: 0,
      faultAt: now,
      fault,
      probe: undefined,
      parked: new Set(),
    };
    if (known === undefined || startedAt >= known.faultAt) {
      const asked = Math.min(fault.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
      if (escalates) rest.tries += 1;
      const grown = escalates ? Math.min(target.intervalMs * 2 ** (rest.tries - 1), LONGEST_REST_MS) : 0;
      // Never earlier than asked for: a millisecond more is no jitter yet.
      rest.until = now + Math.max(asked + 1, grown * (1 + 0.1 * options.random));
      rest.faultAt = now;
      rest.fault = fault;
    }
    this.#rests.set(key, rest);
    // To the end of the line.
    rest.parked.delete(target);
    rest.parked.add(target);
    return { rest, isNew: known === undefined };
  }
}

function keysOf(access: Access): readonly string[] {
  return [keyOf(access, 'outage'), keyOf(access, 'throttled')];
}

function keyOf({ endpoint, scope }: Access, kind: Rest['kind']): string {
  return kind === 'outage' ? endpoint.apiUrl : `${endpoint.apiUrl} as ${scope}`;
}
