interface Entry<T> {
  at: number;
  readonly item: T;
  place: number;
}

/** Items by time, the earliest first: a heap, because thousands wait and one is due. */
export class Schedule<T> {
  readonly #heap: Entry<T>[] = [];
  readonly #entries = new Map<T, Entry<T>>();

  /** When the first is due. */
  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  /** When an item is due. */
  at(item: T): number | undefined {
    return this.#entries.get(item)?.at;
  }

  /** Puts an item in, or moves it. */
  set(item: T, at: number): void {
    const known = this.#entries.get(item);
    if (known === undefined) {
      const entry = { at, item, place: this.#heap.length };
      this.#entries.set(item, entry);
      this.#heap.push(entry);
      this.#rise(entry);
      return;
    }
    const earlier = at < known.at;
    known.at = at;
    if (earlier) this.#rise(known);
    else this.#sink(known);
  }

  delete(item: T): void {
    const entry = this.#entries.get(item);
    if (entry === undefined) return;
    this.#entries.delete(item);
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#put(last, entry.place);
    this.#rise(last);
    this.#sink(last);
  }

  /** Takes out the first that is due. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.delete(first.item);
    return first.item;
  }

  #rise(entry: Entry<T>): void {
    while (entry.place > 0) {
      const above = this.#heap[(entry.place - 1) >> 1];
      if (above === undefined || above.at <= entry.at) return;
      this.#swap(entry, above);
    }
  }

  #sink(entry: Entry<T>): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      const right = this.#heap[2 * entry.place + 2];
      const below = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (below === undefined || below.at >= entry.at) return;
      this.#swap(entry, below);
    }
  }

  #swap(one: Entry<T>, other: Entry<T>): void {
    const { place } = one;
    this.#put(one, other.place);
    this.#put(other, place);
  }

  #put(entry: Entry<T>, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }
}
