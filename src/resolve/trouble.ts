import type { Fault } from '../registry/sources.ts';

/** Outages that are the host's. An answer that is no registry API can be one repository's own. */
const UNREACHABLE: ReadonlySet<string> = new Set(['REGISTRY_UNAVAILABLE', 'REGISTRY_TIMEOUT', 'REGISTRY_TLS']);

const OF_POLICY: ReadonlySet<string> = new Set([
  'FILTER_TOO_SLOW',
  'FILTER_INVALID',
  'CONSTRAINT_INVALID',
  'BUDGET_EXCEEDED',
]);

/** A policy that cannot be evaluated says nothing of the registry, or of the other policies on this listing. */
export function isOfPolicy({ error }: Fault): boolean {
  return OF_POLICY.has(error.code);
}

/**
 * Whom a fault concerns besides the repository it was met at: the host, this credential there, or nobody.
 *
 * @param wasRead the listing (or digest) that was asked for came. So the host is there, and what failed after that is one
 *   tag's or one policy's own, unless it is a request to slow down.
 */
export function troubleOf(fault: Fault, wasRead: boolean): 'outage' | 'throttled' | undefined {
  switch (fault.kind) {
    case 'throttled':
      return 'throttled';
    case 'outage':
    case 'cancelled':
      return !wasRead && UNREACHABLE.has(fault.error.code) ? 'outage' : undefined;
    case 'denied':
    case 'missing':
    case 'refused':
      return undefined;
    default:
      return fault.kind satisfies never;
  }
}
