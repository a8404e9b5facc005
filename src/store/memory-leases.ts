import { holds } from './freshness.ts';
import type { LeaseStore } from './store.ts';

/** Leases of a process that shares its store with no other. There are as many as there is work under one. */
export function memoryLeases(now: () => number): LeaseStore {
  const leases = new Map<string, { since: number; until: number }>();
  return {
    async acquire(name, ttlMs) {
      const held = leases.get(name);
      if (held !== undefined && holds(held.since, held.until, now())) return undefined;
      const mine = { since: now(), until: now() + ttlMs };
      leases.set(name, mine);
      return {
        async extend() {
          if (leases.get(name) !== mine) return false;
          mine.since = now();
          mine.until = now() + ttlMs;
          return true;
        },
        async release() {
          if (leases.get(name) === mine) leases.delete(name);
        },
      };
    },
  };
}
