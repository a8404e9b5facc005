import { isScalar, type Node } from 'yaml';

/** Which part of a text to replace, and by what, so that a scalar there has another value. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * How to write a value where a scalar or an alias stands, in the style it is written in. The value is a reference or a tag,
 * so it has no character that needs an escape.
 *
 * `undefined`: a block scalar whose content is not on one line.
 */
export function replacementFor(source: string, node: Node, value: string): Replacement | undefined {
  const [start, end] = node.range ?? [0, 0];
  if (!isScalar(node)) return { start, end, text: plainOrQuoted(value) };
  switch (node.type) {
    case 'QUOTE_SINGLE':
      return { start, end, text: `'${value}'` };
    case 'QUOTE_DOUBLE':
      return { start, end, text: `"${value}"` };
    case 'BLOCK_FOLDED':
    case 'BLOCK_LITERAL': {
      const line = onlyLine(source, start, end);
      return line && { ...line, text: value };
    }
    default:
      return { start, end, text: plainOrQuoted(value) };
  }
}

/** The one line of content of a block scalar, without indentation and line end. */
function onlyLine(source: string, start: number, end: number): { start: number; end: number } | undefined {
  const header = source.indexOf('\n', start) + 1;
  const content = source.slice(header, end);
  const text = content.trim();
  if (header === 0 || text === '' || /\s/.test(text)) return undefined;
  const at = header + content.indexOf(text);
  return { start: at, end: at + text.length };
}

/**
 * A value as a plain scalar where every reader takes it for that string, else in double quotes: a tag `1.10` would be a
 * number, `2024-01-15` a date and `on` a boolean, and an IPv6 host begins with a bracket.
 */
function plainOrQuoted(value: string): string {
  const isWord = /^[A-Za-z_]/.test(value) && !/^(?:null|true|false|yes|no|on|off|y|n)$/i.test(value);
  const isPath = /^[A-Za-z0-9_]/.test(value) && value.includes('/');
  return isWord || isPath ? value : `"${value}"`;
}
