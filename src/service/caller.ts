import type { User } from '../kubernetes/kubernetes.ts';
import { refusal, type RequestHead, type ServiceAnswer } from './exchange.ts';

/** What a bearer token proves. `audience`: who it was made for; `api` is the API server itself, so it is a person's. */
export type Proof =
  | (User & { readonly kind: 'authenticated'; readonly audience: 'image-resolver' | 'api' })
  | { readonly kind: 'rejected' }
  /** Nobody could say. */
  | { readonly kind: 'unavailable' };

export type TokenReviewer = (token: string, signal: AbortSignal) => Promise<Proof>;

/** Reviews tokens for one audience. */
export interface AudienceReviewer {
  review(
    token: string,
    signal: AbortSignal,
  ): Promise<
    (User & { readonly kind: 'authenticated' }) | { readonly kind: 'rejected' } | { readonly kind: 'unavailable' }
  >;
}

/** The sidecar's audience is asked for first: it asks all the time, and people now and then. */
export function reviewerFor(reviewers: {
  readonly sidecars: AudienceReviewer;
  readonly people: AudienceReviewer;
}): TokenReviewer {
  return async (token, signal) => {
    const sidecar = await reviewers.sidecars.review(token, signal);
    if (sidecar.kind === 'authenticated') return { ...sidecar, audience: 'image-resolver' };
    const person = await reviewers.people.review(token, signal);
    if (person.kind === 'authenticated') return { ...person, audience: 'api' };
    const known = sidecar.kind === 'rejected' && person.kind === 'rejected';
    return { kind: known ? 'rejected' : 'unavailable' };
  };
}

/** Somebody who may be asked what they want. */
export type Caller = { readonly kind: 'sidecar' } | { readonly kind: 'person'; readonly user: User };

export interface CallerPorts {
  readonly reviewer: TokenReviewer;
  /** Accounts that sidecars run under: `system:serviceaccount:argocd:argocd-repo-server`. */
  readonly allowedAccounts: ReadonlySet<string>;
}

const BEARER = /^Bearer ([\x21-\x7e]{1,16384})$/i;

/** Who sends a request; an answer when nobody known does. */
export async function callerOf(
  head: RequestHead,
  { reviewer, allowedAccounts }: CallerPorts,
  signal: AbortSignal,
): Promise<Caller | ServiceAnswer> {
  const token = BEARER.exec(head.headers.authorization ?? '')?.[1];
  if (token === undefined) return unauthorized('a bearer token is needed');
  const proof = await reviewer(token, signal);
  switch (proof.kind) {
    case 'rejected':
      return unauthorized('the token is not valid, or for another audience');
    case 'unavailable':
      return refusal(503, 'the Kubernetes API does not answer, so the token cannot be checked', { 'retry-after': '2' });
    case 'authenticated':
      if (proof.audience === 'api') return { kind: 'person', user: proof };
      return allowedAccounts.has(proof.username)
        ? { kind: 'sidecar' }
        : { ...refusal(403, 'this service account is none of those that sidecars run under'), outcome: 'unauthorized' };
    default:
      return proof satisfies never;
  }
}

function unauthorized(sentence: string): ServiceAnswer {
  return refusal(401, sentence, { 'www-authenticate': 'Bearer' });
}

/** Tells an answer from a caller. */
export function isAnswer(value: Caller | ServiceAnswer): value is ServiceAnswer {
  return 'status' in value;
}
