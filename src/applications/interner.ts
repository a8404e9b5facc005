import { LRUCache } from 'lru-cache';
import { cutToBytes } from '../error/printable.ts';

/** One copy of each text: thousands of Applications name the same few repositories, revisions and images. */
export type Intern = (text: string, maxBytes: number) => string;

const MAX_TEXTS = 20_000;

/** Texts that were not seen for long are forgotten, and then kept once more than needed. */
export function createInterner(): Intern {
  const texts = new LRUCache<string, string>({ max: MAX_TEXTS });
  return (text, maxBytes) => {
    const bounded = cutToBytes(text, maxBytes);
    const known = texts.get(bounded);
    if (known !== undefined) return known;
    texts.set(bounded, bounded);
    return bounded;
  };
}
