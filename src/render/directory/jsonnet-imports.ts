import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree } from '../app-root.ts';
import { MAX_FILE_BYTES } from '../limits.ts';

/** What will be evaluated. */
export interface Evaluation {
  readonly path: string;
  /** Variables given as code, which can import too. */
  readonly code: readonly string[];
  /** Library directories; the last one is looked into first, after the importing file's own. */
  readonly searched: readonly string[];
}

/** Files that one evaluation may reach. */
const MAX_IMPORTED_FILES = 1_000;

/**
 * Imports take a literal only, so every import of a program is this word, comments and a string. What looks like one in a
 * comment or a string is checked too, which refuses nothing but paths out of the tree.
 */
const IMPORT_WORD = /\bimport(?<as>str|bin)?\b/g;

/**
 * Refuses an evaluation that would read outside the tree: `importstr` puts any file the plugin can read, mounted credentials
 * too, into a manifest. The jsonnet program has no option against it.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE`, `FILE_TOO_LARGE`
 */
export async function checkImports(root: AppRoot, evaluation: Evaluation): Promise<void> {
  const seen = new Set([evaluation.path]);
  const waiting: string[] = [];
  const follow = async (text: string, directory: string, where: string): Promise<void> => {
    for (const { path, isCode } of importsOf(text, where)) {
      const found = await find(root, path, [directory, ...evaluation.searched.toReversed()], where);
      if (found === undefined || seen.has(found)) continue;
      seen.add(found);
      if (isCode) waiting.push(found);
      if (seen.size > MAX_IMPORTED_FILES) throw tooLarge(`imports reach more than ${MAX_IMPORTED_FILES} files`, where);
    }
  };
  for (const code of evaluation.code) await follow(code, root.app, 'parameter directory-jsonnet-*');
  waiting.push(evaluation.path);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const where = nameInTree(root.tree, next);
    const { size } = await stat(next);
    if (size > MAX_FILE_BYTES) throw tooLarge(`the file is larger than ${MAX_FILE_BYTES} bytes`, where);
    await follow(await readFile(next, 'utf8'), dirname(next), where);
  }
}

function* importsOf(text: string, where: string): Generator<{ readonly path: string; readonly isCode: boolean }> {
  const skip = commentSkipper(text);
  for (const word of text.matchAll(IMPORT_WORD)) {
    const at = skip(word.index + word[0].length);
    const verbatim = text[at] === '@';
    const start = verbatim ? at + 2 : at + 1;
    const quote = text[start - 1];
    if (quote !== '"' && quote !== "'") continue;
    const end = text.indexOf(quote, start);
    if (end === -1) return;
    const path = text.slice(start, end);
    // Escapes and doubled quotes would make another path of it than is read here.
    if (verbatim ? text[end + 1] === quote : path.includes('\\')) {
      throw new UserError('PATH_OUTSIDE_TREE', {
        what: 'an import has escapes in its path, so where it leads cannot be told',
        where,
        fix: 'write the path of the import plainly',
      });
    }
    yield { path, isCode: word.groups?.['as'] === undefined };
  }
}

const COMMENT_ENDS: readonly (readonly [begin: string, end: string])[] = [
  ['//', '\n'],
  ['#', '\n'],
  ['/*', '*/'],
];

/** Steps over white space and comments. Ends that were found are remembered, so that all calls together are linear in the text. */
function commentSkipper(text: string): (from: number) => number {
  const found = new Map<string, number>();
  const endOf = (end: string, from: number): number => {
    const known = found.get(end) ?? -1;
    const at = known >= from ? known : text.indexOf(end, from);
    found.set(end, at === -1 ? text.length : at);
    return at === -1 ? text.length : at + end.length;
  };
  return (from) => {
    let at = from;
    for (;;) {
      while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++;
      const comment = COMMENT_ENDS.find(([begin]) => text.startsWith(begin, at));
      if (comment === undefined) return at;
      at = endOf(comment[1], at + comment[0].length);
    }
  };
}

/** The first file found, as jsonnet looks; undefined when there is none, which jsonnet tells better. */
async function find(
  root: AppRoot,
  path: string,
  directories: readonly string[],
  where: string,
): Promise<string | undefined> {
  if (path.startsWith('/')) {
    throw new UserError('PATH_OUTSIDE_TREE', {
      what: `the import ${JSON.stringify(path)} is an absolute path`,
      where,
      fix: 'import relative to the file, to the application or to directory-jsonnet-libs',
    });
  }
  for (const directory of directories) {
    try {
      return await resolveInTree(root, path, { from: { directory }, what: where });
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'FILE_MISSING') throw error;
    }
  }
  return undefined;
}

function tooLarge(what: string, where: string): UserError {
  return new UserError('FILE_TOO_LARGE', { what, where, fix: 'split the application' });
}
