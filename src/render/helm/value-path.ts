import { parsed, type Parsed, unparsed } from '../../error/parsed.ts';

/** A place in chart values: keys of maps and indexes of lists. */
export type ValuePath = readonly (string | number)[];

const MAX_PATH_LENGTH = 512;
/** Helm's own bound for a list index. */
const MAX_INDEX = 65_536;

/**
 * Parses `web.images[1].tag` as helm reads the name of a parameter: dots between keys, `[n]` for a list's element, a
 * backslash before a character that belongs to a key.
 */
export function parseValuePath(text: string): Parsed<ValuePath> {
  if (text.length > MAX_PATH_LENGTH) return unparsed(`is longer than ${MAX_PATH_LENGTH} characters`);
  const path: (string | number)[] = [];
  let at = 0;
  for (;;) {
    const key = /^(?:\\[^]|[^\\.[\]=,{}])+/.exec(text.slice(at))?.[0];
    if (key === undefined) return unparsed('has an empty key or a character that needs a backslash before it');
    path.push(key.replaceAll(/\\([^])/g, '$1'));
    at += key.length;
    for (let index = INDEX.exec(text.slice(at)); index !== null; index = INDEX.exec(text.slice(at))) {
      if (Number(index[1]) > MAX_INDEX) return unparsed(`has a list index above ${MAX_INDEX}`);
      path.push(Number(index[1]));
      at += index[0].length;
    }
    if (at === text.length) return parsed(path);
    if (text[at] !== '.') return unparsed('has something other than a dot behind a key');
    at++;
  }
}

const INDEX = /^\[(\d{1,6})\]/;

/** How two places lie to each other. `overlapping`: one is inside the other. */
export function comparePaths(a: ValuePath, b: ValuePath): 'equal' | 'overlapping' | 'apart' {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return 'apart';
  return a.length === b.length ? 'equal' : 'overlapping';
}
