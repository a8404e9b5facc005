import { CST, Lexer } from 'yaml';

/**
 * The one-based line of the first alias (`*name`) of a YAML text. A file of policies needs none, and what they unfold to can
 * be far larger than the file.
 */
export function lineOfAlias(text: string): number | undefined {
  let line = 1;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    // The lexer announces a plain or block scalar with a mark of its own; what follows is its text, whatever it begins with.
    if (!isScalar && CST.tokenType(lexeme) === 'alias') return line;
    isScalar = lexeme === CST.SCALAR;
    line += lexeme.split('\n').length - 1;
  }
  return undefined;
}
