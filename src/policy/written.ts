import type { ErrorCode } from '../error/codes.ts';
import type { Parsed } from '../error/parsed.ts';
import { UserError } from '../error/user-error.ts';
import { describeSetting, type SettingName } from './settings.ts';

/** One value of a setting with the place where it stands. */
export interface Written {
  readonly text: string;
  readonly where: string;
}

/** The settings of one image, values as written. A setting of several values (filters, platforms) has one per value. */
export type WrittenSettings = ReadonlyMap<SettingName, readonly Written[]>;

/** Characters of a setting's value that a message shows. */
const SHOWN_CHARACTERS = 100;

/** A value as messages show it. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}

/** The error that a value of a setting is wrong. */
export function wrongValue(
  name: SettingName,
  written: Written,
  problem: string,
  about: { readonly code?: ErrorCode; readonly fix?: string | undefined } = {},
): UserError {
  return new UserError(about.code ?? 'SETTING_INVALID', {
    what: `${name} ${quoted(written.text)} ${problem}`,
    where: written.where,
    fix: about.fix ?? `write ${describeSetting(name).values}`,
  });
}

/** The value that was parsed from what was written, or the error that it could not be. */
export function taken<T>(name: SettingName, written: Written, answer: Parsed<T>, code?: ErrorCode): T {
  if (answer.ok) return answer.value;
  throw wrongValue(name, written, answer.problem, { ...(code !== undefined && { code }), fix: answer.fix });
}
