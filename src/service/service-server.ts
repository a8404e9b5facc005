import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type FilePorts, systemFiles } from '../operator/files.ts';
import { rest, type Time } from '../resolve/deadline.ts';
import type { Log } from '../telemetry/log.ts';
import { type CertificateFiles, MIN_TLS_VERSION, readCertificate, renewCertificate } from './certificate-files.ts';
import { busy, Refusal, refusal, type RequestHead, type Route, type ServiceAnswer } from './exchange.ts';
import { Gate } from './gate.ts';
import { BodyRoom, readBody, Vanished } from './request-body.ts';

export interface ServerLimits {
  /** Requests worked on at once. */
  readonly inWork: number;
  /** Requests that wait for a place; more are answered with 503. */
  readonly waiting: number;
  readonly connections: number;
  /** Bytes of all bodies that are read or worked on. */
  readonly bodyBytes: number;
  /** For the head of a request, from when the connection was made, in milliseconds. */
  readonly headMs: number;
  /** For a whole request to arrive. */
  readonly requestMs: number;
  /** A connection on which nothing moves, also one whose client does not take its answer. */
  readonly silenceMs: number;
  /** How long {@link ServiceServer.close} lets work end. */
  readonly graceMs: number;
}

const LIMITS: ServerLimits = {
  inWork: 256,
  waiting: 256,
  connections: 4_096,
  bodyBytes: 64 * 1024 * 1024,
  headMs: 30_000,
  requestMs: 30_000,
  silenceMs: 60_000,
  graceMs: 4_000,
};

/** What is left of five seconds for answers to get out after the grace, in milliseconds. */
const FAREWELL_MS = 500;

export interface ServiceServerOptions {
  /** For the log: `api`, `webhooks`. */
  readonly name: string;
  readonly routes: readonly Route[];
  /** Absent: plain HTTP. */
  readonly tls?: CertificateFiles;
  readonly limits?: Partial<ServerLimits>;
  readonly log: Log;
  readonly time: Time;
  readonly files?: Pick<FilePorts, 'stamp' | 'read'>;
}

export interface ServiceServer {
  /**
   * @param port 0 takes any.
   * @param host absent: every address.
   * @returns the port.
   */
  listen(port: number, host?: string): Promise<number>;
  /** Requests in work. */
  readonly inWork: number;
  /** Takes no more, lets what is in work end for the grace, then stops it. Within five seconds. */
  close(): Promise<void>;
}

/** @throws {Error} when the certificate cannot be used. */
export function createServiceServer(options: ServiceServerOptions): ServiceServer {
  return new RoutingServer(options);
}

class RoutingServer implements ServiceServer {
  readonly #options: ServiceServerOptions;
  readonly #limits: ServerLimits;
  readonly #gate: Gate;
  readonly #room: BodyRoom;
  readonly #server: Server;
  /** Requests whose answer is not out yet. Not one signal for all of them: AbortSignal.any keeps what hangs on it for long. */
  readonly #serving = new Set<AbortController>();
  #stopped: Refusal | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ServiceServerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#gate = new Gate(this.#limits);
    this.#room = new BodyRoom(this.#limits.bodyBytes);
    this.#server = this.#create();
    this.#server.maxConnections = this.#limits.connections;
    this.#server.setTimeout(this.#limits.silenceMs, (socket) => socket.destroy());
  }

  get inWork(): number {
    return this.#gate.inWork;
  }

  async listen(port: number, host?: string): Promise<number> {
    const server = this.#server;
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen({ port, ...(host !== undefined && { host }) }, () => {
        server.off('error', failed);
        done();
      });
    });
    const { port: bound } = server.address() as AddressInfo;
    this.#options.log.info('listening', {
      server: this.#options.name,
      port: bound,
      tls: this.#options.tls !== undefined,
    });
    return bound;
  }

  async close(): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { time } = this.#options;
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    const over = new AbortController();
    const ended = closed.then(() => over.abort());
    this.#closeWhenDone();
    await rest(this.#limits.graceMs, time, over.signal);
    this.#stopped = new Refusal(503, 'the controller stops', { 'retry-after': '1' });
    for (const serving of this.#serving) serving.abort(this.#stopped);
    await rest(FAREWELL_MS, time, over.signal);
    this.#server.closeAllConnections();
    await ended;
  }

  /** Also connections that were made ahead of a request, which Node does not count as idle. */
  #closeWhenDone(): void {
    if (this.#serving.size === 0) this.#server.closeAllConnections();
    else this.#server.closeIdleConnections();
  }

  #create(): Server {
    const { tls, files = systemFiles, log, time } = this.#options;
    const { headMs, requestMs } = this.#limits;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#serve(request, response);
    };
    const bounds = {
      headersTimeout: headMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1_000, headMs),
      keepAliveTimeout: headMs,
      maxHeaderSize: 32 * 1024,
    };
    if (tls === undefined) return createHttpServer(bounds, listener);
    const server = createHttpsServer(
      { ...bounds, ...readCertificate(tls, files), minVersion: MIN_TLS_VERSION, handshakeTimeout: headMs },
      listener,
    );
    renewCertificate(server, tls, { files, now: time.now, log });
    return server;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { time, log, name, routes } = this.#options;
    const startedAt = time.now();
    const serving = new AbortController();
    const { signal } = serving;
    let isGone = false;
    this.#serving.add(serving);
    if (this.#stopped !== undefined) serving.abort(this.#stopped);
    response.on('close', () => {
      this.#serving.delete(serving);
      if (this.#closing !== undefined) this.#closeWhenDone();
      if (response.writableFinished) return;
      isGone = true;
      serving.abort(new Vanished('the client went away'));
    });
    response.on('error', () => undefined);
    const head = headOf(request);
    const route = head && routeFor(routes, head.path);
    let answer: ServiceAnswer;
    try {
      answer =
        head === undefined || route === undefined
          ? refusal(404, 'there is nothing under this path')
          : await this.#answer(route, head, request, signal);
    } catch (error) {
      if (error instanceof Refusal) answer = error.answer;
      else if (isGone || error instanceof Vanished) return;
      else {
        log.error('request-failed', { server: name, path: route?.path, error: String(error) });
        answer = refusal(500, 'the controller failed; its log says why');
      }
    }
    if (head !== undefined) route?.told?.(answer, Math.max(0, time.now() - startedAt) / 1000, head);
    if (!isGone) this.#write(request, response, answer);
  }

  async #answer(
    route: Route,
    head: RequestHead,
    request: IncomingMessage,
    signal: AbortSignal,
  ): Promise<ServiceAnswer> {
    if (!route.methods.includes(head.method)) {
      return refusal(405, `only ${route.methods.join(', ')} can be used here`, { allow: route.methods.join(', ') });
    }
    const opened = await route.open(head, signal);
    if (typeof opened !== 'function') return opened;
    using room = this.#room.share();
    const body = await readBody(request, { maxBytes: route.maxBodyBytes, room, signal });
    using place = await this.#gate.enter(signal);
    // Awaited, or the place would be free again at once.
    return place === undefined ? busy('too much is asked at once') : await opened(body, signal);
  }

  #write(request: IncomingMessage, response: ServerResponse, answer: ServiceAnswer): void {
    // What was not read would be taken for the next request, or waited for.
    const unread = !request.complete;
    response.writeHead(answer.status, {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...answer.headers,
      'content-length': Buffer.byteLength(answer.body),
      ...((unread || this.#closing !== undefined) && { connection: 'close' }),
    });
    // As text, which Node writes together with the head.
    response.end(answer.body);
  }
}

function headOf({ method, url, headers }: IncomingMessage): RequestHead | undefined {
  const target = url === undefined || !url.startsWith('/') ? null : URL.parse(url, 'http://controller');
  if (target === null || method === undefined) return undefined;
  return { method, path: target.pathname, query: target.searchParams, headers };
}

function routeFor(routes: readonly Route[], path: string): Route | undefined {
  const level = path.slice(0, path.lastIndexOf('/') + 1);
  return routes.find((route) => route.path === path || (route.path === level && path.length > level.length));
}
