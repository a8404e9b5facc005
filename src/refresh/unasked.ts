import type { RefreshEntry } from './refresh-entry.ts';

/** Requests for an application for which nothing gets through to us while others do. */
const MAX_ATTEMPTS = 3;
/** Between them, in milliseconds: in this time all replicas of repo-server are replaced. */
const PAUSE_MS = 600_000;
/** How often they are looked through, in milliseconds. */
const LOOK_EVERY_MS = 60_000;

/** Whether it was given up because nothing got through to us for it. */
export function isUnasked({ kind, cause }: RefreshEntry): boolean {
  return kind === 'given-up' && cause === 'unknown';
}

/** Applications for which nothing got through to us. */
export class Unasked {
  readonly #entries = new Map<string, RefreshEntry>();
  #lookedAt = -Infinity;

  /** Takes note of how an application stands in the queue. */
  note(name: string, entry: RefreshEntry | undefined): void {
    if (entry !== undefined && isUnasked(entry)) this.#entries.set(name, entry);
    else this.#entries.delete(name);
  }

  /**
   * Somebody got through: the sidecars of these may know where we are by now. Each is named a few times only, because there may
   * be sidecars that never will.
   */
  toTryAgain(now: number): readonly (readonly [string, RefreshEntry])[] {
    const sinceLook = now - this.#lookedAt;
    if (this.#entries.size === 0 || (sinceLook >= 0 && sinceLook < LOOK_EVERY_MS)) return [];
    this.#lookedAt = now;
    return [...this.#entries].filter(([, { attempts, asked }]) => {
      const age = now - (asked?.at ?? 0);
      return attempts < MAX_ATTEMPTS && (age < 0 || age >= PAUSE_MS);
    });
  }
}
