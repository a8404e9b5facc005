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
        expression += RE2JS.quote(characters[at] ?? '');
        break;
      case '{':
        depth += 1;
        expression += '(?:';
        break;
      case '}':
        expression += depth > 0 ? ')' : RE2JS.quote(character);
        depth = Math.max(0, depth - 1);
        break;
      case ',':
        expression += depth > 0 ? '|' : ',';
        break;
      case '[': {
        const set = setAt(characters, at + 1);
        if (set === undefined) return undefined;
        expression += set.expression;
        at = set.end;
        break;
      }
      default:
        expression += RE2JS.quote(character);
    }
  }
  // Braces that stay open end with the pattern.
  return expression + ')'.repeat(depth);
}

/** `[a-z]` is one range, `[abc]` a list; there is no mixture of both. `end` is where its `]` is. */
function setAt(
  characters: readonly string[],
  from: number,
): { readonly expression: string; readonly end: number } | undefined {
  const isNegated = characters[from] === '!';
  const listed: string[] = [];
  let end = isNegated ? from + 1 : from;
  for (; characters[end] !== ']'; end++) {
    if (characters[end] === '\\') end += 1;
    const character = characters[end];
    if (character === undefined) return undefined;
    listed.push(character);
  }
  const start = isNegated ? '[^' : '[';
  const [low = '', dash, high = ''] = listed;
  if (listed.length === 0) return undefined;
  if (dash !== '-') return { expression: `${start}${listed.map(code).join('')}]`, end };
  return listed.length === 3 && low <= high ? { expression: `${start}${code(low)}-${code(high)}]`, end } : undefined;
}

function code(character: string): string {
  return `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
