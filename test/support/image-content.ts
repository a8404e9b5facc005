// Configs, manifests and indexes as registries hold them. The same fields give the same bytes, and so the same digest.

import { createHash } from 'node:crypto';

/** Whose media types an image has. */
export type MediaFamily = 'oci' | 'docker';

/** When an image was built if nothing is said. */
export const DEFAULT_CREATED = '2024-01-01T00:00:00Z';

export const MEDIA_TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
  },
} as const;

/** A text and where it is found. */
export interface Stored {
  readonly mediaType: string;
  readonly digest: string;
  readonly body: string;
}

/** The config of an image; a `created` of null leaves the date out, another `content` makes another digest. */
export function imageConfig(
  family: MediaFamily,
  image: { readonly platform: string; readonly created: string | null; readonly content: string },
): Stored {
  return stored(MEDIA_TYPES[family].config, {
    ...(image.created !== null && { created: image.created }),
    ...platformFields(image.platform),
    config: { Labels: { content: image.content } },
    rootfs: { type: 'layers', diff_ids: [] },
  });
}

/** The manifest of an image without layers. */
export function imageManifest(family: MediaFamily, config: Stored): Stored {
  const { manifest: mediaType } = MEDIA_TYPES[family];
  return stored(mediaType, { schemaVersion: 2, mediaType, config: descriptorOf(config), layers: [] });
}

/** The index of an image with several platforms (`linux/arm64/v8`). */
export function imageIndex(family: MediaFamily, manifests: Readonly<Record<string, Stored>>): Stored {
  const { index: mediaType } = MEDIA_TYPES[family];
  return stored(mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests: Object.entries(manifests).map(([platform, manifest]) => ({
      ...descriptorOf(manifest),
      platform: platformFields(platform),
    })),
  });
}

/** `sha256:…` of a text. */
export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function stored(mediaType: string, value: unknown): Stored {
  const body = JSON.stringify(value);
  return { mediaType, digest: sha256(body), body };
}

function descriptorOf({ mediaType, digest, body }: Stored): object {
  return { mediaType, digest, size: Buffer.byteLength(body) };
}

function platformFields(platform: string): object {
  const [os, architecture, variant] = platform.split('/');
  return { architecture, os, ...(variant && { variant }) };
}
