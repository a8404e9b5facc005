import { CST, Lexer } from 'yaml';

/** An anchor (`&name`) or an alias (`*name`) of a YAML text, line and column from one on. */
export interface Sharing {
  readonly kind: 'anchor' | 'alias';
  readonly line: number;
  readonly column: number;
}

/**
 * The first anchor or alias of a YAML text. A file of policies needs none, and what aliases unfold to can be far larger than
 * the file.
 */
export function firstSharing(text: string): Sharing | undefined {
  let line = 1;
  let column = 1;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    const kind = CST.tokenType(lexeme);
    // The lexer announces a plain or block scalar with a mark of its own; what follows is its text, whatever it begins with.
    if (!isScalar && (kind === 'anchor' || kind === 'alias')) return { kind, line, column };
    isScalar = lexeme === CST.SCALAR;
    if (MARKS.has(lexeme)) continue;
    const lines = lexeme.split('\n');
    line += lines.length - 1;
    column = (lines.length > 1 ? 1 : column) + (lines.at(-1) ?? '').length;
  }
  return undefined;
}

/** What the lexer says that is not in the text. */
const MARKS: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);
