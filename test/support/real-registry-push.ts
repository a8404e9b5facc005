import { createHash } from 'node:crypto';

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
  readonly family?: 'oci' | 'docker';
}

/** What came to be in the registry. */
export interface PushedDigests {
  /** Digest of the manifest, or of the index. */
  readonly digest: string;
  /** By platform, for an index. */
  readonly platforms: Readonly<Record<string, string>>;
}

const MEDIA_TYPES = {
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

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
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
    const types = MEDIA_TYPES[image.family ?? 'oci'];
    const created = image.created ?? '2024-01-01T00:00:00Z';
    if (image.platforms === undefined) {
      const manifest = await this.#imageManifest(image, 'linux/amd64', created);
      const { digest } = await this.#putManifest(image.repository, image.tag, types.manifest, manifest);
      return { digest, platforms: {} };
    }
    const manifests: unknown[] = [];
    const platforms: Record<string, string> = {};
    for (const entry of image.platforms) {
      const platform = typeof entry === 'string' ? entry : entry.platform;
      const text = await this.#imageManifest(image, platform, typeof entry === 'string' ? created : entry.created);
      const descriptor = await this.#putManifest(image.repository, digestOf(text), types.manifest, text);
      const [os, architecture, variant] = platform.split('/');
      manifests.push({ ...descriptor, platform: { architecture, os, ...(variant ? { variant } : {}) } });
      platforms[platform] = descriptor.digest;
    }
    const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests });
    const { digest } = await this.#putManifest(image.repository, image.tag, types.index, index);
    return { digest, platforms };
  }

  async deleteTag(repository: string, tag: string): Promise<void> {
    await this.#send('DELETE', `${this.#url}/v2/${repository}/manifests/${tag}`, repository, 202);
  }

  async #imageManifest(image: PushedImage, platform: string, created: string): Promise<string> {
    const types = MEDIA_TYPES[image.family ?? 'oci'];
    const [os, architecture, variant] = platform.split('/');
    const config = JSON.stringify({
      created,
      architecture,
      os,
      ...(variant ? { variant } : {}),
      config: { Labels: { content: image.content ?? image.tag } },
      rootfs: { type: 'layers', diff_ids: [] },
    });
    const digest = digestOf(config);
    await this.#putBlob(image.repository, digest, config);
    return JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, digest, size: Buffer.byteLength(config) },
      layers: [],
    });
  }

  async #putBlob(repository: string, digest: string, body: string): Promise<void> {
    const key = `${repository}@${digest}`;
    if (this.#uploaded.has(key)) return;
    const started = await this.#send('POST', `${this.#url}/v2/${repository}/blobs/uploads/`, repository, 202);
    const location = new URL(started.headers.get('location') ?? '', this.#url);
    location.searchParams.set('digest', digest);
    await this.#send('PUT', location.href, repository, 201, { body, type: 'application/octet-stream' });
    this.#uploaded.add(key);
  }

  async #putManifest(repository: string, reference: string, mediaType: string, body: string): Promise<Descriptor> {
    const url = `${this.#url}/v2/${repository}/manifests/${reference}`;
    await this.#send('PUT', url, repository, 201, { body, type: mediaType });
    return { mediaType, digest: digestOf(body), size: Buffer.byteLength(body) };
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

/** `sha256:…` of a text. */
export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
