import { parsed, unparsed, type Parsed } from '../error/parsed.ts';

declare const tagBrand: unique symbol;

/** A tag that passed {@link parseTag}: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. */
export type Tag = string & { readonly [tagBrand]: true };

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * A tag, checked. Everything that is written into a manifest or an URL comes through here, so nothing with a space, quote or
 * newline in it is ever a `Tag`.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 */
export function parseTag(text: string): Parsed<Tag> {
  if (TAG.test(text)) return parsed(text as Tag);
  if (text === '') return unparsed('is an empty tag');
  if (text.length > 128) return unparsed('has a tag of more than 128 characters');
  return unparsed(
    'has a tag with other characters than letters, digits, "_", "." and "-", or with "." or "-" in front',
  );
}
