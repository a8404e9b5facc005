import type { Tag } from '../../src/image/reference.ts';
import type { Candidate, Ranking } from '../../src/strategy/strategy.ts';

/** Tags that a test made up and knows to be legal. */
export function tags(...texts: readonly string[]): readonly Tag[] {
  return texts as readonly Tag[];
}

export function named(...texts: readonly string[]): readonly Candidate[] {
  return tags(...texts).map((tag) => ({ tag }));
}

/** Candidates with a build date each, RFC 3339; `undefined` where it is not known. */
export function built(dates: Readonly<Record<string, string | undefined>>): readonly Candidate[] {
  return Object.entries(dates).map(([text, date]) => {
    const tag = text as Tag;
    return date === undefined ? { tag } : { tag, createdMs: Date.parse(date) };
  });
}

/** The tags of a ranking, best first. */
export function order({ ranked }: Ranking): readonly string[] {
  return ranked.map(({ tag }) => tag);
}
