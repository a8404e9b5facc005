import { UserError } from '../error/user-error.ts';

/**
 * A renderer's output as text. A byte order mark stays: every byte but those of images does.
 *
 * @param where the program, for the error.
 * @throws {UserError} `FILE_NOT_UTF8`
 */
export function decodeRendering(output: Buffer, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(output);
  } catch (error) {
    throw new UserError(
      'FILE_NOT_UTF8',
      { what: 'the rendered manifests are not UTF-8 text', where, fix: 'save the manifests and templates as UTF-8' },
      error,
    );
  }
}
