import type { ImagePolicy } from '../policy/image-policy.ts';
import type { Ask, Resolution, ResolveQuery, Resolver } from '../resolve/resolver.ts';
import type { Tag } from '../image/reference.ts';

/** The question a policy asks for one field (or, with a target, before there are fields). */
export function askFor(policy: ImagePolicy, tagInGit?: Tag): Ask {
  return {
    image: `${policy.repository.name}|${policy.alias}`,
    label: policy.alias,
    where: policy.origin.where,
    repository: policy.repository,
    choice: policy.choice,
    onUnsatisfied: policy.onUnsatisfied,
    onRemoved: policy.onRemoved,
    ...(policy.write.output !== undefined && { output: policy.write.output }),
    ...(policy.pollIntervalMs !== undefined && { pollIntervalMs: policy.pollIntervalMs }),
    ...(policy.credential !== undefined && { credential: policy.credential }),
    // Only a digest policy without a tag of its own follows the tag in Git; for the rest one ask serves every field.
    ...(tagInGit !== undefined && followsGit(policy) && { tagInGit }),
  };
}

function followsGit({ choice }: ImagePolicy): boolean {
  return (
    choice.kind === 'select' &&
    choice.selection.strategy.kind === 'digest' &&
    choice.selection.strategy.tag === undefined
  );
}

/**
 * Asks a resolver and remembers: what was answered before rendering is the answer after it too, so that one rendering
 * never mixes two answers to one question.
 */
export class Answers {
  readonly #resolver: Resolver;
  readonly #query: Omit<ResolveQuery, 'asks' | 'budgetMs'>;
  readonly #known = new Map<string, Resolution>();

  constructor(resolver: Resolver, query: Omit<ResolveQuery, 'asks' | 'budgetMs'>) {
    this.#resolver = resolver;
    this.#query = query;
  }

  /** One resolution per ask, in the same order. */
  async to(asks: readonly Ask[], budgetMs: number, signal: AbortSignal): Promise<readonly Resolution[]> {
    const keys = asks.map((ask) => JSON.stringify(ask));
    const unknown = new Map(
      asks.map((ask, index) => [keys[index] as string, ask] as const).filter(([key]) => !this.#known.has(key)),
    );
    if (unknown.size > 0) {
      const resolutions = await this.#resolver.resolve(
        { ...this.#query, budgetMs, asks: [...unknown.values()] },
        signal,
      );
      for (const [index, key] of [...unknown.keys()].entries()) {
        const resolution = resolutions[index];
        if (resolution === undefined)
          throw new Error(`the resolver answered ${resolutions.length} of ${unknown.size} asks`);
        this.#known.set(key, resolution);
      }
    }
    return keys.map((key) => this.#known.get(key) as Resolution);
  }
}
