import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What a request asked for, by its path. */
export type RequestKind = 'ping' | 'listing' | 'manifest' | 'blob' | 'other';

/** A request as it came in, noted before it is passed on. */
export interface RecordedRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly kind: RequestKind;
  /** Scheme of the Authorization header in lower case; absent when none was sent. */
  readonly authorization?: 'basic' | 'bearer' | 'other';
}

/** A proxy in front of one server that counts what passes, and can fall silent. */
export interface CountingProxy {
  /** `127.0.0.1:43211`. */
  readonly host: string;
  readonly requests: readonly RecordedRequest[];
  clearRequests(): void;
  /** While offline, connections are accepted and cut without an answer. */
  setOffline(offline: boolean): void;
  close(): Promise<void>;
}

/** Starts the proxy on a free loopback port. The Host header is passed on, so absolute URLs in answers lead through here. */
export async function startCountingProxy(
  targetHost: string,
  tls?: { readonly cert: string; readonly key: string },
): Promise<CountingProxy> {
  const requests: RecordedRequest[] = [];
  let offline = false;
  const target = new URL(`http://${targetHost}`);
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (offline) {
      incoming.socket.destroy();
      return;
    }
    requests.push(record(incoming));
    const passed = forward(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: { ...incoming.headers, 'x-forwarded-proto': tls === undefined ? 'http' : 'https' },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => incoming.socket.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  const host = await listen(server);
  return {
    host,
    requests,
    clearRequests: () => {
      requests.length = 0;
    },
    setOffline: (value) => {
      offline = value;
    },
    close: () => closeServer(server),
  };
}

/** Listens on a free loopback port; answers `host:port`. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', done);
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Closes a server and every connection to it. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}

function record(incoming: IncomingMessage): RecordedRequest {
  const url = incoming.url ?? '/';
  const scheme = incoming.headers.authorization?.split(' ', 1)[0]?.toLowerCase();
  return {
    method: incoming.method ?? 'GET',
    url,
    kind: kindOf(url),
    ...(scheme === undefined ? {} : { authorization: scheme === 'basic' || scheme === 'bearer' ? scheme : 'other' }),
  };
}

function kindOf(url: string): RequestKind {
  const path = url.split('?', 1)[0] ?? '';
  if (path === '/v2/') return 'ping';
  if (path.endsWith('/tags/list')) return 'listing';
  if (path.includes('/manifests/')) return 'manifest';
  if (path.includes('/blobs/')) return 'blob';
  return 'other';
}
