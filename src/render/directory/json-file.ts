import { UserError } from '../../error/user-error.ts';

/**
 * The document of a `.json` file, which is one Kubernetes object: the only thing Argo CD takes from such a file (a `List` is
 * one too). It stays as it is but for escapes and characters that Argo CD's YAML reader, to which it goes behind another
 * file's documents, does not take or reads as line ends.
 *
 * @param name the file, for errors.
 * @throws {UserError} `MANIFEST_INVALID`, with line and column where the JSON ends being JSON.
 */
export function jsonDocument(text: string, name: string): string {
  const value = parse(text, name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('the file is no JSON object', name);
  }
  if (!('kind' in value) || typeof value.kind !== 'string' || value.kind === '') {
    throw invalid('the object has no kind', name);
  }
  return text.replaceAll(FOREIGN_ESCAPE, plainly).replaceAll(FOREIGN_CHARACTER, escaped);
}

/** Half a surrogate pair or a whole one, a slash, and every other escape, so that `\\\\` is stepped over as one. */
const FOREIGN_ESCAPE =
  /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\[^]/g;
const FOREIGN_CHARACTER = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

function plainly(escape: string): string {
  if (escape === String.raw`\/`) return '/';
  return escape.length === 2 ? escape : (JSON.parse(`"${escape}"`) as string).toWellFormed();
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8's message quotes the content, which may be a secret; only the place is taken from it.
    const place =
      error instanceof Error ? /\(line (?<line>\d+) column (?<column>\d+)\)$/.exec(error.message)?.groups : {};
    const where = place?.['line'] === undefined ? name : `${name}:${place['line']}:${place['column']}`;
    throw invalid('the file is not JSON, or holds more than one object', where);
  }
}

function invalid(what: string, where: string): UserError {
  return new UserError('MANIFEST_INVALID', {
    what,
    where,
    fix: 'write exactly one Kubernetes object into a .json file, or leave the file out with directory-exclude',
  });
}
