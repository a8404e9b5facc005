import { parsed, unparsed, type Parsed } from '../error/parsed.ts';

/** One step from a node to its child: a key of a map, an item of a sequence, or each item of it. */
export type FieldStep =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' };

/** A path with `[*]` in it, as field rules write it. */
export type FieldPath = readonly FieldStep[];

const MAX_PATH_LENGTH = 512;
const WORD = /^[^\s.[\]"'*]+$/;

/**
 * Parses the path of a field rule: keys between dots, quoted where they hold a dot or bracket, `[0]` for one item and `[*]`
 * for each: `spec.runners[*].image`, `a."b.c"[0].d`.
 */
export function parseFieldPath(text: string): Parsed<FieldPath> {
  if (text === '') return unparsed('is empty', 'write a path such as spec.runners[*].image');
  if (text.length > MAX_PATH_LENGTH) return unparsed(`is longer than ${String(MAX_PATH_LENGTH)} characters`);
  const steps: FieldStep[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '[') {
      const end = text.indexOf(']', at);
      if (end === -1) return unparsed('has a [ without a ]');
      const inside = text.slice(at + 1, end);
      if (inside === '*') steps.push({ kind: 'each' });
      else if (/^\d{1,6}$/.test(inside)) steps.push({ kind: 'index', index: Number(inside) });
      else
        return unparsed(`has [${inside}], which is neither a number nor *`, 'write [*] for every item or [0] for one');
      at = end + 1;
      continue;
    }
    if (at > 0) {
      if (text[at] !== '.') return unparsed(`has no dot before "${text.slice(at)}"`);
      at += 1;
    }
    const end = endOfKey(text, at);
    if (end === undefined) return unparsed('has an unclosed quote');
    const written = text.slice(at, end);
    const key = written.startsWith('"') ? written.slice(1, -1) : written;
    if (key === '' || (key === written && !WORD.test(key))) {
      return unparsed(
        written === '' ? 'has an empty key' : `has a key "${written}" with a character that must be quoted`,
        'put keys with dots, brackets or blanks in double quotes: metadata."example.com/image"',
      );
    }
    steps.push({ kind: 'key', key });
    at = end;
  }
  return steps.at(-1)?.kind === 'key' && steps[0]?.kind === 'key'
    ? parsed(steps)
    : unparsed('does not begin and end with a key', 'write a path such as spec.runners[*].image');
}

function endOfKey(text: string, at: number): number | undefined {
  if (text[at] === '"') {
    const close = text.indexOf('"', at + 1);
    return close === -1 ? undefined : close + 1;
  }
  const length = text.slice(at).search(/[.[]/);
  return length === -1 ? text.length : at + length;
}

/** A path to one place, as messages show it: `spec.containers[0].image`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${String(step)}]`;
    else text += `${text === '' ? '' : '.'}${WORD.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}
