import type { Tag } from '../image/reference.ts';
import { selectorFor } from './from-spec.ts';
import type { Selection } from './selection.ts';
import type { Rejected, Selector } from './strategy.ts';

/** What names alone say of tags. */
export interface ByName {
  /** What the user wrote, for messages: `semver ~1.4, ignore-tags "*-rc*"`. */
  readonly label: string;
  /** Best first where names are enough to rank; for newest-build what the filters keep, in the order of the list. */
  readonly tags: readonly Tag[];
  /** As many as were to be told. */
  readonly rejected: readonly Rejected[];
  /** How many there were; 0 when none were to be told. */
  readonly rejectedTotal: number;
}

/**
 * Filters tags and, where the strategy reads names only, ranks them. It is the part of a selection that takes long for long
 * lists and costly patterns, so a process that must stay responsive has it done elsewhere.
 *
 * @param told how many rejected tags are wanted.
 * @throws {UserError} `CONSTRAINT_INVALID` or `FILTER_INVALID`.
 */
export async function selectByName(selection: Selection, tags: readonly Tag[], told: number): Promise<ByName> {
  const selector = await selectorFor(selection, { rejections: told > 0 });
  const { kept, rejected } = selector.preselect(tags);
  if (selector.needs === 'created') {
    return { label: selector.label, tags: kept, rejected: rejected.slice(0, told), rejectedTotal: rejected.length };
  }
  const ranking = selector.rank(kept.map((tag) => ({ tag })));
  return {
    label: selector.label,
    tags: ranking.ranked.map(({ tag }) => tag),
    rejected: [...rejected.slice(0, told), ...ranking.rejected.slice(0, told)].slice(0, told),
    rejectedTotal: rejected.length + ranking.rejected.length,
  };
}

/** Ranks what {@link selectByName} kept. Compiles no pattern. */
export async function rankerFor(selection: Selection): Promise<Pick<Selector, 'needs' | 'rank'>> {
  return selectorFor({ ...selection, filters: [] }, { rejections: false });
}
