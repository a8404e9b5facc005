import { LRUCache } from 'lru-cache';
import type { Ask, ResolveQuery } from '../resolve/resolver.ts';
import { Refusal } from './exchange.ts';

/** With the comma before it: a quote that a comma stands before is none inside of a text. */
const BEGINNING = ',"asks":[';
const WITHOUT_ASKS = Buffer.from(`${BEGINNING}]}`);
/** To read fewer bytes takes no time. */
const MIN_BYTES = 4_096;
/** Of all that is remembered together. */
const MAX_BYTES: number = 8 * 1024 * 1024;

/**
 * Reads queries, and remembers the asks of long ones by the bytes that they were read from: an application repeats them at each
 * generation, and sidecars write them last. The bytes are all that they are read from, so they are the very same.
 */
export class RepeatedAsks {
  readonly #known = new LRUCache<string, { readonly written: Buffer; readonly asks: readonly Ask[] }>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ written }) => written.length,
  });

  /**
   * @param body a whole query.
   * @param read reads a whole query.
   * @throws what `read` throws.
   */
  read(body: Buffer, read: (whole: Buffer) => ResolveQuery): ResolveQuery {
    const at = body.length < MIN_BYTES ? -1 : body.indexOf(BEGINNING);
    const written = body.subarray(at);
    const rest = at === -1 || written.length < MIN_BYTES ? undefined : restOf(body.subarray(0, at), read);
    if (rest === undefined) return read(body);
    const key = JSON.stringify([rest.who.application, rest.generation?.source ?? rest.source]);
    const known = this.#known.get(key);
    if (known?.written.equals(written) === true) return { ...rest, asks: known.asks };
    const whole = read(body);
    // A copy: the whole body, and what it came in, is larger.
    if (isAsksAlone(written)) this.#known.set(key, { written: Buffer.from(written), asks: whole.asks });
    return whole;
  }
}

/** What is said before the asks; undefined: the asks are not where they are looked for. */
function restOf(before: Buffer, read: (whole: Buffer) => ResolveQuery): ResolveQuery | undefined {
  try {
    return read(Buffer.concat([before, WITHOUT_ASKS]));
  } catch (error) {
    // What is wrong is told of the whole.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Whether nothing is said after the asks. Then a query with these and one without any differ in them alone. */
function isAsksAlone(written: Buffer): boolean {
  try {
    return Object.keys(JSON.parse(`{${written.toString('utf8', 1)}`) as object).join(',') === 'asks';
  } catch {
    return false;
  }
}
