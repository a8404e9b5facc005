import { parsed, unparsed, type Parsed } from '../error/parsed.ts';
import { parseGlob } from '../strategy/glob.ts';
import { parseFieldPath, type FieldPath } from './field-path.ts';
import type { FieldRule } from './image-field.ts';

/** Where one image of a resource stands: in one scalar, or with its tag in a scalar of its own. */
export type ImagePlace =
  | {
      readonly kind: 'whole';
      readonly path: FieldPath;
      /** Not a container: the name beside it is no container name. */ readonly unnamed?: true;
    }
  | { readonly kind: 'split'; readonly repository: FieldPath; readonly tag: FieldPath };

/** The places of the resources that a rule is about. */
export interface KindRule {
  matches(apiVersion: string, kind: string): boolean;
  readonly places: readonly ImagePlace[];
  /** Maps with `metadata` whose annotations count like the resource's own: the Pod template. */
  readonly podTemplate?: FieldPath;
  /** As `podTemplate`, for custom resources that call the metadata of their Pods differently. */
  readonly podMetadata?: FieldPath;
}

/** Makes a field rule that a user wrote ready; the problem names the part that is wrong. */
export function compileFieldRule(rule: FieldRule): Parsed<KindRule> {
  const apiVersion = parseGlob(rule.apiVersion);
  if (!apiVersion.ok) return inPart('apiVersion', apiVersion);
  const kind = parseGlob(rule.kind);
  if (!kind.ok) return inPart('kind', kind);
  const place = 'path' in rule ? wholePlace(rule.path) : splitPlace(rule.repository, rule.tag);
  if (!place.ok) return place;
  return parsed({
    matches: (theirVersion, theirKind) => kind.value.matches(theirKind) && apiVersion.value.matches(theirVersion),
    places: [place.value],
  });
}

function wholePlace(text: string): Parsed<ImagePlace> {
  const path = parseFieldPath(text);
  return path.ok ? parsed({ kind: 'whole', path: path.value }) : inPart('path', path);
}

function splitPlace(repositoryText: string, tagText: string): Parsed<ImagePlace> {
  const repository = parseFieldPath(repositoryText);
  if (!repository.ok) return inPart('repository', repository);
  const tag = parseFieldPath(tagText);
  if (!tag.ok) return inPart('tag', tag);
  if (eaches(repository.value) !== eaches(tag.value)) {
    return unparsed('repository and tag have different numbers of [*]', 'write both paths through the same lists');
  }
  return parsed({ kind: 'split', repository: repository.value, tag: tag.value });
}

function eaches(path: FieldPath): number {
  return path.filter((step) => step.kind === 'each').length;
}

function inPart(part: string, { problem, fix }: { readonly problem: string; readonly fix?: string }): Parsed<never> {
  return unparsed(`${part} ${problem}`, fix);
}
