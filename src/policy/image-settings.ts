import { type Notice, UserError } from '../error/user-error.ts';
import { closestName } from '../text/closest-name.ts';
import { splitIgnoreTags, splitList } from './filters.ts';
import {
  describeSetting,
  isAllowedIn,
  parseSettingKey,
  type Place,
  SETTING_NAMES,
  type SettingName,
} from './settings.ts';
import { quoted, type Written, type WrittenSettings } from './written.ts';

/** The prefix of argocd-image-updater's annotations, so that they can be copied as they are. */
const UPDATER_PREFIX = 'argocd-image-updater.argoproj.io/';

/** The parameter `image-settings`, taken apart. */
export interface ImageSettings {
  readonly forAll: WrittenSettings;
  readonly byAlias: ReadonlyMap<
    string,
    {
      readonly settings: WrittenSettings;
      /** Of its first setting. */ readonly where: string;
    }
  >;
  readonly notices: readonly Notice[];
}

/**
 * @throws {UserError} `SETTING_UNKNOWN`, `SETTING_INVALID`, `FILTER_INVALID`.
 */
export function imageSettingsFrom(entries: ReadonlyMap<string, string>): ImageSettings {
  const forAll = new Map<SettingName, readonly Written[]>();
  const byAlias = new Map<string, { settings: Map<SettingName, readonly Written[]>; where: string }>();
  const meaningless = new Set<SettingName>();
  for (const [writtenKey, text] of entries) {
    const where = `parameter image-settings, ${writtenKey.slice(0, 120)}`;
    const key = writtenKey.startsWith(UPDATER_PREFIX) ? writtenKey.slice(UPDATER_PREFIX.length) : writtenKey;
    const parsedKey = parseSettingKey(key);
    if (parsedKey === undefined) throw unknownSetting(key, where, 'parameters');
    const { setting } = parsedKey;
    const alias = parsedKey.alias.replaceAll('/', '_');
    const { isTarget, ofApplication, meaningless: isMeaningless } = describeSetting(setting);
    if (isMeaningless === true) {
      meaningless.add(setting);
      continue;
    }
    if (alias !== '' && ofApplication === true) {
      throw new UserError('SETTING_INVALID', {
        what: `${setting} is for the whole application, and an alias stands before it`,
        where,
        fix: `write ${setting} alone`,
      });
    }
    if (alias === '' && isTarget === true) {
      throw new UserError('SETTING_INVALID', {
        what: `${setting} is for one image, and no alias stands before it`,
        where,
        fix: `write <alias>.${setting}`,
      });
    }
    let settings = forAll;
    if (alias !== '') {
      const known = byAlias.get(alias) ?? { settings: new Map<SettingName, readonly Written[]>(), where };
      byAlias.set(alias, known);
      ({ settings } = known);
    }
    const before = settings.get(setting)?.[0];
    if (before !== undefined) {
      throw new UserError('SETTING_INVALID', {
        what: `${setting} is set twice for ${alias === '' ? 'all images' : alias}, also by ${before.where}`,
        where,
        fix: 'leave one of the two',
      });
    }
    settings.set(setting, valuesOf(setting, { text, where }));
  }
  return { forAll, byAlias, notices: withoutMeaning(meaningless) };
}

/** Several values stand in one text, with commas between them. */
export function valuesOf(setting: SettingName, written: Written): readonly Written[] {
  if (setting === 'ignore-tags') return splitIgnoreTags(written);
  return setting === 'platforms' ? splitList(written) : [written];
}

/** The error that a key ends with no setting that is known in its place. */
export function unknownSetting(key: string, where: string, place: Place): UserError {
  if (key === 'image-list') {
    return new UserError('SETTING_UNKNOWN', {
      what: 'image-list is no setting here',
      where,
      fix: 'write its text as the string of the parameter images',
    });
  }
  const allowed = SETTING_NAMES.filter((one) => isAllowedIn(one, place));
  // Aliases and settings may hold dots, so each part behind a dot could be the setting that was meant.
  const endings = key.split('.', 10).map((_, index, parts) => parts.slice(index).join('.'));
  const meant = endings.map((ending) => closestName(ending, allowed)).find((name) => name !== undefined);
  const known = allowed.filter((one) => describeSetting(one).meaningless !== true).join(', ');
  return new UserError('SETTING_UNKNOWN', {
    what: `${quoted(key)} ends with no known setting`,
    where,
    fix: meant === undefined ? `known are ${known}` : `did you mean ${meant}? known are ${known}`,
  });
}

function withoutMeaning(settings: ReadonlySet<SettingName>): readonly Notice[] {
  if (settings.size === 0) return [];
  return [
    {
      code: 'SETTING_WITHOUT_MEANING',
      what: `${[...settings].join(', ')}: nothing is written back here, so this has no effect`,
      where: 'parameter image-settings',
    },
  ];
}
