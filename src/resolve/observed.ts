import type { Notice, UserErrorData } from '../error/user-error.ts';
import type { Resolution } from './resolver.ts';

/** In mode observe nothing is written and nothing fails. */
export function observed(resolution: Resolution): Resolution {
  const { explanation, notices } = resolution;
  const base = {
    kind: 'as-in-git',
    reason: 'observe',
    ...(explanation === undefined ? {} : { explanation }),
  } as const;
  switch (resolution.kind) {
    case 'decided':
    case 'stale':
    case 'held':
      return { ...base, would: resolution.decision, why: `observed only: ${resolution.why}`, notices };
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return {
        ...base,
        why: `observed only: ${resolution.why}`,
        notices: [...notices, noticeOf(resolution.error)],
      };
    case 'pinned':
    case 'as-in-git':
      return resolution;
    default:
      return resolution satisfies never;
  }
}

/** What would have failed the generation. */
function noticeOf({ code, what, where }: UserErrorData): Notice {
  return { code, what, where };
}
