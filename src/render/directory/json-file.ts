import { UserError } from '../../error/user-error.ts';

/**
 * Checks that a `.json` file is one Kubernetes object, the only thing Argo CD takes from such a file (a `List` is one too).
 *
 * @param name the file, for errors.
 * @throws {UserError} `MANIFEST_INVALID`, with line and column where the JSON ends being JSON.
 */
export function checkJsonObject(text: string, name: string): void {
  const value = parse(text, name);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('the file is no JSON object', name);
  }
  if (!('kind' in value) || typeof value.kind !== 'string' || value.kind === '') {
    throw invalid('the object has no kind', name);
  }
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
