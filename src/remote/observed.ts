import type { Resolution } from '../resolve/resolver.ts';

/** Mode observe on the sidecar's side: nothing is written and nothing fails, whatever the controller says or if it is away. */
export function withoutFailing(resolution: Resolution): Resolution {
  const { explanation, notices } = resolution;
  const base = { kind: 'as-in-git', reason: 'observe', ...(explanation !== undefined && { explanation }) } as const;
  switch (resolution.kind) {
    case 'decided':
    case 'stale':
    case 'held':
      return { ...base, would: resolution.decision, why: `observed only: ${resolution.why}`, notices };
    case 'unsatisfied':
    case 'refused':
    case 'failed': {
      const { code, what, where } = resolution.error;
      return { ...base, why: `observed only: ${resolution.why}`, notices: [...notices, { code, what, where }] };
    }
    case 'pinned':
    case 'as-in-git':
      return resolution;
    default:
      return resolution satisfies never;
  }
}
