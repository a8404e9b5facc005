import type { FilterSpec, Selection, StrategySpec } from '../strategy/selection.ts';
import type { Platform } from '../image/platform.ts';
import type { Access } from '../registry/access.ts';
import type { DecisionKey, ListingKey } from '../store/store.ts';
import type { Ask } from './resolver.ts';

// Keys are JSON texts of tuples: no part can run into its neighbour, whatever a tenant wrote. They are not hashed, because
// loading node:crypto costs more than a long key.

/** One repository as seen with one access scope. Nothing that was seen under another key is ever used for this one. */
export function listingKey(access: Access): ListingKey {
  return JSON.stringify([access.scope, access.repository.name]) as ListingKey;
}

/**
 * What is decided: a listing key and what selects from it. Not in it: alias, output, targets, interval. `on-removed:
 * next-best` is: who opted in must not move the decision of those who did not (what such a key begins with: `decision-of.ts`).
 */
export function decisionKey(access: Access, selection: Selection, onRemoved: Ask['onRemoved']): DecisionKey {
  return JSON.stringify([
    access.scope,
    access.repository.name,
    strategyParts(selection.strategy),
    inOrder(selection.filters.map(filterParts)),
    platformsKey(selection.platforms),
    ...(onRemoved === 'next-best' ? [onRemoved] : []),
  ]) as DecisionKey;
}

/** Platforms in an order of their own: what build facts are kept under. */
export function platformsKey(platforms: readonly Platform[]): string {
  const names = platforms.map(({ os, architecture, variant }) =>
    [os, architecture, ...(variant === undefined ? [] : [variant])].join('/'),
  );
  return inOrder(names).join(',');
}

/** The lease (and the kept fault) of renewing a listing with everything that hangs on it. */
export function listingLease(key: ListingKey): string {
  return `list ${key}`;
}

/** The lease (and the kept fault) of asking what one tag points at. */
export function headLease(key: ListingKey, tag: string): string {
  return `head ${tag} ${key}`;
}

function strategyParts(strategy: StrategySpec): readonly (string | null)[] {
  switch (strategy.kind) {
    case 'semver':
      return [strategy.kind, strategy.constraint];
    case 'digest':
      return [strategy.kind, strategy.tag ?? null];
    case 'newest-build':
    case 'alphabetical':
      return [strategy.kind];
    default:
      return strategy satisfies never;
  }
}

function filterParts({ effect, kind, pattern }: FilterSpec): string {
  return JSON.stringify([effect, kind, pattern]);
}

/** Order and repetition of filters and platforms mean nothing. */
function inOrder(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

/** Whether a decision was made from this listing key: same rights, same repository. */
export function isDecidedFrom(decision: DecisionKey, listing: ListingKey): boolean {
  return decision.startsWith(`${listing.slice(0, -1)},`);
}
