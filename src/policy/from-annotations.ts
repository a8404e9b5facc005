import type { AnnotatedResource, FieldId, ImageField, PolicyAnnotation, ResourceId } from '../edit/image-field.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import { closestName } from '../text/closest-name.ts';
import type { OnUnmatched } from '../operator/operator-configuration.ts';
import { buildPolicy } from './build-policy.ts';
import type { ImagePolicy } from './image-policy.ts';
import { unknownSetting, valuesOf } from './image-settings.ts';
import { isAllowedIn, parseSettingKey, type SettingName } from './settings.ts';
import { quoted, type Written } from './written.ts';

/** A policy from annotations, with the fields that it is about: those of its container. */
export interface AnnotatedPolicy {
  readonly policy: ImagePolicy;
  readonly fields: readonly FieldId[];
}

/** The policies of one annotated workload. */
export interface AnnotationReading {
  readonly policies: readonly AnnotatedPolicy[];
  readonly notices: readonly Notice[];
}

/**
 * The policies in the annotations of a workload: `image-resolver.io/<container>` is the constraint of a container's image,
 * `image-resolver.io/<container>.<setting>` a setting. The repository is the one that the container has in Git.
 *
 * @param options.onUnmatched what an annotation for a container that is not there is: the operator's
 *   `unmatchedPolicy.annotations`.
 * @throws {UserError} for the first thing that cannot be used.
 */
export function policiesFromAnnotations(
  annotated: AnnotatedResource,
  fields: readonly ImageField[],
  options: { readonly onUnmatched: OnUnmatched } = { onUnmatched: 'error' },
): AnnotationReading {
  const own = new Set(annotated.fields);
  const byContainer = Map.groupBy(
    fields.filter(({ id, container }) => own.has(id) && container !== undefined),
    ({ container }) => container ?? '',
  );
  const notices: Notice[] = [];
  const policies: AnnotatedPolicy[] = [];
  for (const [container, settings] of settingsByContainer(annotated, new Set(byContainer.keys()))) {
    const images = byContainer.get(container);
    if (images === undefined) {
      notices.push(...unmatched(annotated.resource, container, [...byContainer.keys()], options.onUnmatched));
      continue;
    }
    const alias = `${nameOf(annotated.resource)}/${container}`;
    // One container name may stand for several images in a custom resource; each repository then has a policy of its own.
    const byRepository = Map.groupBy(images, ({ reference }) => reference?.repository.name ?? '');
    for (const same of byRepository.values()) {
      const reference = same[0]?.reference;
      if (reference === undefined) {
        notices.push(...same.map((field) => noReference(annotated.resource, container, field)));
        continue;
      }
      const built = buildPolicy({
        alias,
        repository: reference.repository,
        writtenRepository: reference.writtenRepository,
        match: [],
        settings,
        origin: { place: 'annotation', where: whereIs(annotated.resource, container) },
      });
      policies.push({ policy: built.policy, fields: same.map(({ id }) => id) });
      notices.push(...built.notices);
    }
  }
  return { policies, notices };
}

type ContainerSettings = ReadonlyMap<string, ReadonlyMap<SettingName, readonly Written[]>>;

function settingsByContainer(annotated: AnnotatedResource, containers: ReadonlySet<string>): ContainerSettings {
  const found = new Map<string, Map<SettingName, readonly Written[]>>();
  for (const annotation of annotated.annotations) {
    const { container, setting } = splitKey(annotation, annotated.resource, containers);
    const settings = found.get(container) ?? new Map<SettingName, readonly Written[]>();
    found.set(container, settings);
    const written = { text: annotation.value, where: whereIs(annotated.resource, annotation.key) };
    if (settings.has(setting)) {
      throw new UserError('SETTING_INVALID', {
        what: `${setting} of the container ${quoted(container)} is set twice`,
        where: written.where,
        fix: 'leave one of the annotations',
      });
    }
    settings.set(setting, valuesOf(setting, written));
  }
  return found;
}

function splitKey(
  { key }: PolicyAnnotation,
  resource: ResourceId,
  containers: ReadonlySet<string>,
): { readonly container: string; readonly setting: SettingName } {
  if (containers.has(key)) return { container: key, setting: 'constraint' };
  const parsedKey = parseSettingKey(key);
  if (parsedKey === undefined || parsedKey.alias === '') {
    // Names of containers hold no dots: what has one is a setting that is not known.
    if (key.includes('.')) throw unknownSetting(key, whereIs(resource, key), 'annotation');
    return { container: key, setting: 'constraint' };
  }
  const { alias: container, setting } = parsedKey;
  if (isAllowedIn(setting, 'annotation')) return { container, setting };
  throw new UserError('SETTING_INVALID', {
    what: `${setting} cannot be set by an annotation`,
    where: whereIs(resource, key),
    fix: 'write it in the plugin parameters or in .image-resolver.yaml',
  });
}

function unmatched(
  resource: ResourceId,
  container: string,
  containers: readonly string[],
  onUnmatched: OnUnmatched,
): readonly Notice[] {
  const what = `there is no container ${quoted(container)} in ${nameOf(resource)}`;
  const where = whereIs(resource, container);
  const meant = closestName(container, containers);
  const list = containers.length === 0 ? 'it has none' : `it has ${containers.slice(0, 20).join(', ')}`;
  switch (onUnmatched) {
    case 'error':
      throw new UserError('POLICY_UNMATCHED', {
        what,
        where,
        fix: meant === undefined ? list : `did you mean ${meant}? ${list}`,
      });
    case 'warn':
      return [{ code: 'POLICY_UNMATCHED', what: `${what}; ${list}`, where }];
    case 'ignore':
      return [];
    default:
      return onUnmatched satisfies never;
  }
}

function noReference(resource: ResourceId, container: string, field: ImageField): Notice {
  return {
    code: 'FIELD_UNPARSABLE',
    what: `the image ${quoted(field.written)} is no image reference and passes as written`,
    where: whereIs(resource, container),
  };
}

function nameOf({ kind, name, namespace }: ResourceId): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function whereIs(resource: ResourceId, key: string): string {
  return `${nameOf(resource)}, annotation image-resolver.io/${key}`;
}
