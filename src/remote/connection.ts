import type { Agent, AgentOptions, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerFault, connectionFault } from './controller-fault.ts';

/** Where the controller listens. */
export interface Address {
  readonly url: URL;
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string;
}

export interface Outgoing {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * A connection that stays open between requests. It is opened when it is made, so that the handshakes are done while
 * something else still runs; a fault of that is met again by the first request.
 */
export interface Connection {
  /**
   * One exchange. A connection that was cut while it rested is opened again, once.
   *
   * @throws {Error} `ControllerFault`, or the signal's reason.
   */
  send(outgoing: Outgoing, maxBytes: number, signal: AbortSignal): Promise<Reply>;
  close(): void;
}

// Loaded here, because loading node:https takes longer than most questions. Neither follows redirects nor knows of proxies:
// a proxy of the cluster is for the way out, and would see the token.
interface HttpModule {
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly Agent: new (options: AgentOptions) => Agent;
}

export async function openConnection({ url, ca }: Address): Promise<Connection> {
  const secure = url.protocol === 'https:';
  const http: HttpModule = secure ? await import('node:https') : await import('node:http');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls = secure && ca !== undefined ? { ca } : {};
  const target = {
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    ...tls,
    ...(secure && { servername: isIP(host) === 0 ? host : '' }),
  };
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, ...tls });
  const connect = agent.createConnection.bind(agent);
  let early: Duplex | null | undefined;
  try {
    early = connect(target);
    // Why it failed is told by the first request.
    early?.on('error', () => undefined);
  } catch (error) {
    throw connectionFault(error);
  }
  let rested = false;
  agent.createConnection = (options, created) => {
    const socket = early;
    early = undefined;
    if (socket === undefined || socket === null || socket.destroyed) {
      rested = false;
      return connect(options, created);
    }
    rested = true;
    return socket;
  };

  const attempt = async (outgoing: Outgoing, maxBytes: number, signal: AbortSignal): Promise<Reply> => {
    const base = url.pathname.replace(/\/+$/, '');
    const request = http.request({
      ...target,
      method: outgoing.method,
      path: `${base}${outgoing.path}`,
      headers: { ...outgoing.headers, host: url.host },
      agent,
    } satisfies RequestOptions);
    return exchange(request, outgoing.body, maxBytes, signal);
  };
  return {
    async send(outgoing, maxBytes, signal) {
      rested = true;
      try {
        const reply = await attempt(outgoing, maxBytes, signal);
        // A server that waited for the request of an early connection for too long.
        if (reply.status !== 408) return reply;
      } catch (error) {
        if (!(error instanceof CutError)) throw error;
        if (!rested || signal.aborted) throw connectionFault(error.cause);
      }
      early = undefined;
      try {
        return await attempt(outgoing, maxBytes, signal);
      } catch (error) {
        throw error instanceof CutError ? connectionFault(error.cause) : error;
      }
    },
    close() {
      early?.destroy();
      agent.destroy();
    },
  };
}

/** The connection ended before anything was answered. */
class CutError extends Error {
  override readonly name = 'CutError';
}

const CUT_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

async function exchange(
  request: ClientRequest,
  body: Buffer | undefined,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Reply> {
  const abort = (): void => {
    request.destroy(signal.reason as Error);
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    const responded = responseTo(request);
    if (signal.aborted) abort();
    else request.end(body);
    const response = await responded;
    return { status: response.statusCode ?? 0, body: await readBody(response, maxBytes) };
  } catch (error) {
    request.destroy();
    throw signal.aborted ? (signal.reason as Error) : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((done, failed) => {
    request.on('response', done);
    request.on('upgrade', (_response, socket: Socket | Duplex) => {
      socket.destroy();
      failed(answerFault('it answered with a change of the protocol'));
    });
    // Stays, because a connection may also break when the answer has come.
    request.on('error', (error: NodeJS.ErrnoException) => {
      failed(CUT_CODES.has(error.code ?? '') ? new CutError('cut', { cause: error }) : connectionFault(error));
    });
  });
}

/** By events, because iterating over a stream loads a part of Node that nothing else here needs. */
function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((done, failed) => {
    const chunks: Buffer[] = [];
    let total = 0;
    const cut = (error?: unknown): void => failed(answerFault('its answer was cut in the middle', error));
    response.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBytes) failed(answerFault(`its answer is larger than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('end', () => done(Buffer.concat(chunks)));
    response.on('error', cut);
    response.on('close', () => {
      if (!response.complete) cut();
    });
  });
}
