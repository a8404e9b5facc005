import { parsed, unparsed, type Parsed } from '../error/parsed.ts';
import { parseDigest, type Digest } from './digest.ts';
import { parseRepository, type Repository } from './repository.ts';
import { parseTag, type Tag } from './tag.ts';

export { parseDigest, type Digest } from './digest.ts';
export { parseRepository, type Repository } from './repository.ts';
export { parseTag, type Tag } from './tag.ts';

/** What stands in the tag position. */
export type TagSlot =
  | { readonly kind: 'none' }
  | { readonly kind: 'tag'; readonly tag: Tag }
  | { readonly kind: 'constraint'; readonly text: string };

/** An image reference as written somewhere. */
export interface ImageReference {
  readonly repository: Repository;
  /** The user's spelling of the repository: `nginx`, kept when an image is written. */
  readonly writtenRepository: string;
  readonly slot: TagSlot;
  readonly digest?: Digest;
  /** The whole text as written. */
  readonly written: string;
}

/** Characters of a reference. A host name has at most 253, a path 255, a tag 128, a digest 135; a constraint 256. */
const MAX_REFERENCE_CHARACTERS = 4096;

/**
 * An image reference as the container runtime reads it.
 *
 * Accepts and refuses what distribution/reference's `ParseNormalizedNamed` does, which Docker and the kubelet use; in
 * addition `registry-1.docker.io` is Docker Hub, and texts above 4096 characters are refused.
 *
 * @see https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */
export function parseReference(text: string): Parsed<ImageReference> {
  const parts = splitReference(text);
  if (!parts.ok) return parts;
  const { name, slot, digest } = parts.value;
  if (slot === undefined) return assemble(text, name, { kind: 'none' }, digest);
  const tag = parseTag(slot);
  return tag.ok ? assemble(text, name, { kind: 'tag', tag: tag.value }, digest) : tag;
}

/**
 * An image in a policy: as {@link parseReference}, but a version constraint may follow the colon (`nginx:>=1.0 <2`).
 *
 * The slot is a tag whenever the text is a legal one (`1.x` is, `~1.0` is not); what a tag means there, the caller decides.
 * A constraint is not parsed here, only trimmed.
 */
export function parsePolicyReference(text: string): Parsed<ImageReference> {
  const parts = splitReference(text);
  if (!parts.ok) return parts;
  const { name, slot, digest } = parts.value;
  if (slot === undefined || parseTag(slot).ok) return parseReference(text);
  const constraint = slot.trim();
  if (constraint === '')
    return unparsed('has nothing after the colon', 'remove the colon, or write a constraint after it');
  return assemble(text, name, { kind: 'constraint', text: constraint }, digest);
}

/** The text of a reference with this tag and digest, the repository spelled as its author spelled it. */
export function formatReference(parts: {
  readonly writtenRepository: string;
  readonly tag?: Tag;
  readonly digest?: Digest;
}): string {
  const tag = parts.tag === undefined ? '' : `:${parts.tag}`;
  const digest = parts.digest === undefined ? '' : `@${parts.digest}`;
  return `${parts.writtenRepository}${tag}${digest}`;
}

interface ReferenceParts {
  readonly name: string;
  readonly slot?: string;
  readonly digest?: string;
}

/** A colon before the first slash belongs to a port or an IPv6 address, so only what follows that slash is looked at. */
function splitReference(text: string): Parsed<ReferenceParts> {
  if (text.length > MAX_REFERENCE_CHARACTERS) return unparsed(`is longer than ${MAX_REFERENCE_CHARACTERS} characters`);
  if (/^[a-f0-9]{64}$/.test(text)) {
    return unparsed(
      'is 64 hexadecimal digits, which is how an image id looks',
      'write the repository before the digest',
    );
  }
  const slash = text.indexOf('/');
  const at = text.indexOf('@', slash + 1);
  const end = at === -1 ? text.length : at;
  const colon = text.slice(0, end).indexOf(':', slash + 1);
  return parsed({
    name: text.slice(0, colon === -1 ? end : colon),
    ...(colon !== -1 && { slot: text.slice(colon + 1, end) }),
    ...(at !== -1 && { digest: text.slice(at + 1) }),
  });
}

function assemble(
  written: string,
  writtenRepository: string,
  slot: TagSlot,
  digestText: string | undefined,
): Parsed<ImageReference> {
  const repository = parseRepository(writtenRepository);
  if (!repository.ok) return repository;
  const found = { repository: repository.value, writtenRepository, slot, written };
  if (digestText === undefined) return parsed(found);
  const digest = parseDigest(digestText);
  return digest.ok ? parsed({ ...found, digest: digest.value }) : digest;
}
