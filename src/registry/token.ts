import { LRUCache } from 'lru-cache';
import type { Access, Credential } from './access.ts';
import type { Challenge } from './challenge.ts';
import { SharedFlights } from './coalesce.ts';
import { belongsToRegistry } from './credential-scope.ts';
import { fault, faultFromStatus, invalidAnswer, suspicious, type RequestFacts } from './errors.ts';
import type { Http } from './http.ts';
import { readJson } from './json-body.ts';
import { Secret } from './secret.ts';
import type { Fault } from './sources.ts';
import type { Clock } from './time.ts';

export type BearerChallenge = Extract<Challenge, { kind: 'bearer' }>;

export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: Secret; /** Not fetched just now. */ readonly kept: boolean }
  | { readonly kind: 'failed'; readonly fault: Fault };

interface KeptToken {
  readonly token: Secret;
  /** Milliseconds since the epoch; nothing is sent that ends within the margin. */
  readonly usableUntilMs: number;
}

const MAX_TOKENS = 1000;
const MAX_TOKEN_ANSWER_BYTES = 64 * 1024;
/** What the token specification says of an answer without `expires_in`. */
const DEFAULT_LIFETIME_S = 60;
/** For the way to the registry, and for clocks that differ a little. */
const MARGIN_MS = 5_000;
const MAX_LIFETIME_S = 86_400;
const CLIENT_ID = 'argocd-image-resolver';

/**
 * Bearer tokens, fetched once per (access scope, realm, service, our own scope string, generation of the credential) and
 * kept in memory until they end. The scope asked for is always `repository:<path>:pull` of the repository at hand, never
 * what the registry's challenge names.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export class TokenSource {
  readonly #http: Http;
  readonly #clock: Clock;
  readonly #kept = new LRUCache<string, KeptToken>({ max: MAX_TOKENS });
  readonly #flights = new SharedFlights<TokenAnswer>();

  constructor(http: Http, clock: Clock) {
    this.#http = http;
    this.#clock = clock;
  }

  async token(
    access: Access,
    credential: Credential,
    challenge: BearerChallenge,
    signal: AbortSignal,
  ): Promise<TokenAnswer> {
    const key = keyOf(access, credential, challenge);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#clock.now() < kept.usableUntilMs) {
      return { kind: 'token', token: kept.token, kept: true };
    }
    return this.#flights.join(key, signal, (flight) => this.#fetch(key, access, credential, challenge, flight));
  }

  /** After a registry refused a kept token. */
  forget(access: Access, credential: Credential, challenge: BearerChallenge): void {
    this.#kept.delete(keyOf(access, credential, challenge));
  }

  async #fetch(
    key: string,
    access: Access,
    credential: Credential,
    challenge: BearerChallenge,
    signal: AbortSignal,
  ): Promise<TokenAnswer> {
    const realm = URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined;
    const credentialsSent = credential.kind !== 'anonymous';
    const facts: RequestFacts = {
      method: credential.kind === 'identity-token' ? 'POST' : 'GET',
      url: realm ?? new URL(access.endpoint.apiUrl),
      asked: 'token',
      repository: access.repository.name,
      credentialsSent: false,
    };
    if (realm === undefined || realm.username !== '' || realm.password !== '') {
      return { kind: 'failed', fault: invalidAnswer(facts, 'the token realm of the registry is no plain URL') };
    }
    if (!(await belongsToRegistry(access.endpoint, realm))) {
      return { kind: 'failed', fault: elsewhere(facts, realm, access.endpoint.insecure) };
    }
    const startMs = this.#clock.now();
    const result = await this.#http.send(
      {
        ...facts,
        ...requestOf(realm, access, credential, challenge),
        maxBytes: MAX_TOKEN_ANSWER_BYTES,
        endpoint: access.endpoint,
        credentialId: access.credential.id,
        credentialsSent,
      },
      signal,
    );
    if (result.kind === 'failed') return result;
    const { answer } = result;
    const sent = { ...facts, credentialsSent };
    if (answer.status >= 400) {
      // Whatever a token server says of a request it refuses, it is about who asks.
      return {
        kind: 'failed',
        fault: { ...faultFromStatus(sent, { ...answer, status: answer.status === 403 ? 403 : 401 }), kind: 'denied' },
      };
    }
    if (answer.status !== 200) return { kind: 'failed', fault: faultFromStatus(sent, answer) };
    const token = readToken(readJson(answer));
    if (token === undefined) {
      return { kind: 'failed', fault: invalidAnswer(sent, 'the token server answered without a token') };
    }
    this.#kept.set(key, { token: token.token, usableUntilMs: startMs + token.lifetimeMs - MARGIN_MS });
    return { kind: 'token', token: token.token, kept: false };
  }
}

function keyOf(access: Access, credential: Credential, challenge: BearerChallenge): string {
  return JSON.stringify([access.scope, challenge.realm, challenge.service, scopeOf(access), credential.generation]);
}

function scopeOf(access: Access): string {
  return `repository:${access.repository.path}:pull`;
}

function requestOf(
  realm: URL,
  access: Access,
  credential: Credential,
  challenge: BearerChallenge,
): {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
} {
  const asked: [string, string][] = [
    ...(challenge.service === undefined ? [] : [['service', challenge.service] as [string, string]]),
    ['scope', scopeOf(access)],
  ];
  if (credential.kind === 'identity-token') {
    const form = [
      ...asked,
      ['grant_type', 'refresh_token'],
      ['client_id', CLIENT_ID],
      ['refresh_token', credential.token.reveal()],
    ];
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: realm, headers, body: new URLSearchParams(form).toString() };
  }
  const url = new URL(realm);
  url.hash = '';
  for (const [name, value] of asked) url.searchParams.set(name, value);
  return { method: 'GET', url, headers: credential.kind === 'basic' ? { authorization: basicOf(credential) } : {} };
}

/** `Basic …` of a user and password. */
export function basicOf(credential: Extract<Credential, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password.reveal()}`).toString('base64')}`;
}

/** Whether a text can stand in an Authorization header: printable ASCII without spaces. */
export function isHeaderToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function readToken(body: unknown): { readonly token: Secret; readonly lifetimeMs: number } | undefined {
  const { token, access_token, expires_in } = (body ?? {}) as Record<string, unknown>;
  const text = typeof token === 'string' && token !== '' ? token : access_token;
  if (typeof text !== 'string' || !isHeaderToken(text)) return undefined;
  const lifetimeS = typeof expires_in === 'number' && expires_in > 0 ? expires_in : DEFAULT_LIFETIME_S;
  return { token: new Secret(text), lifetimeMs: Math.min(lifetimeS, MAX_LIFETIME_S) * 1000 };
}

function elsewhere(facts: RequestFacts, realm: URL, insecure: boolean): Fault {
  if (realm.protocol !== 'https:' && realm.protocol !== 'http:') {
    return suspicious(
      facts,
      'the token realm is no https URL',
      'ask the operator of the registry to correct its token realm',
    );
  }
  const fix =
    realm.protocol === 'http:' && !insecure
      ? 'the token realm is plain http; the operator can allow that with insecure for this registry'
      : `if ${realm.host} is the token server of this registry, the operator adds it to tokenHosts`;
  return fault(facts, 'refused', 'CREDENTIAL_NOT_SENT', {
    problem: `the registry wants a token from ${realm.host}, which is not its own host`,
    fix,
  });
}
