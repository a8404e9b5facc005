import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Tag } from '../image/reference.ts';
import { parseTag } from '../image/tag.ts';
import type { Access } from './access.ts';
import type { AuthorizedHttp } from './authorized.ts';
import { faultFromStatus, invalidAnswer, suspicious, tooLarge } from './errors.ts';
import { header } from './http.ts';
import { readJson } from './json-body.ts';
import { nextPage } from './link.ts';
import type { Listing, PreviousListing, Validators } from './sources.ts';
import type { HttpAnswer } from './transport.ts';

const MAX_TAGS = 100_000;
const MAX_PAGES = 1_000;
const MAX_LISTING_BYTES = 32 * 1024 * 1024;
/** Tried when a registry refuses a page size: ECR takes up to 1000, Quay took up to 100. */
const SMALLER_PAGE = 100;

/**
 * Every tag of a repository, each once, in the registry's order. Pages are followed by `Link`; a page that fails fails the
 * whole listing, and so does more than the limits.
 *
 * A name outside the tag grammar is left out and the listing stays complete: it cannot be a tag that anyone could pull, and
 * one hostile or broken name must not keep everybody from all the others.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export class TagLister {
  readonly #http: AuthorizedHttp;
  /** By endpoint: the page size it took, when it refused the configured one; null: none at all. */
  readonly #pageSizes = new LRUCache<string, { readonly n: number | null }>({ max: 1000 });

  constructor(http: AuthorizedHttp) {
    this.#http = http;
  }

  async list(access: Access, previous: PreviousListing | undefined, signal: AbortSignal): Promise<Listing> {
    const sizes = this.#sizesFor(access);
    for (const [index, size] of sizes.entries()) {
      const listing = await this.#listBy(access, size, previous, signal);
      const refused = listing === 'page-size-refused';
      if (refused && index < sizes.length - 1) continue;
      if (refused) break;
      if (index > 0 && listing.kind !== 'failed') this.#pageSizes.set(access.endpoint.id, { n: size });
      return listing;
    }
    throw new Error('the last page size is none, which cannot be refused');
  }

  #sizesFor(access: Access): readonly (number | null)[] {
    const known = this.#pageSizes.get(access.endpoint.id);
    if (known !== undefined) return known.n === null ? [null] : [known.n, null];
    const { pageSize } = access.endpoint;
    return pageSize > SMALLER_PAGE ? [pageSize, SMALLER_PAGE, null] : [pageSize, null];
  }

  async #listBy(
    access: Access,
    pageSize: number | null,
    previous: PreviousListing | undefined,
    signal: AbortSignal,
  ): Promise<Listing | 'page-size-refused'> {
    const first = new URL(`${access.endpoint.apiUrl}/v2/${access.repository.path}/tags/list`);
    if (pageSize !== null) first.searchParams.set('n', String(pageSize));
    const tags = new Set<Tag>();
    const asked = new Set<string>();
    let bytes = 0;
    let url = first;
    for (;;) {
      asked.add(url.href);
      const onFirst = asked.size === 1;
      const request = { method: 'GET' as const, url, asked: 'listing' as const, maxBytes: MAX_LISTING_BYTES - bytes };
      const asking = onFirst ? conditions(previous) : {};
      const headers = { accept: 'application/json', ...asking };
      const result = await this.#http.send(access, { ...request, headers }, signal);
      if (result.kind === 'failed') return result;
      const { answer, facts } = result;
      if (onFirst && pageSize !== null && (answer.status === 400 || answer.status === 405)) return 'page-size-refused';
      if (answer.status === 304 && Object.keys(asking).length > 0) return { kind: 'unchanged' };
      if (answer.status !== 200) return { kind: 'failed', fault: faultFromStatus(facts, answer) };

      const next = nextPage([answer.headers['link'] ?? []].flat(), facts.url);
      const isWhole = onFirst && next.kind === 'last';
      const fingerprint = previous !== undefined && isWhole ? fingerprintOf(pageSize, answer) : undefined;
      // Reading hundreds of names that are the same as before is most of the work.
      if (fingerprint !== undefined && fingerprint === previous?.fingerprint) return { kind: 'unchanged', sent: true };
      const names = readTags(answer);
      if (names === undefined) {
        return { kind: 'failed', fault: invalidAnswer(facts, 'the answer is no tag listing') };
      }
      for (const name of names) {
        const tag = parseTag(name);
        if (tag.ok) tags.add(tag.value);
      }
      bytes += answer.body.length;
      if (tags.size > MAX_TAGS) return { kind: 'failed', fault: tooLarge(facts, `more than ${MAX_TAGS} tags`) };

      if (next.kind === 'last') {
        const isOnlyPage = onFirst && names.length < (pageSize ?? Infinity);
        return {
          kind: 'complete',
          tags: [...tags],
          ...(isOnlyPage ? validatorsOf(answer) : {}),
          ...(fingerprint !== undefined && { fingerprint }),
        };
      }
      if (next.kind === 'elsewhere') {
        return {
          kind: 'failed',
          fault: suspicious(facts, next.problem, 'ask the operator of the registry to correct its Link header'),
        };
      }
      if (asked.has(next.url.href)) {
        return { kind: 'failed', fault: invalidAnswer(facts, 'the pages of the listing lead in a circle') };
      }
      if (asked.size >= MAX_PAGES) return { kind: 'failed', fault: tooLarge(facts, `more than ${MAX_PAGES} pages`) };
      url = next.url;
    }
  }
}

function conditions(previous: Validators | undefined): Record<string, string> {
  return {
    ...(previous?.etag === undefined ? {} : { 'if-none-match': previous.etag }),
    ...(previous?.lastModified === undefined ? {} : { 'if-modified-since': previous.lastModified }),
  };
}

/**
 * Of a listing of one page only: the validator of page one says nothing about page two. A page that is exactly full stays as it
 * is when the next tag begins a second one.
 */
function validatorsOf(answer: HttpAnswer): { readonly validators?: Validators } {
  const etag = header(answer, 'etag');
  const lastModified = header(answer, 'last-modified');
  if (etag === undefined && lastModified === undefined) return {};
  return {
    validators: { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) },
  };
}

/** What a listing of one page follows from, and the validators that are kept with it. */
function fingerprintOf(pageSize: number | null, answer: HttpAnswer): string {
  const kept = [pageSize, header(answer, 'etag'), header(answer, 'last-modified')];
  return `${hash('sha256', answer.body, 'base64')} ${JSON.stringify(kept)}`;
}

/** The names of a page. `tags: null` is how some registries say that there are none; no `tags` at all is no listing. */
function readTags(answer: HttpAnswer): readonly string[] | undefined {
  const body = readJson(answer) as { tags?: unknown } | null | undefined;
  const tags = body?.tags;
  if (tags === null) return [];
  return Array.isArray(tags) && tags.every((tag): tag is string => typeof tag === 'string') ? tags : undefined;
}
