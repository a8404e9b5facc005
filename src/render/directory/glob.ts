import { RE2JS } from 're2js';
import { UserError } from '../../error/user-error.ts';

/** Characters of one pattern. */
const MAX_GLOB_LENGTH = 512;

/** One parsed character class and where it ends. */
interface CharacterClass {
  readonly source: string;
  /** Index of the closing bracket. */
  readonly end: number;
}

/**
 * Compiles an `include` or `exclude` pattern as Argo CD reads it: gobwas globs without separators, so `*`, `**` and `?` cross
 * `/`; `[abc]`, `[!abc]`, `[a-z]`, `{a,b}` and `\` as an escape. Argo CD takes a pattern that cannot be parsed for one that
 * matches nothing, which would deploy what was to be excluded; here it is an error.
 *
 * @param where the parameter, for the error.
 * @throws {UserError} `FILTER_INVALID`
 * @see https://github.com/gobwas/glob/blob/v0.2.3/syntax/lexer/lexer.go
 */
export function compileGlob(pattern: string, where: string): (path: string) => boolean {
  if (pattern.length > MAX_GLOB_LENGTH) {
    throw invalid(`is longer than ${MAX_GLOB_LENGTH} characters`, where);
  }
  const compiled = RE2JS.compile(translate(Array.from(pattern), where), RE2JS.DOTALL);
  return (path) => compiled.matches(path);
}

function translate(pattern: readonly string[], where: string): string {
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '\\') {
      source += literal(pattern[++at] ?? '');
    } else if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '{') {
      depth++;
      source += '(?:';
    } else if (character === '}' && depth > 0) {
      depth--;
      source += ')';
    } else if (character === ',' && depth > 0) source += '|';
    else if (character === '[') {
      const found = characterClass(pattern, at + 1, where);
      source += found.source;
      at = found.end;
    } else source += literal(character);
  }
  if (depth > 0) throw invalid('has a { without its }', where);
  return source;
}

/** Either one range or a list of characters, as gobwas has it; `at` is behind the opening bracket. */
function characterClass(pattern: readonly string[], at: number, where: string): CharacterClass {
  const negated = pattern[at] === '!';
  const start = negated ? at + 1 : at;
  const open = negated ? '[^' : '[';
  const [low, dash, high, close] = pattern.slice(start, start + 4);
  if (low !== undefined && dash === '-' && high !== undefined && close === ']') {
    if (low > high) throw invalid(`has the range ${low}-${high}, which is the wrong way round`, where);
    return { source: `${open}${inClass(low)}-${inClass(high)}]`, end: start + 3 };
  }
  let characters = '';
  for (let index = start; index < pattern.length; index++) {
    const character = pattern[index] ?? '';
    if (character === ']' && characters !== '') return { source: `${open}${characters}]`, end: index };
    if (character === ']' || (character === '-' && index === start + 1)) break;
    characters += inClass(character === '\\' ? (pattern[++index] ?? '') : character);
  }
  throw invalid('has a character class that is empty, not closed, or neither one range nor a list', where);
}

function literal(character: string): string {
  return character === '' ? '' : RE2JS.quote(character);
}

function inClass(character: string): string {
  const point = character.codePointAt(0);
  return point === undefined ? '' : `\\x{${point.toString(16)}}`;
}

function invalid(problem: string, where: string): UserError {
  return new UserError('FILTER_INVALID', {
    what: `the glob ${problem}`,
    where,
    fix: 'write a glob such as *.yaml or {a,b}/*.yaml; a \\ makes the next character literal',
  });
}
