/** What waits, whose it is, and what it costs to let it wait. */
export interface Waiting<T> {
  readonly item: T;
  readonly group: string;
  readonly weight: number;
}

/**
 * A bounded queue in which groups take turns, so that what one group puts in delays another by one item. When it is full,
 * the group with the most in it loses its last item.
 */
export class FairQueue<T> {
  readonly #maxWeight: number;
  /** In the order of their turns. */
  readonly #groups = new Map<string, Waiting<T>[]>();
  readonly #weights = new Map<string, number>();
  #weight = 0;
  #last = '';

  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  /** Adds something; answers what had to go for it, perhaps the thing itself. */
  add(waiting: Waiting<T>): readonly T[] {
    const { group } = waiting;
    const items = this.#groups.get(group);
    if (items === undefined) {
      this.#groups.set(group, [waiting]);
      // Who had the last turn lets who comes new go first.
      this.#moveBehind(this.#last);
    } else items.push(waiting);
    this.#weigh(group, waiting.weight);
    const gone: T[] = [];
    while (this.#weight > this.#maxWeight) {
      const [heaviest] = [...this.#weights].reduce((most, one) => (one[1] > most[1] ? one : most));
      const last = this.#groups.get(heaviest)?.at(-1);
      if (last === undefined) break;
      this.remove(last);
      gone.push(last.item);
    }
    return gone;
  }

  /** The next of the group whose turn it is, of those that may have one now. */
  take(mayHaveTurn: (group: string) => boolean): T | undefined {
    for (const [group, items] of this.#groups) {
      const [first] = items;
      if (first === undefined || !mayHaveTurn(group)) continue;
      this.remove(first);
      this.#last = group;
      this.#moveBehind(group);
      return first.item;
    }
    return undefined;
  }

  remove(waiting: Waiting<T>): void {
    const { group } = waiting;
    const items = this.#groups.get(group) ?? [];
    const at = items.indexOf(waiting);
    if (at < 0) return;
    items.splice(at, 1);
    this.#weigh(group, -waiting.weight);
    if (items.length > 0) return;
    this.#groups.delete(group);
    this.#weights.delete(group);
  }

  #moveBehind(group: string): void {
    const items = this.#groups.get(group);
    if (items === undefined) return;
    this.#groups.delete(group);
    this.#groups.set(group, items);
  }

  #weigh(group: string, weight: number): void {
    this.#weight += weight;
    this.#weights.set(group, (this.#weights.get(group) ?? 0) + weight);
  }
}
