import {
  DEFAULT_CREATED,
  imageConfig,
  imageIndex,
  imageManifest,
  type MediaFamily,
  type Stored,
} from './image-content.ts';

/** An image to push. The same fields give the same digest. */
export interface PushedImage {
  /** Path below the host: `acme/api`. */
  readonly repository: string;
  readonly tag: string;
  /** Build date in the config, RFC 3339; default 2024-01-01T00:00:00Z. */
  readonly created?: string;
  /** Absent: one manifest for linux/amd64. Given: an index of these. A string is a platform built at `created`. */
  readonly platforms?: readonly (string | { readonly platform: string; readonly created: string })[];
  /** Anything: makes the digest differ from another image's. Default: the tag. */
  readonly content?: string;
  /** Media types; default `oci`. */
  readonly family?: MediaFamily;
}

/** What came to be in the registry. */
export interface PushedDigests {
  /** Digest of the manifest, or of the index. */
  readonly digest: string;
  /** By platform, for an index. */
  readonly platforms: Readonly<Record<string, string>>;
}

/** Pushes over HTTP, as docker would but without layers. */
export class Pusher {
  readonly #url: string;
  readonly #authorization: (repository: string) => string | undefined;
  readonly #uploaded = new Set<string>();

  constructor(url: string, authorization: (repository: string) => string | undefined) {
    this.#url = url;
    this.#authorization = authorization;
  }

  async push(image: PushedImage): Promise<PushedDigests> {
    const created = image.created ?? DEFAULT_CREATED;
    if (image.platforms === undefined) {
      const manifest = await this.#imageManifest(image, 'linux/amd64', created);
      return { digest: await this.#putManifest(image.repository, image.tag, manifest), platforms: {} };
    }
    const manifests: Record<string, Stored> = {};
    const platforms: Record<string, string> = {};
    for (const entry of image.platforms) {
      const { platform, created: built } = typeof entry === 'string' ? { platform: entry, created } : entry;
      const manifest = await this.#imageManifest(image, platform, built);
      platforms[platform] = await this.#putManifest(image.repository, manifest.digest, manifest);
      manifests[platform] = manifest;
    }
    const index = imageIndex(image.family ?? 'oci', manifests);
    return { digest: await this.#putManifest(image.repository, image.tag, index), platforms };
  }

  async deleteTag(repository: string, tag: string): Promise<void> {
    await this.#send('DELETE', `${this.#url}/v2/${repository}/manifests/${tag}`, repository, 202);
  }

  async #imageManifest(image: PushedImage, platform: string, created: string): Promise<Stored> {
    const family = image.family ?? 'oci';
    const config = imageConfig(family, { platform, created, content: image.content ?? image.tag });
    await this.#putBlob(image.repository, config);
    return imageManifest(family, config);
  }

  async #putBlob(repository: string, { digest, body }: Stored): Promise<void> {
    const key = `${repository}@${digest}`;
    if (this.#uploaded.has(key)) return;
    const started = await this.#send('POST', `${this.#url}/v2/${repository}/blobs/uploads/`, repository, 202);
    const location = new URL(started.headers.get('location') ?? '', this.#url);
    location.searchParams.set('digest', digest);
    await this.#send('PUT', location.href, repository, 201, { body, type: 'application/octet-stream' });
    this.#uploaded.add(key);
  }

  /** Answers the digest. */
  async #putManifest(repository: string, reference: string, manifest: Stored): Promise<string> {
    const url = `${this.#url}/v2/${repository}/manifests/${reference}`;
    await this.#send('PUT', url, repository, 201, { body: manifest.body, type: manifest.mediaType });
    return manifest.digest;
  }

  async #send(
    method: string,
    url: string,
    repository: string,
    expected: number,
    content?: { readonly body: string; readonly type: string },
  ): Promise<Response> {
    const authorization = this.#authorization(repository);
    const answer = await fetch(url, {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(content === undefined ? {} : { 'content-type': content.type }),
      },
      ...(content === undefined ? {} : { body: content.body }),
    });
    const text = await answer.text();
    if (answer.status !== expected) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
    return answer;
  }
}
