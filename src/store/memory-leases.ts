import type { Lease, LeaseStore } from './store.ts';

/** Leases of a process that shares its store with no other: held until they are released, which who holds one always does. */
export function memoryLeases(): LeaseStore {
  const leases = new Map<string, Lease>();
  return {
    async acquire(name) {
      if (leases.has(name)) return undefined;
      const mine: Lease = {
        async release() {
          if (leases.get(name) === mine) leases.delete(name);
        },
      };
      leases.set(name, mine);
      return mine;
    },
  };
}
