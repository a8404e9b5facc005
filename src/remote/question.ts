import type { Ask } from '../resolve/resolver.ts';

/**
 * What an ask asks, as one text: answers are kept under it. Without what only words the messages (label, where, untagged)
 * and how often the registry is looked at. A JSON text of a tuple, so that no part can run into its neighbour.
 */
export function questionOf(ask: Ask, project: string | undefined): string {
  const { choice } = ask;
  if (choice.kind !== 'select') throw new Error(`a ${choice.kind} needs no answer`);
  const { strategy, filters, platforms } = choice.selection;
  return JSON.stringify([
    project ?? null,
    ask.image,
    ask.repository.name,
    strategy.kind,
    'constraint' in strategy ? strategy.constraint : 'tag' in strategy ? (strategy.tag ?? null) : null,
    filters.map(({ effect, kind, pattern }) => [effect, kind, pattern]),
    platforms.map(({ os, architecture, variant }) => [os, architecture, variant ?? null]),
    ask.output ?? null,
    ask.onUnsatisfied,
    ask.onRemoved,
    ask.credential ?? null,
    ask.tagInGit ?? null,
  ]);
}
