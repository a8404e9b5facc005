import { UserError } from '../../error/user-error.ts';

/**
 * A file's content as text, without the byte order mark.
 *
 * @param where the file, for the error.
 * @throws {UserError} `FILE_NOT_UTF8`: Argo CD reads UTF-16 too when it begins with a mark, but what a plugin prints is UTF-8.
 */
export function decodeText(content: Buffer, where: string): string {
  const text = decode(content);
  if (text === undefined || text.includes('\0')) {
    throw new UserError('FILE_NOT_UTF8', {
      what: 'the file is not UTF-8 text',
      where,
      fix: 'save it as UTF-8, or leave it out with directory-exclude',
    });
  }
  return text;
}

function decode(content: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}
