/**
 * Who is not to be asked for a while. Processes may share it (a store); the default lives in memory. Keys are
 * `host <host:port>` after an outage and `host <host:port> credential <id>` after a 429.
 */
export interface Throttle {
  /** Until when, milliseconds since the epoch; undefined or a time in the past: not paused. */
  pausedUntil(key: string): number | undefined;
  pause(key: string, untilMs: number): void;
}

const MAX_PAUSES = 1000;

/** Pauses of this process alone. */
export function memoryThrottle(): Throttle {
  const pauses = new Map<string, number>();
  return {
    pausedUntil: (key) => pauses.get(key),
    pause: (key, untilMs) => {
      pauses.delete(key);
      pauses.set(key, untilMs);
      // Tenants can name hosts: the oldest goes first, and at worst a host is asked once more.
      const [oldest] = pauses.keys();
      if (pauses.size > MAX_PAUSES && oldest !== undefined) pauses.delete(oldest);
    },
  };
}
