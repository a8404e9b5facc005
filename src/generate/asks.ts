import type { Notice } from '../error/user-error.ts';
import type { Ask, GenerationClaim, Resolution, ResolveQuery, Resolver } from '../resolve/resolver.ts';

/**
 * Asks the resolver and remembers: what was answered before rendering is the answer after it too, so that one rendering
 * never mixes two answers to one question.
 */
export class Answers {
  readonly #open: () => Promise<Resolver>;
  readonly #query: Omit<ResolveQuery, 'asks' | 'budgetMs' | 'generation'>;
  #generation: GenerationClaim | undefined;
  readonly #known = new Map<string, Resolution>();
  #resolver: Promise<Resolver> | undefined;

  constructor(open: () => Promise<Resolver>, query: Omit<ResolveQuery, 'asks' | 'budgetMs'>) {
    this.#open = open;
    const { generation, ...rest } = query;
    this.#query = rest;
    this.#generation = generation;
  }

  /** The policies, now that they are read, want image changes as whole syncs. To be said before anything is asked. */
  wantFullSync(): void {
    if (this.#generation !== undefined) this.#generation = { ...this.#generation, sync: 'full' };
  }

  /** What was rendered has hooks: those that are deleted when they are done are nowhere else to be seen. */
  foundHooks(): void {
    if (this.#generation !== undefined) this.#generation = { ...this.#generation, hooks: true };
  }

  /** Opens the resolver while there is time. */
  async prepare(): Promise<void> {
    await (this.#resolver ??= this.#open());
  }

  /** One resolution per ask, in the same order. */
  async to(asks: readonly Ask[], budgetMs: number, signal: AbortSignal): Promise<readonly Resolution[]> {
    const keyed = asks.map((ask) => [JSON.stringify(ask), ask] as const);
    const unknown = new Map(keyed.filter(([key]) => !this.#known.has(key)));
    if (unknown.size > 0) {
      const resolver = await (this.#resolver ??= this.#open());
      const generation = this.#generation;
      const query = { ...this.#query, ...(generation !== undefined && { generation }), budgetMs };
      const resolutions = await resolver.resolve({ ...query, asks: [...unknown.values()] }, signal);
      // Who was told to stop says so; to the resolver it looks like time that ran out.
      signal.throwIfAborted();
      for (const [index, key] of [...unknown.keys()].entries()) this.#known.set(key, at(resolutions, index));
    }
    return keyed.map(([key]) => this.#known.get(key)).filter((resolution) => resolution !== undefined);
  }

  /** Tells whoever listens that the generation is over, also when it asked nothing. */
  async report(notices: readonly Notice[], signal: AbortSignal): Promise<void> {
    const generation = this.#generation;
    if (generation === undefined) return;
    const resolver = await (this.#resolver ??= this.#open());
    await resolver.report?.({ v: 1, who: this.#query.who, generation, notices }, signal);
  }
}

function at(resolutions: readonly Resolution[], index: number): Resolution {
  const resolution = resolutions[index];
  if (resolution === undefined) throw new Error(`the resolver answered ${resolutions.length} asks only`);
  return resolution;
}
