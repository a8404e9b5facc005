import type { Origin } from './image-policy.ts';

/** A place of a policy. */
export type Place = Origin['place'];

/** One image setting, as messages and the documentation tell it. */
export interface SettingDescription {
  /** Other names of it that real set-ups use. */
  readonly aliases?: readonly string[];
  /** Its key in `.image-resolver.yaml`; absent: it cannot be written there. */
  readonly fileKey?: string;
  /** What can be written, for messages. */
  readonly values: string;
  /** Acts before rendering, for one image: never without an alias, never in annotations. */
  readonly isTarget?: true;
  /** Not in annotations: they belong to whoever writes the manifest of the workload. */
  readonly notInAnnotations?: true;
  /** About the application, not an image: never with an alias, never in annotations. */
  readonly ofApplication?: true;
  /** Write-back settings of argocd-image-updater: accepted, and said once that they do nothing. */
  readonly meaningless?: true;
}

/** Every image setting. */
export const SETTINGS = {
  'update-strategy': {
    fileKey: 'strategy',
    values: 'semver, newest-build (latest), alphabetical (name), digest, regexp or none',
  },
  constraint: {
    aliases: ['semver-constraint'],
    fileKey: 'constraint',
    values: 'a version constraint such as ~1.2; for the digest strategy the tag to follow',
  },
  'allow-tags': { fileKey: 'allowTags', values: 'regexp:<expression in RE2 syntax> or any' },
  'image-tag-filter': { values: 'an expression in RE2 syntax' },
  'ignore-tags': {
    fileKey: 'ignoreTags',
    values: 'globs with commas between them, or regexp:<expression in RE2 syntax>',
  },
  platforms: { fileKey: 'platforms', values: 'os/arch or os/arch/variant, with commas between them' },
  'pull-secret': {
    fileKey: 'pullSecret',
    values: 'pullsecret:<namespace>/<name> or secret:<namespace>/<name>#<field>',
    notInAnnotations: true,
  },
  'helm.image-name': { fileKey: 'helm', values: 'a value path such as image.repository', isTarget: true },
  'helm.image-tag': { fileKey: 'helm', values: 'a value path such as image.tag', isTarget: true },
  'helm.image-spec': { fileKey: 'helm', values: 'a value path such as image', isTarget: true },
  'kustomize.image-name': { fileKey: 'kustomize', values: 'the name of the image in the base', isTarget: true },
  output: { fileKey: 'output', values: 'tag, digest or tag@digest' },
  pin: { fileKey: 'pin', values: 'a tag or a digest (sha256:…)' },
  optional: { fileKey: 'optional', values: 'true or false', notInAnnotations: true },
  'on-unsatisfied': { fileKey: 'onUnsatisfied', values: 'git or error' },
  'on-removed': { fileKey: 'onRemoved', values: 'keep or next-best' },
  'poll-interval': { aliases: ['image-poll-interval'], fileKey: 'pollInterval', values: 'a duration such as 2m' },
  sync: { fileKey: 'sync', values: 'full', ofApplication: true },
  'force-update': { values: 'anything', meaningless: true },
  'write-back-method': { values: 'anything', meaningless: true },
  'write-back-target': { values: 'anything', meaningless: true },
  'git-branch': { values: 'anything', meaningless: true },
  'git-repository': { values: 'anything', meaningless: true },
} as const;

/** The name of an image setting. */
export type SettingName = keyof typeof SETTINGS;

/** All names, in the order of {@link SETTINGS}. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[];

/** The description of a setting. */
export function describeSetting(name: SettingName): SettingDescription {
  return SETTINGS[name];
}

/** Whether a setting may be written in a place. */
export function isAllowedIn(name: SettingName, place: Place): boolean {
  if (place !== 'annotation') return true;
  const { isTarget, notInAnnotations, ofApplication, meaningless } = describeSetting(name);
  return ![isTarget, notInAnnotations, ofApplication, meaningless].includes(true);
}

const BY_NAME: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.flatMap((name) =>
    [name, ...(describeSetting(name).aliases ?? [])].map((known) => [known, name] as const),
  ),
);

/** A key such as `web.helm.image-tag`, taken apart. */
export interface SettingKey {
  /** Empty: the setting is for all images. */
  readonly alias: string;
  readonly setting: SettingName;
}

/** The longest known name at the end of a key is the setting, what stands before it the alias, which may hold dots. */
export function parseSettingKey(key: string): SettingKey | undefined {
  for (let start = 0; ;) {
    const setting = BY_NAME.get(key.slice(start));
    if (setting !== undefined) return { alias: key.slice(0, Math.max(0, start - 1)), setting };
    const dot = key.indexOf('.', start);
    if (dot === -1) return undefined;
    start = dot + 1;
  }
}
