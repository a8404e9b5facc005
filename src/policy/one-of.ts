import type { SettingName } from './settings.ts';
import { type WrittenSettings, wrongValue } from './written.ts';

/**
 * A setting that can be one of a few words; `undefined` when it is absent.
 *
 * @throws {UserError} `SETTING_INVALID` naming them.
 */
export function oneOf<const T extends string>(
  settings: WrittenSettings,
  name: SettingName,
  words: readonly T[],
): T | undefined {
  const [written] = settings.get(name) ?? [];
  if (written === undefined) return undefined;
  const word = words.find((known) => known === written.text.trim());
  if (word === undefined) throw wrongValue(name, written, 'is none of its values');
  return word;
}
