import { createHash } from 'node:crypto';

/** An image of the fake registry. */
export interface FakeImage {
  readonly repository: string;
  readonly tag: string;
  /** Default 2024-01-01T00:00:00Z; null leaves `created` out. */
  readonly created?: string | null;
  /** Absent: one manifest for linux/amd64. Given: an index, with a date of its own for each platform. */
  readonly platforms?: Readonly<Record<string, string>>;
  readonly family?: 'oci' | 'docker';
}

/** A manifest or blob as it is stored. */
export interface StoredBody {
  readonly mediaType: string;
  readonly body: string;
}

const TYPES = {
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

/** What a fake registry holds: tags in the order they were put, manifests and blobs by digest. */
export class FakeContent {
  /** By repository; the same name may stand there twice. */
  readonly tags: Map<string, string[]> = new Map();
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, StoredBody> = new Map();
  readonly blobs: Map<string, StoredBody> = new Map();

  /** Tags that name nothing, for tests of listings. */
  putTags(repository: string, tags: readonly string[]): void {
    this.tags.set(repository, [...tags]);
  }

  /** Puts an image, answers its digest. */
  put(image: FakeImage): string {
    const types = TYPES[image.family ?? 'oci'];
    const tags = this.tags.get(image.repository) ?? [];
    if (!tags.includes(image.tag)) this.tags.set(image.repository, [...tags, image.tag]);
    if (image.platforms === undefined) {
      const created = image.created === undefined ? '2024-01-01T00:00:00Z' : image.created;
      return this.putManifest(
        image.repository,
        image.tag,
        types.manifest,
        this.#imageManifest(image, 'linux/amd64', created),
      );
    }
    const manifests = Object.entries(image.platforms).map(([platform, created]) => {
      const text = this.#imageManifest(image, platform, created);
      const digest = this.putManifest(image.repository, undefined, types.manifest, text);
      const [os, architecture, variant] = platform.split('/');
      return {
        mediaType: types.manifest,
        digest,
        size: text.length,
        platform: { os, architecture, ...(variant && { variant }) },
      };
    });
    const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests });
    return this.putManifest(image.repository, image.tag, types.index, index);
  }

  /** Puts any text as a manifest; answers its digest. */
  putManifest(repository: string, tag: string | undefined, mediaType: string, body: string): string {
    const digest = sha256(body);
    this.manifests.set(`${repository}@${digest}`, { mediaType, body });
    if (tag !== undefined) this.manifests.set(`${repository}:${tag}`, { mediaType, body });
    return digest;
  }

  #imageManifest(image: FakeImage, platform: string, created: string | null): string {
    const types = TYPES[image.family ?? 'oci'];
    const [os, architecture, variant] = platform.split('/');
    const config = JSON.stringify({
      ...(created === null ? {} : { created }),
      os,
      architecture,
      ...(variant && { variant }),
      config: { Labels: { tag: image.tag } },
    });
    const digest = sha256(config);
    this.blobs.set(digest, { mediaType: 'application/octet-stream', body: config });
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, digest, size: config.length },
      layers: [],
    });
  }
}

/** `sha256:…` of a text. */
export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
