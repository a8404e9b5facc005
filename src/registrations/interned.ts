import { hash } from 'node:crypto';

/**
 * One object for all that are equal. Of ten thousand applications many ask the very same, so it saves most of their memory,
 * and equal means identical. What nobody holds any more is let go of.
 */
export class Interned<T extends object> {
  readonly #known = new Map<string, WeakRef<T>>();
  /** Of objects that come again. */
  readonly #seen = new WeakMap<T, T>();
  readonly #gone = new FinalizationRegistry<string>((key) => {
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  /** @param value plain JSON; never changed afterwards. */
  one(value: T): T {
    const seen = this.#seen.get(value);
    if (seen !== undefined) return seen;
    const key = hash('sha1', JSON.stringify(value), 'base64');
    const known = this.#known.get(key)?.deref();
    this.#seen.set(value, known ?? value);
    if (known !== undefined) return known;
    this.#known.set(key, new WeakRef(value));
    this.#gone.register(value, key);
    return value;
  }
}
