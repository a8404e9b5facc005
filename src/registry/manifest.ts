import { LRUCache } from 'lru-cache';
import { parseDigest } from '../image/digest.ts';
import { platformMatches } from '../image/platform.ts';
import type { Digest, Tag } from '../image/reference.ts';
import type { Platform } from '../image/platform.ts';
import type { Access } from './access.ts';
import type { AuthorizedHttp, AuthorizedResult } from './authorized.ts';
import { fetchBlob } from './blob.ts';
import { fault, faultFromStatus, invalidAnswer, tooLarge, type RequestFacts } from './errors.ts';
import { header, type Http } from './http.ts';
import { readJson } from './json-body.ts';
import { ACCEPTED_MANIFESTS, isSchema1, readCreated, readManifest, readPlatform } from './manifest-body.ts';
import type { BuildFact, FactSource, Fault, HeadFact } from './sources.ts';
import type { HttpAnswer } from './transport.ts';
import { digestOf } from './verified.ts';

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Children of one index that are asked for dates; real indexes have at most a dozen platforms. */
const MAX_CHILDREN = 32;

type ManifestAnswer =
  | { readonly kind: 'manifest'; readonly digest: Digest; readonly answer: HttpAnswer; readonly facts: RequestFacts }
  | { readonly kind: 'failed'; readonly fault: Fault };

/**
 * Digests and build dates. A build date is `created` of the image's config, as argocd-image-updater has it; annotations and
 * push times are other things. A platform that cannot be read fails the whole fact, so that a fault never changes a winner.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
 */
export class ManifestFacts implements FactSource {
  readonly #authorized: AuthorizedHttp;
  readonly #http: Http;
  /** Endpoints where HEAD failed and GET did not. */
  readonly #withoutHead = new LRUCache<string, true>({ max: 1000 });

  constructor(authorized: AuthorizedHttp, http: Http) {
    this.#authorized = authorized;
    this.#http = http;
  }

  async head(access: Access, tag: Tag, signal: AbortSignal): Promise<HeadFact> {
    let unsupported = false;
    if (!this.#withoutHead.has(access.endpoint.id)) {
      const result = await this.#ask(access, 'HEAD', tag, signal);
      if (result.kind === 'failed') return result;
      const { answer, facts } = result;
      if (answer.status === 200) {
        if (isSchema1(answer)) return { kind: 'failed', fault: schema1(facts) };
        const digest = parseDigest(header(answer, 'docker-content-digest') ?? '');
        if (digest.ok) return { kind: 'found', digest: digest.value };
      } else if (![404, 405, 501].includes(answer.status)) {
        return { kind: 'failed', fault: faultFromStatus(facts, answer) };
      }
      // No HEAD there, or none with a digest, or nothing by that name: a GET tells.
      // A 404 may have been of the moment, and Docker Hub counts each GET as a pull: only the others are remembered.
      unsupported = answer.status !== 404;
    }
    const manifest = await this.#manifest(access, tag, signal);
    if (manifest.kind === 'failed') return manifest;
    if (unsupported) this.#withoutHead.set(access.endpoint.id, true);
    return { kind: 'found', digest: manifest.digest };
  }

  async built(access: Access, digest: Digest, platforms: readonly Platform[], signal: AbortSignal): Promise<BuildFact> {
    const manifest = await this.#manifest(access, digest, signal);
    return manifest.kind === 'failed' ? manifest : this.#builtOf(access, manifest, platforms, signal);
  }

  async inspect(
    access: Access,
    tag: Tag,
    platforms: readonly Platform[],
    signal: AbortSignal,
  ): Promise<{ readonly head: HeadFact; readonly built?: BuildFact }> {
    const manifest = await this.#manifest(access, tag, signal);
    if (manifest.kind === 'failed') return { head: manifest };
    const built = await this.#builtOf(access, manifest, platforms, signal);
    return { head: { kind: 'found', digest: manifest.digest }, built };
  }

  #ask(
    access: Access,
    method: 'GET' | 'HEAD',
    reference: Tag | Digest,
    signal: AbortSignal,
  ): Promise<AuthorizedResult> {
    const url = new URL(`${access.endpoint.apiUrl}/v2/${access.repository.path}/manifests/${reference}`);
    const headers = { accept: ACCEPTED_MANIFESTS };
    return this.#authorized.send(
      access,
      { method, url, headers, asked: 'manifest', maxBytes: MAX_MANIFEST_BYTES },
      signal,
    );
  }

  async #manifest(access: Access, reference: Tag | Digest, signal: AbortSignal): Promise<ManifestAnswer> {
    const result = await this.#ask(access, 'GET', reference, signal);
    if (result.kind === 'failed') return result;
    const { answer, facts } = result;
    if (answer.status !== 200) return { kind: 'failed', fault: faultFromStatus(facts, answer) };
    if (isSchema1(answer)) return { kind: 'failed', fault: schema1(facts) };
    const said = parseDigest(header(answer, 'docker-content-digest') ?? '');
    const asked = parseDigest(reference);
    for (const expected of [said, asked]) {
      if (expected.ok && digestOf(answer.body, expected.value) !== expected.value) {
        return { kind: 'failed', fault: invalidAnswer(facts, 'the manifest is not the one its digest names') };
      }
    }
    const digest = asked.ok ? asked.value : said.ok ? said.value : digestOf(answer.body);
    return { kind: 'manifest', digest, answer, facts };
  }

  async #builtOf(
    access: Access,
    { answer, facts }: Extract<ManifestAnswer, { kind: 'manifest' }>,
    platforms: readonly Platform[],
    signal: AbortSignal,
  ): Promise<BuildFact> {
    const manifest = readManifest(answer);
    switch (manifest.kind) {
      case 'image':
        return this.#configDate(access, manifest.config, platforms, signal);
      case 'index': {
        const wanted = manifest.children.filter(({ platform }) => isWanted(platforms, platform));
        if (wanted.length > MAX_CHILDREN) {
          return {
            kind: 'failed',
            fault: tooLarge(facts, `the index has more than ${MAX_CHILDREN} matching platforms`),
          };
        }
        const digests = [...new Set(wanted.map(({ digest }) => digest))];
        return newest(await Promise.all(digests.map((digest) => this.#childDate(access, digest, signal))));
      }
      case 'schema1':
        return { kind: 'failed', fault: schema1(facts) };
      case 'invalid':
        return { kind: 'failed', fault: invalidAnswer(facts, 'the answer is no image manifest') };
      default:
        return manifest satisfies never;
    }
  }

  async #childDate(access: Access, digest: Digest, signal: AbortSignal): Promise<BuildFact> {
    const child = await this.#manifest(access, digest, signal);
    if (child.kind === 'failed') return child;
    const manifest = readManifest(child.answer);
    if (manifest.kind !== 'image') {
      return {
        kind: 'failed',
        fault: invalidAnswer(child.facts, 'the index leads to something that is no image manifest'),
      };
    }
    return this.#configDate(access, manifest.config, 'any', signal);
  }

  /** `any`: an index has said already which platform it is; its config may be less exact (`arm` for `arm/v7`). */
  async #configDate(
    access: Access,
    digest: Digest,
    platforms: readonly Platform[] | 'any',
    signal: AbortSignal,
  ): Promise<BuildFact> {
    const blob = await fetchBlob(this.#authorized, this.#http, access, digest, signal);
    if (blob.kind === 'failed') return blob;
    const config = readJson(blob.answer);
    const platform = readPlatform(config);
    const fits = platforms === 'any' || (platform !== undefined && isWanted(platforms, platform));
    if (!fits) return { kind: 'no-platform' };
    const createdMs = readCreated((config as { created?: unknown } | null | undefined)?.created);
    return createdMs === undefined ? { kind: 'undated' } : { kind: 'built', createdMs };
  }
}

function isWanted(platforms: readonly Platform[], candidate: Platform): boolean {
  return platforms.some((wanted) => platformMatches(wanted, candidate));
}

/** The newest of the platforms' dates; a failure or a missing date of one of them is the answer for all. */
function newest(facts: readonly BuildFact[]): BuildFact {
  let best: BuildFact = { kind: 'no-platform' };
  for (const fact of facts) {
    if (fact.kind === 'failed') return fact;
    if (fact.kind === 'undated') best = fact;
    if (
      fact.kind === 'built' &&
      (best.kind === 'no-platform' || (best.kind === 'built' && fact.createdMs > best.createdMs))
    ) {
      best = fact;
    }
  }
  return best;
}

function schema1(facts: RequestFacts): Fault {
  return fault(facts, 'outage', 'REGISTRY_INVALID', {
    problem: 'the image has the old docker schema 1, whose digest names no manifest that a runtime pulls',
    fix: 'push the image again with a current docker or buildkit',
  });
}
