import type { Digest } from '../image/reference.ts';
import type { Access } from './access.ts';
import type { AuthorizedHttp, AuthorizedResult } from './authorized.ts';
import { faultFromStatus, invalidAnswer, suspicious } from './errors.ts';
import { header, type Http } from './http.ts';
import type { Fault } from './sources.ts';
import type { HttpAnswer } from './transport.ts';
import { digestOf } from './verified.ts';

export type BlobAnswer =
  | { readonly kind: 'blob'; readonly answer: HttpAnswer }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** An image config; real ones have a few KiB, with thousands of history entries some hundred. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const REQUEST = { method: 'GET', headers: {}, maxBytes: MAX_CONFIG_BYTES, asked: 'blob' } as const;

/**
 * A small blob, checked against its digest. Registries keep blobs in storage services and redirect there: up to three hops,
 * over https, each under the address rules and none with an Authorization header.
 */
export async function fetchBlob(
  authorized: AuthorizedHttp,
  http: Http,
  access: Access,
  digest: Digest,
  signal: AbortSignal,
): Promise<BlobAnswer> {
  const url = new URL(`${access.endpoint.apiUrl}/v2/${access.repository.path}/blobs/${digest}`);
  const first = await authorized.send(access, { ...REQUEST, url }, signal);
  if (first.kind === 'failed') return first;
  const last = await follow(http, access, first, MAX_REDIRECTS, signal);
  if (last.kind === 'failed') return last;
  if (last.answer.status !== 200) return { kind: 'failed', fault: faultFromStatus(last.facts, last.answer) };
  if (digestOf(last.answer.body, digest) !== digest) {
    return { kind: 'failed', fault: invalidAnswer(last.facts, 'the blob is not the one its digest names') };
  }
  return { kind: 'blob', answer: last.answer };
}

async function follow(
  http: Http,
  access: Access,
  from: Extract<AuthorizedResult, { kind: 'answered' }>,
  hopsLeft: number,
  signal: AbortSignal,
): Promise<AuthorizedResult> {
  const { answer, facts } = from;
  if (!REDIRECTS.has(answer.status)) return from;
  const target = header(answer, 'location') ?? '';
  if (hopsLeft === 0 || !URL.canParse(target, facts.url)) {
    const problem = hopsLeft === 0 ? `it redirects more than ${MAX_REDIRECTS} times` : 'it redirects to no URL';
    const fix = 'ask the operator of the registry to correct its redirects';
    return { kind: 'failed', fault: suspicious(facts, problem, fix) };
  }
  const url = new URL(target, facts.url);
  url.username = '';
  url.password = '';
  const next = { ...REQUEST, url, repository: access.repository.name, credentialsSent: false };
  const result = await http.send({ ...next, endpoint: access.endpoint, credentialId: 'anonymous' }, signal);
  if (result.kind === 'failed') return result;
  return follow(http, access, { ...result, facts: next }, hopsLeft - 1, signal);
}
