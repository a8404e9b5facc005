import { compareBytes } from './byte-order.ts';
import type { Strategy } from './strategy.ts';

/** The lexically last tag, in byte order. */
export function alphabeticalStrategy(): Strategy {
  return {
    label: 'alphabetical',
    needs: 'tags',
    rank(candidates) {
      const ranked = candidates.toSorted((a, b) => compareBytes(b.tag, a.tag));
      return { best: ranked[0], ranked, rejected: [] };
    },
  };
}
