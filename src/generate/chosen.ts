import type { Chosen } from '../policy/output.ts';
import type { Resolution } from '../resolve/resolver.ts';

/** What a resolution chose; undefined when the image stays as in Git or there is no answer. */
export function chosenIn(resolution: Resolution): Chosen | undefined {
  switch (resolution.kind) {
    case 'decided':
    case 'stale':
    case 'held':
      return resolution.decision;
    case 'pinned':
      return resolution;
    case 'as-in-git':
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return undefined;
    default:
      return resolution satisfies never;
  }
}
