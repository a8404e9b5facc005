import { parsed, unparsed, type Parsed } from '../error/parsed.ts';
import { parseReference, parseRepository, parseTag } from '../image/reference.ts';
import { normaliseHost } from '../operator/host-name.ts';
import type { RegistryChange } from './webhook.ts';

/** An image as an event names it. Nothing of it is checked yet. */
export interface NamedImage {
  /** Undefined when neither the event nor the operator names the registry. */
  readonly host: string | undefined;
  readonly path: string;
  /** What stands in the event's field for the tag; senders put digests there as well. */
  readonly tag?: string | undefined;
}

/** More of them, and each repository is named once, without a tag. */
const MAX_CHANGES = 1000;

/** The parts of a complete reference; undefined when it is none. */
export function imageOf(reference: string): NamedImage | undefined {
  const image = parseReference(reference);
  if (!image.ok) return undefined;
  const { repository, slot } = image.value;
  return { host: repository.host, path: repository.path, ...(slot.kind === 'tag' && { tag: slot.tag }) };
}

/** The host of an address, with its port; undefined when it is no address. */
export function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
}

/** Each change once. Names that are no repository are left out: charts and other artefacts have such names too. */
export function changesOf(images: readonly NamedImage[]): Parsed<readonly RegistryChange[]> {
  const changes = new Map<string, RegistryChange>();
  for (const image of images) {
    const change = changeOf(image);
    if (change !== undefined) changes.set(`${change.repository.name}:${change.tag ?? ''}`, change);
  }
  if (changes.size === 0 && images.some(({ host }) => host === undefined)) {
    return unparsed('does not name the registry, and no "host" is configured for this sender');
  }
  return parsed(changes.size > MAX_CHANGES ? withoutTags([...changes.values()]) : [...changes.values()]);
}

function changeOf({ host, path, tag }: NamedImage): RegistryChange | undefined {
  if (host === undefined) return undefined;
  const normalHost = normaliseHost(host);
  const repository = parseRepository(`${normalHost}/${path}`);
  // A bare word in front is no host for references: `registry/team/app` would be a repository of Docker Hub.
  if (!repository.ok || repository.value.host !== normalHost) return undefined;
  const parsedTag = parseTag(tag ?? '');
  return { repository: repository.value, ...(parsedTag.ok && { tag: parsedTag.value }) };
}

function withoutTags(changes: readonly RegistryChange[]): readonly RegistryChange[] {
  const repositories = new Map(changes.map(({ repository }) => [repository.name, repository]));
  return [...repositories.values()].map((repository) => ({ repository }));
}
