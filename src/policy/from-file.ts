import { checkDepth, MAX_DEPTH } from '../edit/depth.ts';
import { compileFieldRule } from '../edit/field-rules.ts';
import type { FieldRule } from '../edit/image-field.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import { unparsed } from '../error/parsed.ts';
import { parsePolicyReference } from '../image/reference.ts';
import { type KeyPath, parseValidatedYaml, type ValidatedYaml } from '../text/validated-yaml.ts';
import { parseGlob } from '../strategy/glob.ts';
import { parseAlias } from './alias.ts';
import { buildPolicy } from './build-policy.ts';
import { firstSharing } from './file-aliases.ts';
import { policyFileSchema } from './file-schema.ts';
import type { ImageMatch, ImagePolicy } from './image-policy.ts';
import type { FileFieldRule, FileImage, PolicyFile } from './policy-file.ts';
import { MAX_POLICIES } from './limits.ts';
import type { SettingName } from './settings.ts';
import { quoted, type Written, type WrittenSettings } from './written.ts';

/** What is read of a file of policies; one with a thousand images has a few hundred KiB. */
export const MAX_POLICY_FILE_BYTES = 524_288;

/** What `.image-resolver.yaml` says. */
export interface PolicyFileReading {
  readonly policies: readonly ImagePolicy[];
  readonly sync?: 'full';
  /** Image fields of custom resources. */
  readonly fieldRules: readonly FieldRule[];
  readonly notices: readonly Notice[];
}

type PolicyYaml = ValidatedYaml<PolicyFile>;

/**
 * The policies of an `.image-resolver.yaml`. Regular expressions are not compiled: {@link checkPolicies}.
 *
 * @param path for messages.
 * @throws {UserError} for the first thing that cannot be used, with file, line and column.
 */
export function policiesFromFile(text: string, path: string): PolicyFileReading {
  checkBounds(text, path);
  const yaml = parseValidatedYaml(text, {
    path,
    code: 'POLICY_FILE_INVALID',
    // Text stays text: a tag 20240101 and a constraint 1.10 are not numbers, with or without quotes.
    version: 'failsafe',
    schema: policyFileSchema,
  });
  const { images = [], fields = [], sync } = yaml.value;
  if (images.length > MAX_POLICIES) {
    throw yaml.errorAt(
      ['images'],
      `has ${images.length} images, and ${MAX_POLICIES} is the limit`,
      'split the application',
    );
  }
  checkNames(yaml, images);
  const built = images.map((image, index) => policyOf(yaml, image, ['images', index]));
  return {
    policies: built.map(({ policy }) => policy),
    ...(sync !== undefined && { sync }),
    fieldRules: fields.map((rule, index) => fieldRuleOf(yaml, rule, ['fields', index])),
    notices: built.flatMap(({ notices }) => notices),
  };
}

function checkBounds(text: string, path: string): void {
  if (Buffer.byteLength(text) > MAX_POLICY_FILE_BYTES) {
    throw new UserError('FILE_TOO_LARGE', {
      what: `the file has more than ${MAX_POLICY_FILE_BYTES} bytes`,
      where: path,
      fix: 'keep policies alone in it',
    });
  }
  const depth = checkDepth(text, MAX_DEPTH);
  if (!depth.ok) {
    throw new UserError('POLICY_FILE_INVALID', {
      what: `the file is nested deeper than ${MAX_DEPTH} levels`,
      where: `${path}:${depth.line}`,
      fix: 'policies need five levels',
    });
  }
  const sharing = firstSharing(text);
  if (sharing !== undefined) {
    const { kind, line, column } = sharing;
    throw new UserError('POLICY_FILE_INVALID', {
      what: `the file has a YAML ${kind === 'alias' ? 'alias (*name)' : 'anchor (&name)'}, which is not allowed in it`,
      where: `${path}:${line}:${column}`,
      fix: kind === 'alias' ? 'write out what the alias stands for' : 'remove the anchor, and write out its aliases',
    });
  }
}

function checkNames(yaml: PolicyYaml, images: readonly FileImage[]): void {
  const seen = new Set<string>();
  for (const [index, { name }] of images.entries()) {
    const at = ['images', index, 'name'];
    yaml.take(at, parseAlias(name));
    if (seen.has(name)) {
      throw new UserError('ALIAS_DUPLICATE', {
        what: `two images are called ${quoted(name)}`,
        where: whereIs(yaml, at),
        fix: 'give each image a name of its own',
      });
    }
    seen.add(name);
  }
}

function policyOf(yaml: PolicyYaml, image: FileImage, at: KeyPath): ReturnType<typeof buildPolicy> {
  const reference = parsePolicyReference(image.image);
  if (!reference.ok) throw imageInvalid(reference.problem, reference.fix);
  const { slot, digest, repository, writtenRepository } = reference.value;
  if (slot.kind !== 'none') throw imageInvalid('has something after the colon', 'write it under constraint');
  if (digest !== undefined) throw imageInvalid('has a digest', 'write it under pin');
  for (const [index, entry] of (image.match ?? []).entries()) checkMatch(yaml, entry, [...at, 'match', index]);
  return buildPolicy({
    alias: image.name,
    repository,
    writtenRepository,
    match: image.match ?? [],
    settings: settingsOf(yaml, image, at),
    origin: { place: 'file', where: whereIs(yaml, at) },
  });

  function imageInvalid(problem: string, fix = 'write a repository such as ghcr.io/acme/web'): UserError {
    return new UserError('REFERENCE_INVALID', {
      what: `the image ${quoted(image.image)} ${problem}`,
      where: whereIs(yaml, [...at, 'image']),
      fix,
    });
  }
}

/** Every value with its place, under the names that settings have everywhere. */
function settingsOf(yaml: PolicyYaml, image: FileImage, at: KeyPath): WrittenSettings {
  const settings = new Map<SettingName, readonly Written[]>();
  const set = (name: SettingName, key: KeyPath, value: string | boolean | readonly string[] | undefined): void => {
    if (value === undefined) return;
    const path = [...at, ...key];
    const values =
      typeof value === 'object'
        ? value.map((text, index) => ({ text, where: whereIs(yaml, [...path, index]) }))
        : [{ text: String(value), where: whereIs(yaml, path) }];
    settings.set(name, values);
  };
  set('update-strategy', ['strategy'], image.strategy);
  set('constraint', ['constraint'], image.constraint);
  set('allow-tags', ['allowTags'], image.allowTags);
  set('ignore-tags', ['ignoreTags'], image.ignoreTags);
  set('platforms', ['platforms'], image.platforms);
  set('pull-secret', ['pullSecret'], image.pullSecret);
  set('helm.image-name', ['helm', 'imageName'], image.helm?.imageName);
  set('helm.image-tag', ['helm', 'imageTag'], image.helm?.imageTag);
  set('helm.image-spec', ['helm', 'imageSpec'], image.helm?.imageSpec);
  set('kustomize.image-name', ['kustomize', 'imageName'], image.kustomize?.imageName);
  set('output', ['output'], image.output);
  set('pin', ['pin'], image.pin);
  set('optional', ['optional'], image.optional);
  set('on-unsatisfied', ['onUnsatisfied'], image.onUnsatisfied);
  set('on-removed', ['onRemoved'], image.onRemoved);
  set('poll-interval', ['pollInterval'], image.pollInterval);
  return settings;
}

function checkMatch(yaml: PolicyYaml, match: ImageMatch, at: KeyPath): void {
  const entries = Object.entries(match);
  if (entries.length === 0) yaml.take(at, unparsed('selects nothing', 'write kind, name, namespace or container'));
  for (const [key, glob] of entries) yaml.take([...at, key], parseGlob(glob as string));
}

function fieldRuleOf(yaml: PolicyYaml, rule: FileFieldRule, at: KeyPath): FieldRule {
  const { apiVersion, kind, path, repository, tag } = rule;
  if (path !== undefined && repository === undefined && tag === undefined) return checked({ apiVersion, kind, path });
  if (path === undefined && repository !== undefined && tag !== undefined) {
    return checked({ apiVersion, kind, repository, tag });
  }
  throw yaml.errorAt(at, 'does not say where the image is', 'write either path, or repository and tag');

  function checked(fieldRule: FieldRule): FieldRule {
    yaml.take(at, compileFieldRule(fieldRule));
    return fieldRule;
  }
}

/** `.image-resolver.yaml:6:5`. */
function whereIs(yaml: PolicyYaml, path: KeyPath): string {
  return yaml.errorAt(path, '', '').where;
}
