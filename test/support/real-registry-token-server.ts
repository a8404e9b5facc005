import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, listen } from './real-registry-proxy.ts';

/** Someone who may ask for tokens. */
export interface TokenUser {
  readonly password: string;
  /** Repository paths or prefixes ending in `/` this user may pull; absent: all. */
  readonly repositories?: readonly string[];
}

export interface TokenServerOptions {
  readonly service: string;
  readonly users: Readonly<Record<string, TokenUser>>;
  /** Repository paths or prefixes ending in `/` that everybody may pull. */
  readonly anonymous: readonly string[];
  /** What `expires_in` says, in seconds. */
  readonly lifetimeS: number;
}

/** A token server as distribution expects one: `GET` with Basic, `POST` with a refresh token, JWTs signed with ES256. */
export interface TokenServer {
  readonly url: string;
  /** One line per request: `GET user=alice scope=repository:a/b:pull`. */
  readonly requests: readonly string[];
  /** The public key as a JSON Web Key Set, for the registry's `jwks`. */
  readonly jwks: string;
  readonly issuer: string;
  setPassword(user: string, password: string): void;
  /** The identity token (OAuth2 refresh token) of a user, as `docker login` would have stored it. */
  identityTokenOf(user: string): string;
  /** A token for the helpers that push; no request. */
  adminToken(repository: string): string;
  clearRequests(): void;
  close(): Promise<void>;
}

interface Grant {
  readonly type: 'repository';
  readonly name: string;
  readonly actions: readonly string[];
}

const ISSUER = 'test-token-server';
const KEY_ID = 'test-key';

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const users = new Map(Object.entries(options.users));
  const requests: string[] = [];

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const form =
      incoming.method === 'POST'
        ? new URLSearchParams(await readText(incoming))
        : new URL(incoming.url ?? '/', 'http://token').searchParams;
    const user = incoming.method === 'POST' ? userOfRefreshToken(form.get('refresh_token')) : userOfBasic(incoming);
    const scope = form.get('scope') ?? '';
    requests.push(`${incoming.method} user=${user.name ?? 'anonymous'} scope=${scope}`);
    if (!user.valid) {
      outgoing.writeHead(401, { 'content-type': 'application/json' });
      outgoing.end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
      return;
    }
    const token = signToken(privateKey, options, grantsFor(scope, user.name));
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify({ token, access_token: token, expires_in: options.lifetimeS }));
  };

  const userOfBasic = (incoming: IncomingMessage): { name?: string; valid: boolean } => {
    const header = incoming.headers.authorization;
    if (header === undefined) return { valid: true };
    const [name = '', ...rest] = Buffer.from(header.replace(/^Basic /i, ''), 'base64')
      .toString()
      .split(':');
    return { name, valid: users.get(name)?.password === rest.join(':') };
  };
  const userOfRefreshToken = (token: string | null): { name?: string; valid: boolean } => {
    const name = [...users.keys()].find((user) => identityTokenOf(user) === token);
    return name === undefined ? { valid: false } : { name, valid: true };
  };
  const identityTokenOf = (user: string): string => `identity-of-${user}-${users.get(user)?.password}`;
  const grantsFor = (scope: string, name: string | undefined): Grant[] => {
    const asked = /^repository:([^:]+):(.+)$/.exec(scope);
    if (asked === null) return [];
    const repository = asked[1] ?? '';
    const mine = name === undefined ? [] : (users.get(name)?.repositories ?? ['']);
    const open = [...options.anonymous, ...mine].some(
      (entry) => entry === '' || entry === repository || (entry.endsWith('/') && repository.startsWith(entry)),
    );
    return open ? [{ type: 'repository', name: repository, actions: ['pull'] }] : [];
  };

  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const host = await listen(server);
  return {
    url: `http://${host}/token`,
    requests,
    issuer: ISSUER,
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, use: 'sig', alg: 'ES256' }] }),
    setPassword: (user, password) => users.set(user, { ...users.get(user), password }),
    identityTokenOf,
    adminToken: (repository) =>
      signToken(privateKey, options, [{ type: 'repository', name: repository, actions: ['pull', 'push', 'delete'] }]),
    clearRequests: () => {
      requests.length = 0;
    },
    close: () => closeServer(server),
  };
}

function signToken(key: KeyObject, options: TokenServerOptions, access: readonly Grant[]): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ typ: 'JWT', alg: 'ES256', kid: KEY_ID })}.${encode({
    iss: ISSUER,
    sub: '',
    aud: options.service,
    exp: now + options.lifetimeS,
    nbf: now - 10,
    iat: now,
    jti: randomUUID(),
    access,
  })}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
