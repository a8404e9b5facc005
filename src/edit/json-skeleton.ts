import { MAX_DEPTH } from './depth.ts';

/** A slice of a document that is kept. */
export interface KeptSlice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** An object or list that is open. */
interface Open {
  readonly isObject: boolean;
  /** Where the member in hand begins; its key. */
  memberStart: number;
  /** Where the last member ends, kept or not. */
  lastEnd: number;
  keptAny: boolean;
  /** The member in hand is dropped. */
  dropping: boolean;
}

/** What may come next. */
type Next = 'value' | 'member' | 'member or end' | 'comma or end';

/** Slices of one document; 10,000 containers have fewer. Each costs memory of its own, and with more the parser gives up anyway. */
const MAX_SLICES = 100_000;

const MARKER = /(?:---[ \t]*\r?\n)?[ \t\r\n]*/y;
const BLANKS = /[ \t\r\n]*/y;
const WORD = /-?[0-9][0-9.eE+-]*|true|false|null/y;

/**
 * Drops the members of a JSON document's objects whose key is not relevant, each with one comma, so that what stays is JSON
 * again. A key with an escape is kept, because it may spell a relevant one. Dropped scalars are not checked.
 *
 * `undefined`: the text is something else than JSON to this reader, nests too deep or would be cut into too many slices, and
 * is for the parser to judge.
 */
export function jsonSlices(text: string, isRelevant: (key: string) => boolean): readonly KeptSlice[] | undefined {
  let at = endOf(MARKER, text, 0) ?? 0;
  if (text[at] !== '{') return undefined;
  const slices: KeptSlice[] = [];
  let kept = 0;
  const cut = (start: number, end: number): void => {
    if (start > kept) slices.push({ start: kept, end: start, text: text.slice(kept, start) });
    kept = end;
  };
  const open: Open[] = [];
  let inDropped = false;
  let next = 'value' as Next;
  const ended = (): void => {
    next = 'comma or end';
    const top = open.at(-1);
    if (top === undefined) return;
    if (top.dropping) {
      inDropped = false;
      // The comma before goes too. Where nothing is kept before, the one behind does, when what follows is met.
      if (top.keptAny) cut(top.lastEnd, at);
    } else top.keptAny = true;
    top.lastEnd = at;
  };
  for (;;) {
    if (slices.length > MAX_SLICES) return undefined;
    at = endOf(BLANKS, text, at) ?? at;
    const sign = text[at];
    const top = open.at(-1);
    if (next === 'comma or end') {
      if (top === undefined) break;
      if (sign === ',') {
        at += 1;
        next = 'member';
        continue;
      }
    }
    if (next !== 'value' && top !== undefined) {
      const closes = sign === (top.isObject ? '}' : ']') && next !== 'member';
      if (top.dropping && !top.keptAny && (closes || sign === '"')) cut(top.memberStart, at);
      if (closes) {
        open.pop();
        at += 1;
        ended();
        continue;
      }
      if (next === 'comma or end') return undefined;
      if (top.isObject) {
        const end = sign === '"' ? stringEnd(text, at) : undefined;
        if (end === undefined) return undefined;
        const key = text.slice(at + 1, end - 1);
        top.memberStart = at;
        top.dropping = !inDropped && !key.includes('\\') && !isRelevant(key);
        inDropped ||= top.dropping;
        at = endOf(BLANKS, text, end) ?? end;
        if (text[at] !== ':') return undefined;
        at = endOf(BLANKS, text, at + 1) ?? at;
      }
    }
    // A value.
    const first = text[at];
    if (first === '{' || first === '[') {
      if (open.length === MAX_DEPTH) return undefined;
      at += 1;
      open.push({ isObject: first === '{', memberStart: at, lastEnd: at, keptAny: false, dropping: false });
      next = 'member or end';
      continue;
    }
    const end = first === '"' ? stringEnd(text, at) : endOf(WORD, text, at);
    if (end === undefined) return undefined;
    at = end;
    ended();
  }
  if (at < text.length) return undefined;
  cut(text.length, text.length);
  return slices;
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** Behind the closing quote of the string whose opening one stands at `at`. */
function stringEnd(text: string, at: number): number | undefined {
  for (let quote = text.indexOf('"', at + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (text[first - 1] === '\\') first -= 1;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
  return undefined;
}
