import {
  DEFAULT_CREATED,
  imageConfig,
  imageIndex,
  imageManifest,
  type MediaFamily,
  sha256,
  type Stored,
} from './image-content.ts';

/** An image of the fake registry. */
export interface FakeImage {
  readonly repository: string;
  readonly tag: string;
  /** Default 2024-01-01T00:00:00Z; null leaves `created` out. */
  readonly created?: string | null;
  /** Absent: one manifest for linux/amd64. Given: an index, with a date of its own for each platform. */
  readonly platforms?: Readonly<Record<string, string>>;
  readonly family?: MediaFamily;
}

/** A manifest or blob as it is stored. */
export interface StoredBody {
  readonly mediaType: string;
  readonly body: string;
}

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
    const family = image.family ?? 'oci';
    const tags = this.tags.get(image.repository) ?? [];
    if (!tags.includes(image.tag)) this.tags.set(image.repository, [...tags, image.tag]);
    if (image.platforms === undefined) {
      const created = image.created === undefined ? DEFAULT_CREATED : image.created;
      return this.#put(image, image.tag, this.#imageManifest(image, 'linux/amd64', created));
    }
    const manifests: Record<string, Stored> = {};
    for (const [platform, created] of Object.entries(image.platforms)) {
      const manifest = this.#imageManifest(image, platform, created);
      this.#put(image, undefined, manifest);
      manifests[platform] = manifest;
    }
    return this.#put(image, image.tag, imageIndex(family, manifests));
  }

  /** Puts any text as a manifest; answers its digest. */
  putManifest(repository: string, tag: string | undefined, mediaType: string, body: string): string {
    const digest = sha256(body);
    this.manifests.set(`${repository}@${digest}`, { mediaType, body });
    if (tag !== undefined) this.manifests.set(`${repository}:${tag}`, { mediaType, body });
    return digest;
  }

  #put(image: FakeImage, tag: string | undefined, { mediaType, body }: Stored): string {
    return this.putManifest(image.repository, tag, mediaType, body);
  }

  #imageManifest(image: FakeImage, platform: string, created: string | null): Stored {
    const family = image.family ?? 'oci';
    const config = imageConfig(family, { platform, created, content: image.tag });
    this.blobs.set(config.digest, { mediaType: 'application/octet-stream', body: config.body });
    return imageManifest(family, config);
  }
}
