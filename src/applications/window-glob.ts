import { RE2JS } from 're2js';

/** Names, URLs of clusters: nothing longer is a pattern somebody meant. */
const MAX_LENGTH = 1024;

/**
 * Whether a glob of a sync window matches, as Argo CD's (gobwas/glob without separators): `*`, `?`, `[a-z]`, `[!a-z]`,
 * `{one,other}`, and `\` before a character that is meant itself. One that cannot be read matches nothing, as there.
 */
export function windowGlobMatches(pattern: string, text: string): boolean {
  if (pattern === '*') return true;
  if (pattern.length > MAX_LENGTH) return false;
  const expression = expressionOf(pattern);
  if (expression === undefined) return false;
  try {
    return RE2JS.compile(expression, RE2JS.DOTALL).matches(text);
  } catch {
    return false;
  }
}

/** The same as a regular expression; undefined when it is none. */
function expressionOf(pattern: string): string | undefined {
  const characters = Array.from(pattern);
  let expression = '';
  let depth = 0;
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    switch (character) {
      case '*':
        expression += '.*';
        break;
      case '?':
        expression += '.';
        break;
      case '\\':
        at += 1;
        if (at >= characters.length) return undefined;
        expression += RE2JS.quote(characters[at] ?? '');
        break;
      case '{':
        depth += 1;
        expression += '(?:';
        break;
      case '}':
        if (depth === 0) return undefined;
        depth -= 1;
        expression += ')';
        break;
      case ',':
        expression += depth > 0 ? '|' : ',';
        break;
      case '[': {
        const end = characters.indexOf(']', at + 1);
        const set = end === -1 ? undefined : setOf(characters.slice(at + 1, end));
        if (set === undefined) return undefined;
        expression += set;
        at = end;
        break;
      }
      default:
        expression += RE2JS.quote(character);
    }
  }
  return depth === 0 ? expression : undefined;
}

/** `[a-z]` is one range, `[abc]` a list; there is no mixture of both. */
function setOf(characters: readonly string[]): string | undefined {
  const isNegated = characters[0] === '!';
  const listed = isNegated ? characters.slice(1) : characters;
  const start = isNegated ? '[^' : '[';
  const [low = '', dash, high = ''] = listed;
  if (listed.length === 3 && dash === '-') return low <= high ? `${start}${code(low)}-${code(high)}]` : undefined;
  if (listed.length === 0 || listed.includes('-')) return undefined;
  return `${start}${listed.map(code).join('')}]`;
}

function code(character: string): string {
  return `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
