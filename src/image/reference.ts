// Types of references; the parser follows below.
declare const tagBrand: unique symbol;
declare const digestBrand: unique symbol;

/** A tag that passed {@link parseTag}: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. */
export type Tag = string & { readonly [tagBrand]: true };
/** A digest that passed {@link parseDigest}: `sha256:` and 64 hexadecimal digits (sha384, sha512 alike). */
export type Digest = string & { readonly [digestBrand]: true };

/** A repository in normal form. Two spellings of one repository have equal `name`s. */
export interface Repository {
  /** Registry host with port if written; Docker Hub's three names are all `docker.io`. */
  readonly host: string;
  /** Path below the host, `library/` filled in for Docker Hub. */
  readonly path: string;
  /** `host/path`, the normal form used for comparing and in keys: `docker.io/library/nginx`. */
  readonly name: string;
}

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
