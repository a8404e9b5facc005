import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RE2JS } from 're2js';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree, tooManyEntries } from '../app-root.ts';
import { MAX_TREE_ENTRIES } from '../limits.ts';

/** Characters of one pattern. */
const MAX_GLOB_LENGTH = 512;
const META = /[*?[{\\]/;

/**
 * The files a pattern names, as real paths: in each directory files and sub-directories in the order of their names. Argo CD
 * reads patterns by the rules of doublestar: `*`, `?`, `[a-z]`, `[^a]`, `{a,b}`, and `**` for any number of directories. Links
 * to directories are not entered.
 *
 * @throws {UserError} `PARAMETER_INVALID` for a pattern that cannot be read, `PATH_OUTSIDE_TREE`.
 * @see https://github.com/bmatcuk/doublestar
 */
export async function expandGlob(root: AppRoot, pattern: string, where: string): Promise<readonly string[]> {
  if (pattern.length > MAX_GLOB_LENGTH) throw invalid(`is longer than ${MAX_GLOB_LENGTH} characters`, where);
  const absolute = pattern.startsWith('/') ? resolve(root.tree, `.${pattern}`) : resolve(root.app, pattern);
  const segments = nameInTree(root.tree, absolute).split('/');
  const firstMeta = segments.findIndex((segment) => META.test(segment));
  const base = await existing(root, segments.slice(0, firstMeta).join('/') || '.', where);
  if (base === undefined) return [];
  const matcher = RE2JS.compile(translate(segments.slice(firstMeta).join('/'), where), RE2JS.DOTALL);
  const found: string[] = [];
  for await (const path of filesBelow(base)) {
    if (!matcher.matches(path)) continue;
    const file = await existing(root, nameInTree(root.tree, join(base, path)), where);
    if (file !== undefined) found.push(file);
  }
  return found;
}

async function existing(root: AppRoot, name: string, where: string): Promise<string | undefined> {
  try {
    return await resolveInTree(root, name, { from: 'tree', what: where });
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  }
}

async function* filesBelow(base: string): AsyncGenerator<string> {
  let entries = 0;
  const list = async (directory: string): Promise<{ path: string; isDirectory: boolean }[]> => {
    const found = await readdir(join(base, directory), { withFileTypes: true }).catch(() => []);
    entries += found.length;
    if (entries > MAX_TREE_ENTRIES) throw tooManyEntries('parameter helm-value-files');
    // A stack: the first name must be on top.
    return found
      .sort((a, b) => Buffer.compare(Buffer.from(b.name), Buffer.from(a.name)))
      .map((entry) => ({ path: join(directory, entry.name), isDirectory: entry.isDirectory() }));
  };
  const waiting = await list('.');
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.isDirectory) waiting.push(...(await list(next.path)));
    else yield next.path;
  }
}

function translate(pattern: string, where: string): string {
  const characters = Array.from(pattern);
  let source = '';
  let depth = 0;
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    const rest = characters.slice(at, at + 3).join('');
    const startsSegment = at === 0 || characters[at - 1] === '/';
    if (startsSegment && rest === '**/') {
      source += '(?:[^/]+/)*';
      at += 2;
    } else if (startsSegment && rest === '**' && at + 2 === characters.length) {
      source += '.*';
      at += 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = classEnd(characters, at, where);
      source += characterClass(characters.slice(at + 1, end), where);
      at = end;
    } else if (character === '{') {
      depth++;
      source += '(?:';
    } else if (character === '}' && depth > 0) {
      depth--;
      source += ')';
    } else if (character === ',' && depth > 0) source += '|';
    else if (character === '\\') {
      const escaped = characters[++at];
      if (escaped === undefined) throw invalid('ends with a backslash', where);
      source += RE2JS.quote(escaped);
    } else source += RE2JS.quote(character);
  }
  if (depth > 0) throw invalid('has a { without its }', where);
  return source;
}

function classEnd(characters: readonly string[], open: number, where: string): number {
  for (let at = open + 1; at < characters.length; at++) {
    if (characters[at] === '\\') at++;
    else if (characters[at] === ']') return at;
  }
  throw invalid('has a [ without its ]', where);
}

function characterClass(characters: readonly string[], where: string): string {
  const negated = characters[0] === '!' || characters[0] === '^';
  // A class never stands for the slash between directories.
  let source = negated ? '[^/' : '[';
  const rest = negated ? characters.slice(1) : characters;
  if (rest.length === 0) throw invalid('has an empty character class', where);
  for (let at = 0; at < rest.length; at++) {
    const low = rest[at] === '\\' ? rest[++at] : rest[at];
    let high = low;
    if (rest[at + 1] === '-' && at + 2 < rest.length) {
      at += rest[at + 2] === '\\' ? 3 : 2;
      high = rest[at];
    }
    if (low === undefined || high === undefined || low > high) throw invalid('has a range the wrong way round', where);
    source += `${codePoint(low)}-${codePoint(high)}`;
  }
  return `${source}]`;
}

function codePoint(character: string): string {
  return `\\x{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function invalid(problem: string, where: string): UserError {
  return new UserError('PARAMETER_INVALID', {
    what: `the pattern ${problem}`,
    where,
    fix: 'write a pattern such as envs/*.yaml or envs/**/values.yaml',
  });
}
