import { expect } from 'vitest';
import type { Access, AccessScope, Credential, RegistryEndpoint } from '../../src/registry/access.ts';
import { createRegistryClient, type RegistryClientOptions } from '../../src/registry/client.ts';
import type { RequestEvent } from '../../src/registry/http.ts';
import { Secret } from '../../src/registry/secret.ts';
import type { RegistryClient } from '../../src/registry/sources.ts';

/** A client whose waits take no time: sleeping moves its clock. */
export interface ClientUnderTest extends AsyncDisposable {
  readonly client: RegistryClient;
  readonly clock: { now(): number; advance(ms: number): void };
  /** Every wait, in milliseconds. */
  readonly slept: readonly number[];
  readonly events: readonly RequestEvent[];
}

const START_MS = Date.parse('2026-01-01T00:00:00Z');

export function clientUnderTest(options: Partial<RegistryClientOptions> = {}): ClientUnderTest {
  let nowMs = START_MS;
  const clock = {
    now: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
  const slept: number[] = [];
  const events: RequestEvent[] = [];
  const client = createRegistryClient({
    clock,
    environment: {},
    random: () => 0.5,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      clock.advance(ms);
    },
    onRequest: (event) => events.push(event),
    ...options,
  });
  return { client, clock, slept, events, [Symbol.asyncDispose]: () => client.close() };
}

export const ANONYMOUS: Credential = { kind: 'anonymous', generation: '' };

/** User and password; a password is its own generation here. */
export function basic(username: string, password: string): Credential {
  return { kind: 'basic', username, password: new Secret(password), generation: password };
}

export interface AccessOptions {
  readonly repository?: string;
  readonly credential?: Credential | ((fresh: boolean) => Credential);
  readonly endpoint?: Partial<RegistryEndpoint>;
}

/** The right to ask a registry of the tests: loopback allowed, http allowed, no limit that would be felt. */
export function accessTo(url: string, options: AccessOptions = {}): Access {
  const { host } = new URL(url);
  const path = options.repository ?? 'acme/api';
  const given = options.credential ?? ANONYMOUS;
  const read = typeof given === 'function' ? given : (): Credential => given;
  const id = nameOf(read(false));
  return {
    repository: { host, path, name: `${host}/${path}` },
    endpoint: {
      apiUrl: url,
      host,
      id: `${url} ${JSON.stringify(options.endpoint ?? {})}`,
      insecure: true,
      privateAddressAllowed: true,
      tokenHosts: [],
      requestsPerSecond: 10_000,
      concurrency: 20,
      pageSize: 1000,
      ...options.endpoint,
    },
    scope: `${url} ${id}` as AccessScope,
    credential: { id, get: ({ fresh }) => Promise.resolve(read(fresh)) },
  };
}

function nameOf(credential: Credential): string {
  return credential.kind === 'basic' ? `user ${credential.username}` : credential.kind;
}

/** A signal that never aborts. */
export function patient(): AbortSignal {
  return new AbortController().signal;
}

/** For `toMatchObject`: a text that has this in it. */
export function containing(part: string): unknown {
  return expect.stringContaining(part);
}
