import { LRUCache } from 'lru-cache';
import { UserError } from '../error/user-error.ts';
import type { Access, Credential } from './access.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import { behindFrontDoor } from './front-door.ts';
import { cancelled, CONFIGURE_CREDENTIAL, fault, faultFromStatus, type RequestFacts } from './errors.ts';
import type { Http, HttpRequest } from './http.ts';
import type { Fault } from './sources.ts';
import { basicOf, isHeaderToken, type BearerChallenge, type TokenSource } from './token.ts';
import type { HttpAnswer } from './transport.ts';

/** A request for a repository; who asks is added here. */
export type RepositoryRequest = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'maxBytes' | 'asked'>;

/** The answer, and what a message about it has to say. */
export type AuthorizedResult =
  | { readonly kind: 'answered'; readonly answer: HttpAnswer; readonly facts: RequestFacts }
  | { readonly kind: 'failed'; readonly fault: Fault };

type Authorization =
  | { readonly kind: 'none' }
  /** The challenge offers no scheme that fits this credential. */
  | { readonly kind: 'impossible' }
  | {
      readonly kind: 'header';
      readonly value: string;
      /** With a token that was not fetched just now. */ readonly kept?: BearerChallenge;
    }
  | { readonly kind: 'failed'; readonly fault: Fault };

const MAX_REMEMBERED = 1000;

/**
 * Sends requests to a registry with the one credential of their `Access`. A 401 is answered by the registry's challenge;
 * a refusal after that re-reads the credential once. No other credential is ever tried.
 */
export class AuthorizedHttp {
  readonly #http: Http;
  readonly #tokens: TokenSource;
  /** By endpoint: how it wants to be asked, so that later requests need no 401 first. */
  readonly #challenges = new LRUCache<string, readonly Challenge[]>({ max: MAX_REMEMBERED });

  constructor(http: Http, tokens: TokenSource) {
    this.#http = http;
    this.#tokens = tokens;
  }

  /** An answer with any status but 401, 403, 429 and 5xx, or why there is none. */
  async send(access: Access, request: RepositoryRequest, signal: AbortSignal): Promise<AuthorizedResult> {
    const facts = { ...request, repository: access.repository.name, credentialsSent: false };
    try {
      const result = await this.#send(access, request, facts, signal);
      return result.kind === 'failed' ? result : await this.#throughFrontDoor(access, request, result, signal);
    } catch (error) {
      if (signal.aborted) return { kind: 'failed', fault: cancelled(facts) };
      if (error instanceof UserError) return { kind: 'failed', fault: { kind: 'denied', error: error.toData() } };
      throw error;
    }
  }

  async #throughFrontDoor(
    access: Access,
    request: RepositoryRequest,
    met: Extract<AuthorizedResult, { kind: 'answered' }>,
    signal: AbortSignal,
  ): Promise<AuthorizedResult> {
    const url = behindFrontDoor(met.facts, met.answer);
    if (url === undefined) return met;
    const moved = { ...request, url };
    const result = await this.#http.send(fill(access, moved, { kind: 'none' }, false), signal);
    return result.kind === 'failed' ? result : { ...result, facts: { ...met.facts, url } };
  }

  async #send(
    access: Access,
    request: RepositoryRequest,
    facts: RequestFacts,
    signal: AbortSignal,
  ): Promise<AuthorizedResult> {
    let credential = await access.credential.get({ fresh: false, signal });
    let challenges = this.#challenges.get(access.endpoint.id);
    let challenged = false;
    let reread = credential.kind === 'anonymous';
    for (;;) {
      const authorization = await this.#authorize(access, credential, challenges, signal);
      const credentialsSent = credential.kind !== 'anonymous' && authorization.kind === 'header';
      let refusal: Fault;
      if (authorization.kind === 'failed') {
        if (authorization.fault.kind !== 'denied') return authorization;
        refusal = authorization.fault;
      } else if (authorization.kind === 'impossible' && challenged) {
        return { kind: 'failed', fault: schemeUnfit(facts, credential) };
      } else {
        const result = await this.#http.send(fill(access, request, authorization, credentialsSent), signal);
        if (result.kind === 'failed') return result;
        const { answer } = result;
        const sent = { ...facts, credentialsSent };
        if (answer.status !== 401 && answer.status !== 403) return { kind: 'answered', answer, facts: sent };
        refusal = faultFromStatus(sent, answer);
        if (answer.status === 401 && !challenged) {
          challenged = true;
          const fresh = parseChallenges([answer.headers['www-authenticate'] ?? []].flat());
          this.#challenges.set(access.endpoint.id, fresh);
          const kept = authorization.kind === 'header' ? authorization.kept : undefined;
          if (kept !== undefined) this.#tokens.forget(access, credential, kept);
          const worthAnother = authorization.kind !== 'header' || kept !== undefined || !same(fresh, challenges);
          challenges = fresh;
          if (fresh.length > 0 && worthAnother) continue;
        }
      }
      if (reread) return { kind: 'failed', fault: refusal };
      reread = true;
      const before = credential;
      credential = await access.credential.get({ fresh: true, signal });
      const kept = authorization.kind === 'header' ? authorization.kept : undefined;
      if (kept !== undefined) this.#tokens.forget(access, before, kept);
      // The same secret and the same token give the same answer.
      if (credential.generation === before.generation && kept === undefined) return { kind: 'failed', fault: refusal };
    }
  }

  async #authorize(
    access: Access,
    credential: Credential,
    challenges: readonly Challenge[] | undefined,
    signal: AbortSignal,
  ): Promise<Authorization> {
    if (credential.kind === 'registry-token') {
      const text = credential.token.reveal();
      return isHeaderToken(text) ? { kind: 'header', value: `Bearer ${text}` } : { kind: 'impossible' };
    }
    if (challenges === undefined) return { kind: 'none' };
    const bearer = challenges.find((challenge) => challenge.kind === 'bearer');
    if (bearer !== undefined) {
      const answer = await this.#tokens.token(access, credential, bearer, signal);
      if (answer.kind === 'failed') return answer;
      const value = `Bearer ${answer.token.reveal()}`;
      return answer.kept ? { kind: 'header', value, kept: bearer } : { kind: 'header', value };
    }
    const basic = challenges.some((challenge) => challenge.kind === 'basic');
    if (basic && credential.kind === 'basic') return { kind: 'header', value: basicOf(credential) };
    return { kind: 'impossible' };
  }
}

function fill(
  access: Access,
  request: RepositoryRequest,
  authorization: Authorization,
  credentialsSent: boolean,
): HttpRequest {
  return {
    ...request,
    headers:
      authorization.kind === 'header' ? { ...request.headers, authorization: authorization.value } : request.headers,
    repository: access.repository.name,
    endpoint: access.endpoint,
    credentialId: access.credential.id,
    credentialsSent,
  };
}

function schemeUnfit(facts: RequestFacts, credential: Credential): Fault {
  const anonymous = credential.kind === 'anonymous';
  return fault(facts, 'denied', 'REGISTRY_UNAUTHORIZED', {
    problem: anonymous
      ? 'the registry answered 401 and gives nothing to anonymous clients'
      : 'the registry answered 401 and asks for a kind of login this credential does not fit',
    fix: anonymous ? CONFIGURE_CREDENTIAL : 'configure user and password for this registry',
  });
}

function same(one: readonly Challenge[], other: readonly Challenge[] | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
