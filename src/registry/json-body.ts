import type { HttpAnswer } from './transport.ts';

/** A body as JSON; undefined when it is not UTF-8 or not JSON (HTML, cut off). JSON itself has no undefined. */
export function readJson(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(answer.body)) as unknown;
  } catch {
    return undefined;
  }
}
