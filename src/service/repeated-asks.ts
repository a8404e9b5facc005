import { LRUCache } from 'lru-cache';
import type { Ask, ResolveQuery } from '../resolve/resolver.ts';
import { Refusal } from './exchange.ts';

/** With the comma before it: a quote that a comma stands before is none inside of a text. */
const BEGINNING = ',"asks":[';
/** To read fewer characters takes no time. */
const MIN_CHARACTERS = 4_096;
/** Of all that is remembered together. */
const MAX_CHARACTERS: number = 8 * 1024 * 1024;

/**
 * Reads queries, and remembers the asks of long ones by the text that they were read from: an application repeats them at each
 * generation, and sidecars write them last. The text is all that they are read from, so they are the very same.
 */
export class RepeatedAsks {
  readonly #known = new LRUCache<string, { readonly written: string; readonly asks: readonly Ask[] }>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ written }) => written.length,
  });

  /**
   * @param text of a whole query.
   * @param read reads a whole query.
   * @throws what `read` throws.
   */
  read(text: string, read: (text: string) => ResolveQuery): ResolveQuery {
    const at = text.length < MIN_CHARACTERS ? -1 : text.indexOf(BEGINNING);
    const written = text.slice(at);
    const rest = at === -1 || text.length - at < MIN_CHARACTERS ? undefined : restOf(text.slice(0, at), read);
    if (rest === undefined) return read(text);
    const key = JSON.stringify([rest.who.application, rest.generation?.source ?? rest.source]);
    const known = this.#known.get(key);
    if (known?.written === written) return { ...rest, asks: known.asks };
    const whole = read(text);
    if (isAsksAlone(written)) this.#known.set(key, { written, asks: whole.asks });
    return whole;
  }
}

/** What is said before the asks; undefined: the asks are not where they are looked for. */
function restOf(before: string, read: (text: string) => ResolveQuery): ResolveQuery | undefined {
  try {
    return read(`${before}${BEGINNING}]}`);
  } catch (error) {
    // What is wrong is told of the whole.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Whether nothing is said after the asks. Then a query with these and one without any differ in them alone. */
function isAsksAlone(written: string): boolean {
  try {
    return Object.keys(JSON.parse(`{${written.slice(1)}`) as object).join(',') === 'asks';
  } catch {
    return false;
  }
}
