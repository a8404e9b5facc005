import { type Notice, UserError } from '../error/user-error.ts';
import { parseConstraint } from '../image/constraint.ts';
import { parsePolicyReference, type ImageReference } from '../image/reference.ts';
import { closestName } from '../text/closest-name.ts';
import { entriesOf, itemsOf, type PluginParameters, textOf } from '../parameters/plugin-parameters.ts';
import { splitAlias } from './alias.ts';
import { buildPolicy } from './build-policy.ts';
import type { ImagePolicy } from './image-policy.ts';
import { type ImageSettings, imageSettingsFrom } from './image-settings.ts';
import { MAX_POLICIES } from './limits.ts';
import type { SettingName } from './settings.ts';
import { quoted, type Written, type WrittenSettings } from './written.ts';

/** Policies with what is to be said about them. */
export interface PolicyReading {
  readonly policies: readonly ImagePolicy[];
  /** The setting `sync`, which is the application's. */
  readonly sync?: 'full';
  readonly notices: readonly Notice[];
}

/**
 * The policies of the parameters `images` and `image-settings`. Regular expressions are not compiled: {@link checkPolicies}.
 *
 * @throws {UserError} for the first thing that cannot be used.
 */
export async function policiesFromParameters(parameters: PluginParameters): Promise<PolicyReading> {
  const images = imagesOf(parameters);
  const settings = imageSettingsFrom(entriesOf(parameters, 'image-settings'));
  checkAliases(images, settings);
  const built = images.map((image) =>
    buildPolicy({
      alias: image.alias ?? image.reference.writtenRepository,
      repository: image.reference.repository,
      writtenRepository: image.reference.writtenRepository,
      match: [],
      settings: settingsFor(image, settings),
      origin: { place: 'parameters', where: image.where },
    }),
  );
  const sync = settings.forAll.get('sync')?.[0];
  return {
    policies: built.map(({ policy }) => policy),
    ...(sync !== undefined && { sync: syncFrom(sync) }),
    notices: [...settings.notices, ...built.flatMap(({ notices }) => notices)],
  };
}

function syncFrom({ text, where }: Written): 'full' {
  if (text.trim() === 'full') return 'full';
  throw new UserError('SETTING_INVALID', {
    what: `sync is ${quoted(text)}, and only full has a meaning`,
    where,
    fix: 'write full, or remove the setting to leave syncing to Argo CD',
  });
}

/** One image of the list. */
interface ListedImage {
  readonly alias?: string;
  readonly reference: ImageReference;
  readonly where: string;
}

function imagesOf(parameters: PluginParameters): readonly ListedImage[] {
  const list = textOf(parameters, 'images');
  const texts = list === undefined ? itemsOf(parameters, 'images') : list.split(',');
  const images = texts
    .map((text, index) => ({ text: text.trim(), where: `parameter images[${index}]` }))
    .filter(({ text }) => text !== '')
    .map((written, index) => parseImage(written, list !== undefined && index > 0));
  if (images.length <= MAX_POLICIES) return images;
  throw new UserError('PARAMETER_INVALID', {
    what: `there are ${images.length} images, and ${MAX_POLICIES} is the limit`,
    where: 'parameter images',
    fix: 'split the application',
  });
}

/** @param afterComma it follows a comma, which may have been meant as the AND of a constraint. */
function parseImage(written: Written, afterComma: boolean): ListedImage {
  const { alias, reference: text } = splitAlias(written.text);
  if (looksLikeConstraint(text)) throw constraintAlone(written, afterComma);
  const answer = parsePolicyReference(text);
  if (!answer.ok) {
    throw referenceInvalid(`the image ${quoted(text)} ${answer.problem}`, written.where, answer.fix);
  }
  const reference = answer.value;
  if (reference.digest !== undefined) {
    throw referenceInvalid(
      `the image ${quoted(text)} has a digest, which leaves nothing to choose`,
      written.where,
      'remove the digest; to write just that one, use the setting pin',
    );
  }
  return { ...(alias !== undefined && { alias }), reference, where: written.where };
}

/** `<2.0`, `2.0`, `!=1.2.3`: no image has such a name, although `2.0` would be a legal one. */
function looksLikeConstraint(text: string): boolean {
  return /^[<>=!~^]|^v?[0-9]+(?:\.[0-9xX*]+)*(?:-[0-9A-Za-z.-]+)?$/.test(text) && parseConstraint(text).ok;
}

function constraintAlone({ text, where }: Written, afterComma: boolean): UserError {
  return afterComma
    ? referenceInvalid(
        `${quoted(text)} follows a comma, which ends an image in this list, and is no image itself`,
        where,
        'write a space instead of the comma (">=1.0 <2.0"), or give images as an array, whose elements are never split',
      )
    : referenceInvalid(
        `${quoted(text)} is a version, not an image`,
        where,
        'write [alias=]repository:constraint, such as web=ghcr.io/acme/web:~1.2',
      );
}

function referenceInvalid(what: string, where: string, fix = 'write [alias=]repository[:constraint]'): UserError {
  return new UserError('REFERENCE_INVALID', { what, where, fix });
}

function checkAliases(images: readonly ListedImage[], settings: ImageSettings): void {
  const seen = new Map<string, string>();
  for (const { alias, reference, where } of images) {
    const name = alias ?? reference.writtenRepository;
    const before = seen.get(name);
    if (before !== undefined) {
      throw new UserError('ALIAS_DUPLICATE', {
        what: `${before} and ${where} are both called ${quoted(name)}`,
        where,
        fix: 'give each image an alias of its own: stable=<image>, canary=<image>',
      });
    }
    seen.set(name, where);
  }
  const aliases = images.flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
  const known = new Set(aliases);
  for (const [alias, { where }] of settings.byAlias) {
    if (known.has(alias)) continue;
    const meant = closestName(alias, aliases);
    const list = aliases.length === 0 ? 'no image has an alias' : `known are ${aliases.slice(0, 20).join(', ')}`;
    throw new UserError('SETTING_UNKNOWN', {
      what: `a setting is for the alias ${quoted(alias)}, which no image has`,
      where,
      fix: meant === undefined ? `write <alias>=<image> in images; ${list}` : `did you mean ${meant}? ${list}`,
    });
  }
}

/** A setting for the image alone comes before one for all. */
function settingsFor(image: ListedImage, settings: ImageSettings): WrittenSettings {
  const own = settings.byAlias.get(image.alias ?? '')?.settings;
  const merged = new Map<SettingName, readonly Written[]>([...settings.forAll, ...(own ?? [])]);
  const inImage = constraintIn(image);
  if (inImage === undefined) return merged;
  const set = own?.get('constraint')?.[0];
  if (set !== undefined && set.text.trim() !== inImage.text.trim()) {
    throw new UserError('CONSTRAINT_INVALID', {
      what: `the image has the constraint ${quoted(inImage.text)}, and its setting says ${quoted(set.text)}`,
      where: set.where,
      fix: `leave one of the two (the other is at ${inImage.where})`,
    });
  }
  return merged.set('constraint', [inImage]);
}

function constraintIn({ reference: { slot }, where }: ListedImage): Written | undefined {
  switch (slot.kind) {
    case 'none':
      return undefined;
    case 'tag':
      return { text: slot.tag, where };
    case 'constraint':
      return { text: slot.text, where };
    default:
      return slot satisfies never;
  }
}
