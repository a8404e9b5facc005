import type { FilterSpec, StrategySpec } from '../strategy/selection.ts';
import type { Ask } from './resolver.ts';

/** What an ask's policy says: `semver ~1.0, allow-tags "regexp:^v"`. */
export function policyInWords({ choice, tagInGit }: Pick<Ask, 'choice' | 'tagInGit'>): string {
  switch (choice.kind) {
    case 'select': {
      const { strategy, filters } = choice.selection;
      return [strategyInWords(strategy, tagInGit), ...filters.map(filterInWords)].join(', ');
    }
    case 'pin':
      return `pinned to ${'tag' in choice ? choice.tag : choice.digest}`;
    case 'none':
      return 'none';
    case 'paused':
      return 'paused';
    default:
      return choice satisfies never;
  }
}

function strategyInWords(strategy: StrategySpec, tagInGit: string | undefined): string {
  switch (strategy.kind) {
    case 'semver':
      return `semver ${strategy.constraint}`;
    case 'digest':
      return ['digest', strategy.tag ?? tagInGit].filter((part) => part !== undefined).join(' ');
    case 'newest-build':
    case 'alphabetical':
      return strategy.kind;
    default:
      return strategy satisfies never;
  }
}

function filterInWords({ effect, kind, pattern }: FilterSpec): string {
  return `${effect}-tags ${JSON.stringify(kind === 'regexp' ? `regexp:${pattern}` : pattern)}`;
}
