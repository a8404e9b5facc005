import { createHash } from 'node:crypto';
import type { Digest, Tag } from '../../src/image/reference.ts';
import type { Platform } from '../../src/image/platform.ts';
import type { Access } from '../../src/registry/access.ts';
import type {
  BuildFact,
  Fault,
  HeadFact,
  Listing,
  RegistryClient,
  PreviousListing,
} from '../../src/registry/sources.ts';
import type { FakeClock } from './clock.ts';

/** One request that reached the registry. */
export interface MemoryRequest {
  readonly kind: 'list' | 'head' | 'inspect' | 'built';
  readonly repository: string;
  readonly scope: string;
  readonly tag?: string;
  readonly conditional?: true;
}

export interface MemoryImage {
  readonly digest: Digest;
  readonly build: BuildFact;
}

/** A digest made of any text. */
export function digestOf(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}

/** A fault of a kind, as the registry client tells it. */
export function faultOf(kind: Fault['kind'], repository: string = 'registry.example.com/acme/api'): Fault {
  const code = (
    {
      outage: 'REGISTRY_UNAVAILABLE',
      throttled: 'REGISTRY_THROTTLED',
      denied: 'REGISTRY_DENIED',
      missing: 'REPOSITORY_NOT_FOUND',
      refused: 'REGISTRY_SUSPICIOUS',
      cancelled: 'REGISTRY_TIMEOUT',
    } as const
  )[kind];
  return { kind, error: { code, what: `GET ${repository}: ${kind}`, where: repository, fix: 'mend the registry' } };
}

/**
 * A registry client whose registry is a map. It can give each access scope content of its own, fail as a test says, answer
 * slowly (on the test's clock), and counts what reached it. Without content of its own a scope sees what all see.
 */
export class MemoryRegistry implements RegistryClient {
  readonly requests: MemoryRequest[] = [];
  /** Asked before every request: a fault to answer with. */
  fault: (request: MemoryRequest) => Fault | undefined = () => undefined;
  /** How long every answer takes. */
  latencyMs = 0;
  /** Whether listings carry an ETag and are answered with `unchanged`. */
  etags = false;
  closed = false;
  readonly #clock: FakeClock | undefined;
  readonly #content = new Map<string, Map<string, MemoryImage>>();

  constructor(clock?: FakeClock) {
    this.#clock = clock;
  }

  /** Pushes tags, each an image of its own unless `content` says which. */
  push(
    repository: string,
    tag: string,
    image: {
      readonly content?: string;
      readonly createdMs?: number;
      readonly build?: BuildFact;
      readonly scope?: string;
    } = {},
  ): Digest {
    const digest = digestOf(image.content ?? `${repository}:${tag}@${image.createdMs ?? ''}`);
    const build = image.build ?? { kind: 'built', createdMs: image.createdMs ?? 0 };
    const tags = this.#tagsOf(repository, image.scope);
    tags.set(tag, { digest, build });
    return digest;
  }

  pushAll(repository: string, tags: readonly string[], scope?: string): void {
    for (const tag of tags) this.push(repository, tag, scope === undefined ? {} : { scope });
  }

  remove(repository: string, tag: string, scope?: string): void {
    this.#tagsOf(repository, scope).delete(tag);
  }

  clear(repository: string, scope?: string): void {
    this.#tagsOf(repository, scope).clear();
  }

  count(kind: MemoryRequest['kind']): number {
    return this.requests.filter((request) => request.kind === kind).length;
  }

  async list(access: Access, previous: PreviousListing | undefined, signal: AbortSignal): Promise<Listing> {
    const fault = await this.#request(
      { kind: 'list', ...asked(access), ...(previous?.etag === undefined ? {} : { conditional: true }) },
      signal,
    );
    if (fault !== undefined) return { kind: 'failed', fault };
    const content = this.#seenBy(access);
    if (content === undefined) return { kind: 'failed', fault: faultOf('missing', access.repository.name) };
    const tags = [...content.keys()] as Tag[];
    const etag = digestOf(tags.join(' '));
    if (this.etags && previous?.etag === etag) return { kind: 'unchanged' };
    const fingerprint = `${etag} ${this.etags ? 'with' : 'without'}`;
    if (previous?.fingerprint === fingerprint) return { kind: 'unchanged', sent: true };
    return {
      kind: 'complete',
      tags,
      ...(this.etags ? { validators: { etag } } : {}),
      ...(previous === undefined ? {} : { fingerprint }),
    };
  }

  async head(access: Access, tag: Tag, signal: AbortSignal): Promise<HeadFact> {
    const fault = await this.#request({ kind: 'head', ...asked(access), tag }, signal);
    return fault === undefined ? this.#headOf(access, tag) : { kind: 'failed', fault };
  }

  async built(
    access: Access,
    digest: Digest,
    _platforms: readonly Platform[],
    signal: AbortSignal,
  ): Promise<BuildFact> {
    const fault = await this.#request({ kind: 'built', ...asked(access), tag: digest }, signal);
    if (fault !== undefined) return { kind: 'failed', fault };
    const image = [...(this.#seenBy(access)?.values() ?? [])].find((one) => one.digest === digest);
    return image?.build ?? { kind: 'failed', fault: notThere(access) };
  }

  async inspect(
    access: Access,
    tag: Tag,
    _platforms: readonly Platform[],
    signal: AbortSignal,
  ): Promise<{ readonly head: HeadFact; readonly built?: BuildFact }> {
    const fault = await this.#request({ kind: 'inspect', ...asked(access), tag }, signal);
    if (fault !== undefined) return { head: { kind: 'failed', fault } };
    const head = this.#headOf(access, tag);
    const image = this.#seenBy(access)?.get(tag);
    return image === undefined ? { head } : { head, built: image.build };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async #request(request: MemoryRequest, signal: AbortSignal): Promise<Fault | undefined> {
    this.requests.push(request);
    if (this.latencyMs > 0 && this.#clock !== undefined) {
      try {
        await this.#clock.sleep(this.latencyMs, signal);
      } catch {
        return faultOf('cancelled', request.repository);
      }
    }
    return signal.aborted ? faultOf('cancelled', request.repository) : this.fault(request);
  }

  #headOf(access: Access, tag: string): HeadFact {
    const image = this.#seenBy(access)?.get(tag);
    return image === undefined ? { kind: 'failed', fault: notThere(access) } : { kind: 'found', digest: image.digest };
  }

  #seenBy({ scope, repository }: Access): Map<string, MemoryImage> | undefined {
    return this.#content.get(`${scope} ${repository.name}`) ?? this.#content.get(` ${repository.name}`);
  }

  #tagsOf(repository: string, scope: string | undefined): Map<string, MemoryImage> {
    const key = `${scope ?? ''} ${repository}`;
    const known = this.#content.get(key) ?? new Map<string, MemoryImage>();
    this.#content.set(key, known);
    return known;
  }
}

function asked({ repository, scope }: Access): { readonly repository: string; readonly scope: string } {
  return { repository: repository.name, scope };
}

function notThere({ repository }: Access): Fault {
  const fault = faultOf('missing', repository.name);
  return { ...fault, error: { ...fault.error, code: 'MANIFEST_NOT_FOUND' } };
}
