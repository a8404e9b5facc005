import type { Fault } from '../registry/sources.ts';
import type { Access } from '../registry/access.ts';

/** Outages that are the host's. An answer that is no registry API can be one repository's own. */
const UNREACHABLE: ReadonlySet<string> = new Set(['REGISTRY_UNAVAILABLE', 'REGISTRY_TIMEOUT', 'REGISTRY_TLS']);

/** Whom a fault concerns besides the repository it was met at: the host, this credential there, or nobody. */
export function troubleOf(fault: Fault): 'outage' | 'throttled' | undefined {
  switch (fault.kind) {
    case 'throttled':
      return 'throttled';
    case 'outage':
      return UNREACHABLE.has(fault.error.code) ? 'outage' : undefined;
    case 'cancelled':
      return 'outage';
    case 'denied':
    case 'missing':
    case 'refused':
      return undefined;
    default:
      return fault.kind satisfies never;
  }
}

/** What somebody is told whose registry asked to be left alone. Says nothing of whom it asked that. */
export function throttledFault({ endpoint, repository }: Access): Fault {
  return {
    kind: 'throttled',
    error: {
      code: 'REGISTRY_THROTTLED',
      what: `${endpoint.host} asked to slow down`,
      where: repository.name,
      fix: 'wait: the application is refreshed by itself when the registry answers again',
    },
  };
}

/** A registry that is left alone. Says nothing of the request that failed: it may have been another tenant's. */
export function pausedFault({ endpoint, repository }: Access, kind: 'outage' | 'throttled', leftMs?: number): Fault {
  return {
    kind,
    ...(leftMs === undefined ? {} : { retryAfterMs: leftMs }),
    resting: true,
    error: {
      code: kind === 'outage' ? 'REGISTRY_UNAVAILABLE' : 'REGISTRY_THROTTLED',
      what: `${endpoint.host} is left alone for a while`,
      where: repository.name,
      fix: 'see whether the registry is up; it is asked again by itself',
    },
  };
}
