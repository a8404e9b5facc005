import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getCACertificates } from 'node:tls';
import { createGunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import type { RegistryEndpoint } from './access.ts';
import { guardedLookup, plainLookup, type Resolve } from './address.ts';

/** Proxy variables as everywhere; lower case wins over upper case. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Limit of the decoded body of a successful answer, in bytes. */
  readonly maxBytes: number;
  readonly endpoint: RegistryEndpoint;
  /** The host may have an address that is not public. */
  readonly privateAddressAllowed: boolean;
}

/** An answer, whatever its status, with its whole body. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** An answer's body is larger than allowed, before or after decoding. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`the body is larger than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

/** An answer's body is compressed in a way nobody asked for, or damaged. */
export class BodyEncodingError extends Error {
  override readonly name = 'BodyEncodingError';
}

const CONNECT_TIMEOUT_MS = 5_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** Without any byte of the body. */
const BODY_IDLE_TIMEOUT_MS = 10_000;
/** Of an error's body only the registry's own code is read. */
const MAX_ERROR_BODY_BYTES = 16 * 1024;

/** One request, one answer, over undici's pools. Nothing here retries, follows or interprets. */
export class Transport {
  readonly #environment: ProxyEnvironment;
  readonly #resolve: Resolve | undefined;
  /** One agent per TLS and address setting; each keeps a pool per origin. There are as many as the operator configured. */
  readonly #agents = new Map<string, Promise<Dispatcher>>();

  constructor(environment: ProxyEnvironment, resolve?: Resolve) {
    this.#environment = environment;
    this.#resolve = resolve;
  }

  /** Rejects with whatever undici or the socket says; `errors.ts` knows them. */
  async exchange(exchange: Exchange, signal: AbortSignal): Promise<HttpAnswer> {
    const agent = await this.#agentFor(exchange);
    const answer = await agent.request({
      origin: exchange.url.origin,
      path: `${exchange.url.pathname}${exchange.url.search}`,
      method: exchange.method,
      headers: { 'accept-encoding': 'gzip', 'user-agent': 'argocd-image-resolver', ...exchange.headers },
      body: exchange.body ?? null,
      signal,
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: BODY_IDLE_TIMEOUT_MS,
    });
    const { statusCode: status, headers } = answer;
    const encoding = headers['content-encoding'];
    if (status >= 200 && status < 300) {
      return { status, headers, body: await readBody(answer.body, encoding, exchange.maxBytes) };
    }
    try {
      return { status, headers, body: await readBody(answer.body, encoding, MAX_ERROR_BODY_BYTES) };
    } catch {
      // The status stands whatever comes of the body.
      signal.throwIfAborted();
      return { status, headers, body: Buffer.alloc(0) };
    }
  }

  async close(): Promise<void> {
    const agents = [...this.#agents.values()];
    this.#agents.clear();
    await Promise.all(agents.map(async (agent) => (await agent).destroy()));
  }

  #agentFor({ endpoint, privateAddressAllowed }: Exchange): Promise<Dispatcher> {
    const key = JSON.stringify([endpoint.insecure, endpoint.ca ?? null, privateAddressAllowed]);
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = this.#createAgent(endpoint, privateAddressAllowed);
      this.#agents.set(key, agent);
      agent.catch(() => this.#agents.delete(key)); // a proxy variable that holds no URL
    }
    return agent;
  }

  async #createAgent(endpoint: RegistryEndpoint, privateAddressAllowed: boolean): Promise<Dispatcher> {
    const { EnvHttpProxyAgent } = await import('undici');
    const tls = {
      rejectUnauthorized: !endpoint.insecure,
      ...(endpoint.ca === undefined ? {} : { ca: [...getCACertificates('default'), endpoint.ca] }),
    };
    return new EnvHttpProxyAgent({
      httpProxy: withScheme(this.#variable('http_proxy')),
      httpsProxy: withScheme(this.#variable('https_proxy')),
      noProxy: this.#variable('no_proxy'),
      allowH2: false,
      connect: {
        ...tls,
        timeout: CONNECT_TIMEOUT_MS,
        // For direct connections. What a proxy connects to is the proxy's decision; its own address is the operator's.
        lookup: privateAddressAllowed ? plainLookup(this.#resolve) : guardedLookup(this.#resolve),
      },
      requestTls: tls,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
  }

  /** Never undefined: undici would read the process environment then. */
  #variable(name: string): string {
    return this.#environment[name] ?? this.#environment[name.toUpperCase()] ?? '';
  }
}

/** `proxy.example.com:3128` is a proxy to curl and Go too. */
function withScheme(proxy: string): string {
  return proxy === '' || proxy.includes('://') ? proxy : `http://${proxy}`;
}

async function readBody(body: Readable, encoding: string | string[] | undefined, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      total += chunk.length;
      if (total > maxBytes) throw new BodyTooLargeError(maxBytes);
      chunks.push(chunk);
    }
  };
  switch (encoding) {
    case undefined:
    case 'identity':
      await collect(body);
      break;
    case 'gzip':
    case 'x-gzip':
      await gunzipInto(body, collect);
      break;
    default:
      // What is thrown here says it.
      body.on('error', () => undefined).destroy();
      throw new BodyEncodingError('the body has an encoding that was not asked for');
  }
  return Buffer.concat(chunks);
}

async function gunzipInto(body: Readable, collect: (source: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
  try {
    await pipeline(body, createGunzip(), collect);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') === true) throw new BodyEncodingError('the gzip body is damaged', { cause: error });
    throw error;
  }
}
