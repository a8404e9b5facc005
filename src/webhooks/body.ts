import { parsed, unparsed, type Parsed } from '../error/parsed.ts';

/** Collections within collections. GitHub's events, the deepest there are, have nine. */
const MAX_DEPTH = 64;

/** A body as JSON, its depth checked before anything is built from it. What is wrong is said without a word of the body. */
export function parseBody(body: Buffer): Parsed<unknown> {
  if (isDeep(body)) return unparsed(`nests more than ${MAX_DEPTH} deep`);
  try {
    return parsed(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown);
  } catch {
    return unparsed('is not JSON');
  }
}

/** Counts brackets outside of strings. Of a body that is not JSON the count means nothing, and parsing finds that out. */
function isDeep(body: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
