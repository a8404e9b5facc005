import type { Tag } from '../image/reference.ts';
import type { Strategy } from './strategy.ts';

/**
 * One tag, whatever it points at.
 *
 * @param tag absent: the tag of the field in Git, which the caller then hands in as the only candidate.
 */
export function digestStrategy(tag: Tag | undefined, options: { readonly rejections: boolean }): Strategy {
  return {
    label: tag === undefined ? 'digest' : `digest ${tag}`,
    needs: 'digest',
    rank(candidates) {
      const followed = tag ?? (candidates.length === 1 ? candidates[0]?.tag : undefined);
      const ranked = candidates.filter((candidate) => candidate.tag === followed);
      const rule = followed === undefined ? 'digest without a tag to follow' : `not the tag ${followed}`;
      const others = options.rejections ? candidates.filter((candidate) => candidate.tag !== followed) : [];
      return { best: ranked[0], ranked, rejected: others.map((other) => ({ tag: other.tag, rule })) };
    },
  };
}
