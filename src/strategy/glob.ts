import { parsed, unparsed, type Parsed } from '../error/parsed.ts';
import { MAX_PATTERN_CHARACTERS } from './limits.ts';

/** A glob that is ready to be used. */
export interface Glob {
  readonly pattern: string;
  /** Whether the whole of a name matches. */
  matches(name: string): boolean;
}

type Range = readonly [low: string, high: string];
type Token =
  | { readonly kind: 'literal'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly Range[] };

/** What stands between two runs of `*`. */
interface Chunk {
  readonly afterStar: boolean;
  readonly tokens: readonly Token[];
}

/**
 * A glob as Go's `filepath.Match` has them on Unix: `*` and `?` do not cross `/`, `[a-z]` and `[^a-z]` are classes, `\`
 * takes a special character literally. Malformed patterns are refused, also where Go would have noticed only for some names.
 *
 * Matching takes at most (length of pattern) × (length of name) steps: after a `*` the first fitting place is final.
 * Names and patterns are read by UTF-16 code unit, Go's by byte and code point: the same for ASCII, as image tags are.
 *
 * @see https://github.com/golang/go/blob/go1.26.0/src/path/filepath/match.go
 */
export function parseGlob(pattern: string): Parsed<Glob> {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return unparsed(`is longer than ${MAX_PATTERN_CHARACTERS} characters`);
  const chunks: Chunk[] = [];
  for (let at = 0; at < pattern.length;) {
    let start = at;
    while (pattern[start] === '*') start++;
    const end = endOfChunk(pattern, start);
    const tokens = parseTokens(pattern.slice(start, end));
    if (!tokens.ok) return tokens;
    chunks.push({ afterStar: start > at, tokens: tokens.value });
    at = end;
  }
  return parsed({ pattern, matches: (name) => matchChunks(chunks, name) });
}

/** Where the next `*` outside of brackets is. Brackets are counted more simply here than in {@link parseTokens}, as in Go. */
function endOfChunk(pattern: string, start: number): number {
  let inBrackets = false;
  for (let at = start; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '\\') at++;
    else if (character === '[') inBrackets = true;
    else if (character === ']') inBrackets = false;
    else if (character === '*' && !inBrackets) return at;
  }
  return pattern.length;
}

function parseTokens(chunk: string): Parsed<readonly Token[]> {
  const tokens: Token[] = [];
  for (let at = 0; at < chunk.length; at++) {
    const character = chunk.charAt(at);
    if (character === '[') {
      const found = parseClass(chunk, at + 1);
      if (found === undefined) return unparsed('has a character class "[" that is empty, unfinished or misses an end');
      tokens.push(found.token);
      at = found.last;
    } else if (character === '?') {
      tokens.push({ kind: 'any' });
    } else if (character === '\\') {
      if (++at === chunk.length) return unparsed('ends with "\\", which must have a character after it');
      tokens.push({ kind: 'literal', character: chunk.charAt(at) });
    } else {
      tokens.push({ kind: 'literal', character });
    }
  }
  return parsed(tokens);
}

/** @param start after the opening bracket. Answers the place of the closing one, too. */
function parseClass(chunk: string, start: number): { readonly token: Token; readonly last: number } | undefined {
  const negated = chunk[start] === '^';
  const ranges: Range[] = [];
  let at = negated ? start + 1 : start;
  const readCharacter = (): string | undefined => {
    if (chunk[at] === '-' || chunk[at] === ']') return undefined;
    if (chunk[at] === '\\') at++;
    return chunk[at++];
  };
  while (ranges.length === 0 || chunk[at] !== ']') {
    const low = readCharacter();
    const isRange = chunk[at] === '-';
    if (isRange) at++;
    const high = isRange ? readCharacter() : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push([low, high]);
  }
  return { token: { kind: 'class', negated, ranges }, last: at };
}

function matchChunks(chunks: readonly Chunk[], name: string): boolean {
  let at = 0;
  for (const [index, chunk] of chunks.entries()) {
    const isLast = index === chunks.length - 1;
    if (chunk.afterStar && chunk.tokens.length === 0) return !name.includes('/', at);
    const end = findChunk(chunk, name, at, isLast);
    if (end === undefined) return false;
    at = end;
  }
  return at === name.length;
}

/** Where a chunk ends in the name, at the first place where it fits; the last chunk must end with the name. */
function findChunk({ tokens, afterStar }: Chunk, name: string, start: number, isLast: boolean): number | undefined {
  for (let at = start; ; at++) {
    const end = at + tokens.length;
    const fits = tokens.every((token, index) => tokenMatches(token, name.charAt(at + index)));
    if (fits && (!isLast || end === name.length)) return end;
    if (!afterStar || at >= name.length || name[at] === '/') return undefined;
  }
}

/** @param character empty behind the end of the name. */
function tokenMatches(token: Token, character: string): boolean {
  if (character === '') return false;
  switch (token.kind) {
    case 'literal':
      return token.character === character;
    case 'any':
      return character !== '/';
    case 'class':
      return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated;
    default:
      return token satisfies never;
  }
}
