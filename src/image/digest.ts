import { parsed, unparsed, type Parsed } from '../error/parsed.ts';

declare const digestBrand: unique symbol;

/** A digest that passed {@link parseDigest}: `sha256:` and 64 hexadecimal digits (sha384 with 96, sha512 with 128). */
export type Digest = string & { readonly [digestBrand]: true };

/** Hexadecimal digits by algorithm. */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/**
 * A digest of one of the algorithms that registries use, hexadecimal digits in lower case.
 *
 * @see https://github.com/opencontainers/go-digest/blob/v1.0.0/algorithm.go
 */
export function parseDigest(text: string): Parsed<Digest> {
  const colon = text.indexOf(':');
  const digits = DIGITS.get(text.slice(0, Math.max(colon, 0)));
  if (digits === undefined) {
    return unparsed('has a digest that does not begin with sha256:, sha384: or sha512:');
  }
  const encoded = text.slice(colon + 1);
  if (encoded.length === digits && /^[a-f0-9]*$/.test(encoded)) return parsed(text as Digest);
  return unparsed(`has a digest that is not ${digits} hexadecimal digits in lower case`);
}
