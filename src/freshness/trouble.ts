import type { Fault } from '../registry/sources.ts';
import type { Access } from '../registry/access.ts';

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
