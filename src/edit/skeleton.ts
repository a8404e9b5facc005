import { jsonSlices, type KeptSlice } from './json-skeleton.ts';

/** The part of a document that is parsed, and where it stands in the document. */
export interface Skeleton {
  readonly text: string;
  /** The offset in the document of an offset in `text`. */
  toDocument(offset: number): number;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const HASH = 35;
const DASH = 45;
const COLON = 58;
const CLOSING_BRACKET = 93;
const CLOSING_BRACE = 125;

/**
 * Drops the block map entries whose key is not relevant, with everything under them, so that a parser needs to read only
 * a tenth of an ordinary workload. What stays keeps its bytes, order and indentation.
 *
 * It relies on one rule of YAML: all that belongs to a key of a block map is indented deeper than the key (a sequence
 * may stand level with it). JSON is dropped by its members. Else only lines of the form `key:`, `- key:`, each with an optional value, are understood; a document with any other line
 * outside of a value, or with an anchor that an alias could name, is kept whole. Dropped text is not checked for being YAML.
 *
 * @see https://yaml.org/spec/1.2.2/#82-block-collection-styles
 */
export function skeletonOf(text: string, isRelevant: (key: string) => boolean): Skeleton {
  const kept = jsonSlices(text, isRelevant) ?? keptLines(text, isRelevant);
  return kept === undefined ? { text, toDocument: (offset) => offset } : joined(kept);
}

function keptLines(text: string, isRelevant: (key: string) => boolean): readonly KeptSlice[] | undefined {
  if (mayShareNodes(text) || hasLoneCarriageReturn(text)) return undefined;
  const parts: KeptSlice[] = [];
  let keepFrom = -1; // start of the lines kept since the last dropped one
  const flush = (end: number): void => {
    if (keepFrom !== -1 && keepFrom < end) parts.push({ start: keepFrom, end, text: text.slice(keepFrom, end) });
    keepFrom = -1;
  };
  // Lines deeper than this column belong to the value of the entry that was met last.
  let column = -1;
  let dropping = false;
  let next = 0;
  for (let at = 0; at < text.length; at = next) {
    const newline = text.indexOf('\n', at);
    next = newline === -1 ? text.length : newline + 1;
    let first = at;
    while (text.charCodeAt(first) === SPACE) first += 1;
    const indent = first - at;
    const code = text.charCodeAt(first);
    const blank = isLineEnd(code);
    if (column !== -1) {
      const levelItem = dropping && indent === column && code === DASH && isBlank(text, first + 1);
      const deeper = blank || indent > column || levelItem;
      if (deeper || code === HASH) {
        if (dropping) flush(at);
        else if (keepFrom === -1) keepFrom = at;
        continue;
      }
      column = -1;
    }
    if (blank || code === HASH) {
      flush(at);
      continue;
    }
    if (code === TAB || code === CLOSING_BRACE || code === CLOSING_BRACKET) return undefined;
    if (isMarker(text, first, indent)) {
      if (!isRestBlank(text, first + 3)) return undefined;
      if (keepFrom === -1) keepFrom = at;
      continue;
    }
    const dash = code === DASH && isBlank(text, first + 1);
    let key = first;
    if (dash) {
      key += 1;
      while (text.charCodeAt(key) === SPACE) key += 1;
      if (isLineEnd(text.charCodeAt(key))) {
        if (keepFrom === -1) keepFrom = at;
        continue;
      }
    }
    let colon = key;
    while (isKeyCharacter(text.charCodeAt(colon))) colon += 1;
    if (colon === key || text.charCodeAt(colon) !== COLON || !isBlank(text, colon + 1)) return undefined;
    dropping = !isRelevant(text.slice(key, colon));
    if (dropping) {
      flush(at);
      if (dash) parts.push({ start: at, end: first + 1, text: `${text.slice(at, first + 1)}\n` });
      column = key - at;
    } else {
      if (keepFrom === -1) keepFrom = at;
      // The lines of a value that begins here may look like entries; those of a value that begins below are entries.
      column = isRestBlank(text, colon + 1) ? -1 : key - at;
    }
  }
  flush(text.length);
  return parts;
}

function joined(parts: readonly KeptSlice[]): Skeleton {
  const starts: number[] = [];
  let length = 0;
  for (const part of parts) {
    starts.push(length);
    length += part.text.length;
  }
  return {
    text: parts.map((part) => part.text).join(''),
    toDocument(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      return (parts[low]?.start ?? 0) + offset - (starts[low] ?? 0);
    },
  };
}

/** Anchors are rarely written by renderers; a shell's `&&` and a schedule's star are, and name nothing together. */
const MAX_ANCHORS_COMPARED = 50;

function mayShareNodes(text: string): boolean {
  if (!text.includes('&') || !text.includes('*')) return false;
  let compared = 0;
  for (const [, name] of text.matchAll(/(?:^|[\s[{,:])&([^\s,[\]{}]+)/g)) {
    if (text.includes(`*${name ?? ''}`)) return true;
    compared += 1;
    if (compared === MAX_ANCHORS_COMPARED) return true;
  }
  return false;
}

function hasLoneCarriageReturn(text: string): boolean {
  return text.includes('\r') && /\r(?!\n)/.test(text);
}

function isMarker(text: string, at: number, indent: number): boolean {
  return indent === 0 && (text.startsWith('---', at) || text.startsWith('...', at)) && isBlank(text, at + 3);
}

function isLineEnd(code: number): boolean {
  return code === LF || code === CR || Number.isNaN(code);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === SPACE || code === TAB || isLineEnd(code);
}

/** Whether only blanks or a comment follow on the line. `at` is preceded by no blank. */
function isRestBlank(text: string, at: number): boolean {
  let code = text.charCodeAt(at);
  const start = at;
  let end = at;
  while (code === SPACE || code === TAB) {
    end += 1;
    code = text.charCodeAt(end);
  }
  return isLineEnd(code) || (code === HASH && end > start);
}

function isKeyCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || // a-z
    (code >= 65 && code <= 90) || // A-Z
    (code >= 45 && code <= 57) || // - . / 0-9
    code === 95 // _
  );
}
