import type { Digest } from '../image/reference.ts';
import { parseDigest } from '../image/digest.ts';
import type { Platform } from '../image/platform.ts';
import { header } from './http.ts';
import { readJson } from './json-body.ts';
import type { HttpAnswer } from './transport.ts';

/** The manifests and indexes of both families. Registries hide what a client does not name. */
export const ACCEPTED_MANIFESTS: string = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** What a manifest leads to, as far as build dates need it. */
export type ManifestBody =
  | { readonly kind: 'image'; readonly config: Digest }
  | { readonly kind: 'index'; readonly children: readonly IndexChild[] }
  /** Docker's schema 1, gone since 2019: its digest does not name what a client pulls. */
  | { readonly kind: 'schema1' }
  | { readonly kind: 'invalid' };

export interface IndexChild {
  readonly digest: Digest;
  readonly platform: Platform;
}

/** Whether a media type is docker's schema 1. */
export function isSchema1(answer: HttpAnswer): boolean {
  return /^application\/vnd\.docker\.distribution\.manifest\.v1\+/i.test(header(answer, 'content-type') ?? '');
}

/**
 * Reads a manifest by its shape; media types are left out by some producers and wrong with others.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
export function readManifest(answer: HttpAnswer): ManifestBody {
  const body = readJson(answer) as Record<string, unknown> | null | undefined;
  if (typeof body !== 'object' || body === null) return { kind: 'invalid' };
  const { schemaVersion, manifests, config } = body;
  if (schemaVersion === 1) return { kind: 'schema1' };
  // Both at once is how one body passes for two things.
  if (manifests !== undefined && config !== undefined) return { kind: 'invalid' };
  if (Array.isArray(manifests)) {
    return { kind: 'index', children: manifests.flatMap((entry: unknown) => readChild(entry)) };
  }
  const digest = digestIn(config);
  return digest === undefined ? { kind: 'invalid' } : { kind: 'image', config: digest };
}

/** A child without platform is no image to run. BuildKit's attestations have `unknown/unknown`, which nobody wants. */
function readChild(entry: unknown): readonly IndexChild[] {
  const digest = digestIn(entry);
  const platform = readPlatform((entry as { platform?: unknown } | null)?.platform);
  if (digest === undefined || platform === undefined) return [];
  return [{ digest, platform }];
}

function digestIn(descriptor: unknown): Digest | undefined {
  const text = (descriptor as { digest?: unknown } | null | undefined)?.digest;
  const digest = typeof text === 'string' ? parseDigest(text) : undefined;
  return digest?.ok === true ? digest.value : undefined;
}

/** `os`, `architecture` and `variant` as image config and index descriptor both have them. */
export function readPlatform(value: unknown): Platform | undefined {
  const { os, architecture, variant } = (value ?? {}) as Record<string, unknown>;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) };
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i;

/** `created` of an image config, in milliseconds since the epoch; reproducible builds have 1970 or the year 1 there. */
export function readCreated(value: unknown): number | undefined {
  if (typeof value !== 'string' || !RFC_3339.test(value)) return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}
