import { Lexer, Parser, type CST } from 'yaml';

/** Collections within collections that a document may have. Deep trees exhaust the stack of everything that walks them. */
export const MAX_DEPTH = 100;

/** The answer of {@link checkDepth}. */
export type DepthCheck =
  | { readonly ok: true }
  | { readonly ok: false; /** One-based line where the limit is first passed. */ readonly line: number };

/**
 * Whether block and flow collections of a YAML or JSON text nest at most `maximum` deep. Run this before `parse` or
 * `parseDocument` of the yaml package sees text from outside: their recursion ends the process on about 1,000 nested `[`.
 *
 * The package's own lexer decides what is nesting, so brackets in strings, comments and block scalars are none. Its parser
 * is a loop with a stack of its own, stopped here as soon as that stack is too high.
 */
export function checkDepth(text: string, maximum: number): DepthCheck {
  const tokens = tokensWithin(text, { depth: maximum, lexemes: Infinity });
  for (;;) {
    const next = tokens.next();
    if (!next.done) continue;
    return next.value.kind === 'deep' ? { ok: false, line: lineOf(text, next.value.offset) } : { ok: true };
  }
}

/** How {@link tokensWithin} ended. */
export type TokensEnd =
  | { readonly kind: 'complete'; readonly lexemes: number }
  | { readonly kind: 'deep'; readonly offset: number }
  | { readonly kind: 'long' };

/**
 * The concrete syntax of a text, top-level token by token, for as long as it keeps within the limits. A lexeme (a word, a
 * blank, a bracket, a line end) costs some 400 bytes until its document ends.
 */
export function* tokensWithin(
  text: string,
  limits: { readonly depth: number; readonly lexemes: number },
): Generator<CST.Token, TokensEnd> {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > limits.lexemes) return { kind: 'long' };
    yield* parser.next(lexeme);
    // One entry is the document, and one more may be the scalar in hand.
    if (parser.stack.length > limits.depth && openCollections(parser.stack) > limits.depth) {
      return { kind: 'deep', offset: parser.offset };
    }
  }
  yield* parser.end();
  return { kind: 'complete', lexemes };
}

function openCollections(stack: readonly CST.Token[]): number {
  return stack.filter(({ type }) => type === 'block-map' || type === 'block-seq' || type === 'flow-collection').length;
}

/** One-based line of an offset. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
