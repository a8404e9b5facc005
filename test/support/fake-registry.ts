// A registry in this process that does what a real one cannot be made to: answers by script, has the quirks of other
// products, shows different tags to different users, and keeps every request it saw.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gzipSync } from 'node:zlib';
import type { ServerCertificate } from './fake-registry-certificates.ts';
import { FakeContent } from './fake-registry-content.ts';
import { playFault, type FakeFault } from './fake-registry-faults.ts';
import { sha256 } from './image-content.ts';
import { closeServer, listen } from './real-registry-proxy.ts';

export interface FakeRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Body of a POST. */
  readonly body: string;
  /** Who asked, by Basic or by a token of this registry; absent: nobody in particular. */
  readonly user?: string;
}

/** How products differ; see https://github.com/opencontainers/distribution-spec and the issue trackers of each. */
export interface Quirks {
  /** Pages longer than this are refused with this status (ECR: 1000 and 405). */
  readonly pageLimit?: { readonly max: number; readonly status: 400 | 405 };
  /** Pages are this long when the client asks for more, or for nothing. */
  readonly pageSize?: number;
  /** `without-prefix`: Artifactory leaves out the first segment of the path. `opaque`: Quay's `next_page`. */
  readonly link?: 'relative' | 'absolute' | 'without-prefix' | 'opaque' | ((next: string) => string);
  /** HEAD of manifests: answered with this status, or without a digest. */
  readonly head?: 404 | 405 | 'without-digest';
  /** Listings carry an ETag and answer 304. */
  readonly etag?: boolean;
  readonly gzip?: boolean;
  /** Blobs are elsewhere: the Location to redirect to. */
  readonly redirectBlob?: (digest: string) => string;
}

export type FakeAuth =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'basic' | 'bearer';
      readonly users: Map<string, string>;
      /** Also serve anonymous clients (bearer: with an anonymous token). */
      readonly anonymous?: boolean;
      /** In place of the challenges that would be sent. */
      readonly challenges?: (own: string) => readonly string[];
      /** `expires_in` of tokens; default: not said. */
      readonly expiresInS?: number;
    };

export interface FakeRegistryOptions {
  readonly tls?: ServerCertificate;
  readonly auth?: FakeAuth;
  readonly quirks?: Quirks;
  /** Tags a user sees; default: all. */
  readonly tagsFor?: (user: string | undefined, tags: readonly string[]) => readonly string[];
}

export interface FakeRegistry extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  readonly content: FakeContent;
  readonly requests: readonly FakeRequest[];
  /** TCP connections accepted, with or without a request. */
  readonly connections: number;
  /** Requests whose path holds this text. */
  requestsTo(part: string): readonly FakeRequest[];
  clearRequests(): void;
  /** Answers the next requests whose method and URL match with these faults, one each; Infinity repeats the last. */
  fail(matching: RegExp, faults: readonly FakeFault[], repeat?: 'last'): void;
  /** From now on everything is right again. */
  heal(): void;
  close(): Promise<void>;
}

export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const content = new FakeContent();
  const requests: FakeRequest[] = [];
  const scripts: { readonly matching: RegExp; readonly faults: FakeFault[]; readonly repeat: boolean }[] = [];
  const auth = options.auth ?? { kind: 'none' };
  let host = '';
  let connections = 0;
  const ownUrl = (): string => `${options.tls === undefined ? 'http' : 'https'}://${host}`;

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const user = userOf(incoming.headers.authorization, auth);
    const request: FakeRequest = {
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '/',
      headers: incoming.headers,
      body: await readText(incoming),
      ...(user.name === undefined ? {} : { user: user.name }),
    };
    requests.push(request);
    const line = `${request.method} ${request.url}`;
    const script = scripts.find(({ matching, faults }) => faults.length > 0 && matching.test(line));
    if (script !== undefined) {
      const fault = script.repeat && script.faults.length === 1 ? script.faults[0] : script.faults.shift();
      if (fault !== undefined) playFault(fault, incoming, outgoing);
      return;
    }
    const url = new URL(request.url, ownUrl());
    if (url.pathname === '/token') return answerToken(outgoing, request, auth);
    if (!user.known) return challenge(outgoing, auth, ownUrl());
    return answer(outgoing, request, url, content, options);
  };

  const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  };
  const server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
  server.on('connection', () => {
    connections += 1;
  });
  host = await listen(server);
  const close = (): Promise<void> => closeServer(server);
  return {
    host,
    url: ownUrl(),
    content,
    requests,
    get connections() {
      return connections;
    },
    requestsTo: (part) => requests.filter(({ url }) => url.includes(part)),
    clearRequests: () => {
      requests.length = 0;
    },
    fail: (matching, faults, repeat) => {
      scripts.push({ matching, faults: [...faults], repeat: repeat === 'last' });
    },
    heal: () => {
      scripts.length = 0;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function userOf(
  authorization: string | undefined,
  auth: FakeAuth,
): { readonly name?: string; readonly known: boolean } {
  if (auth.kind === 'none') return { known: true };
  const [scheme = '', value = ''] = authorization?.split(' ') ?? [];
  if (auth.kind === 'bearer' && scheme === 'Bearer') {
    const name = /^token-of-(.*)-\d+$/.exec(value)?.[1];
    if (name === 'anonymous') return { known: auth.anonymous === true };
    // Whose password was changed since has no say any more.
    return name === undefined || !auth.users.has(name) ? { known: false } : { name, known: true };
  }
  if (auth.kind === 'basic' && scheme === 'Basic') return checkBasic(value, auth.users);
  return { known: auth.kind === 'basic' && authorization === undefined && auth.anonymous === true };
}

function checkBasic(
  value: string,
  users: ReadonlyMap<string, string>,
): { readonly name?: string; readonly known: boolean } {
  const [name = '', ...password] = Buffer.from(value, 'base64').toString().split(':');
  return users.get(name) === password.join(':') ? { name, known: true } : { known: false };
}

function challenge(outgoing: ServerResponse, auth: FakeAuth, own: string): void {
  const usual = auth.kind === 'bearer' ? [`Bearer realm="${own}/token",service="fake"`] : ['Basic realm="fake"'];
  const challenges = auth.kind === 'none' ? usual : (auth.challenges?.(own) ?? usual);
  outgoing.writeHead(401, { 'www-authenticate': [...challenges], 'content-type': 'application/json' });
  outgoing.end('{"errors":[{"code":"UNAUTHORIZED","message":"login first"}]}');
}

let tokens = 0;

/** Tokens are `token-of-<user>-<number>`; identity tokens are `identity-of-<user>`. */
function answerToken(outgoing: ServerResponse, request: FakeRequest, auth: FakeAuth): void {
  const users = auth.kind === 'none' ? new Map<string, string>() : auth.users;
  const { authorization } = request.headers;
  const refresh = new URLSearchParams(request.body).get('refresh_token');
  let who: { readonly name?: string; readonly known: boolean } = { known: true };
  if (refresh !== null)
    who = { name: refresh.replace('identity-of-', ''), known: users.has(refresh.replace('identity-of-', '')) };
  else if (typeof authorization === 'string') who = checkBasic(authorization.replace('Basic ', ''), users);
  if (!who.known) {
    outgoing.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    return;
  }
  tokens += 1;
  const expires = auth.kind === 'none' || auth.expiresInS === undefined ? {} : { expires_in: auth.expiresInS };
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify({ token: `token-of-${who.name ?? 'anonymous'}-${tokens}`, ...expires }));
}

function answer(
  outgoing: ServerResponse,
  request: FakeRequest,
  url: URL,
  content: FakeContent,
  options: FakeRegistryOptions,
): void {
  const quirks = options.quirks ?? {};
  const send = (status: number, headers: Record<string, string>, body: string): void => {
    const packed = quirks.gzip === true && body.length > 0;
    outgoing.writeHead(status, { ...headers, ...(packed ? { 'content-encoding': 'gzip' } : {}) });
    outgoing.end(request.method === 'HEAD' ? undefined : packed ? gzipSync(body) : body);
  };
  const [, repository = '', what, reference = ''] =
    /^(?:\/[^/]+)*?\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
  const unknown = (code: string): void =>
    send(404, { 'content-type': 'application/json' }, JSON.stringify({ errors: [{ code }] }));
  switch (what) {
    case 'tags': {
      const all = content.tags.get(repository);
      if (all === undefined) return unknown('NAME_UNKNOWN');
      return answerTags(send, request, url, options.tagsFor?.(request.user, all) ?? all, quirks, repository);
    }
    case 'manifests': {
      const stored = content.manifests.get(`${repository}${reference.includes(':') ? '@' : ':'}${reference}`);
      if (request.method === 'HEAD' && typeof quirks.head === 'number') return send(quirks.head, {}, '');
      if (stored === undefined) return unknown('MANIFEST_UNKNOWN');
      const digest = quirks.head === 'without-digest' ? {} : { 'docker-content-digest': sha256(stored.body) };
      return send(200, { 'content-type': stored.mediaType, ...digest }, stored.body);
    }
    case 'blobs': {
      const stored = content.blobs.get(reference);
      if (stored === undefined) return unknown('BLOB_UNKNOWN');
      if (quirks.redirectBlob !== undefined) return send(307, { location: quirks.redirectBlob(reference) }, '');
      return send(200, { 'content-type': stored.mediaType }, stored.body);
    }
    default:
      return send(404, { 'content-type': 'text/html' }, '<html>not a registry</html>');
  }
}

function answerTags(
  send: (status: number, headers: Record<string, string>, body: string) => void,
  request: FakeRequest,
  url: URL,
  tags: readonly string[],
  quirks: Quirks,
  repository: string,
): void {
  const asked = url.searchParams.get('n');
  const { pageLimit } = quirks;
  if (pageLimit !== undefined && asked !== null && Number(asked) > pageLimit.max) {
    return send(pageLimit.status, { 'content-type': 'application/json' }, '{"errors":[{"code":"UNSUPPORTED"}]}');
  }
  const size = Math.min(asked === null ? Infinity : Number(asked), quirks.pageSize ?? Infinity, tags.length);
  const cursor = url.searchParams.get('next_page') ?? url.searchParams.get('last');
  const from =
    cursor === null ? 0 : quirks.link === 'opaque' ? Number(cursor.replace('cursor-', '')) : tags.indexOf(cursor) + 1;
  const page = tags.slice(from, from + size);
  const body = JSON.stringify({ name: repository, tags: page });
  const etag = `"${sha256(body).slice(7, 19)}"`;
  if (quirks.etag === true && request.headers['if-none-match'] === etag) return send(304, { etag }, '');
  const last = page.at(-1);
  const more = from + size < tags.length && last !== undefined;
  const link = more ? linkOf(url, size, last, from + size, quirks.link ?? 'relative') : undefined;
  const headers = {
    'content-type': 'application/json',
    ...(link === undefined ? {} : { link: `<${link}>; rel="next"` }),
    ...(quirks.etag === true ? { etag } : {}),
  };
  return send(200, headers, body);
}

function linkOf(url: URL, size: number, last: string, offset: number, style: NonNullable<Quirks['link']>): string {
  const next = `${url.pathname}?last=${encodeURIComponent(last)}&n=${size}`;
  if (typeof style === 'function') return style(next);
  switch (style) {
    case 'relative':
      return next;
    case 'absolute':
      return `${url.origin}${next}`;
    case 'without-prefix':
      return next.replace(/^.*\/v2\/[^/]+\//, '/v2/');
    case 'opaque':
      return `${url.pathname}?n=${size}&next_page=cursor-${offset}`;
    default:
      return style satisfies never;
  }
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
