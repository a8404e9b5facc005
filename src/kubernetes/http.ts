import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import type { ApiConnection } from './connection.ts';
import { KubernetesError } from './kubernetes.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** The answer is larger than what is read of one. */
export class AnswerTooLarge extends KubernetesError {}

/** How long the API server has to begin a watch, and to answer anything else in whole. */
export const REQUEST_TIMEOUT_MS = 10_000;

const MAX_SOCKETS = 32;
/** Found out by the kernel: a peer that is gone without a word. */
const TCP_KEEP_ALIVE_MS = 30_000;
/** The `reason` of a Status: a word of a closed set, never a text. */
const REASON = /^[A-Za-z]{1,40}$/;
const MAX_STATUS_BYTES = 64 * 1024;

/** HTTP to one API server. Faults are {@link KubernetesError}s that name method, path and status, and hold no body and no token. */
export class ApiHttp {
  readonly #connection: ApiConnection;
  readonly #agents: Record<'request' | 'watch', Agent | PlainAgent>;

  constructor(connection: ApiConnection) {
    this.#connection = connection;
    const AgentOf = connection.server.startsWith('http://') ? PlainAgent : Agent;
    this.#agents = {
      request: new AgentOf({ keepAlive: true, maxSockets: MAX_SOCKETS }),
      // Each holds a connection for minutes: ordinary requests must not wait behind them.
      watch: new AgentOf({ keepAlive: true }),
    };
  }

  /** @throws {AnswerTooLarge} beyond `maxBytes`. */
  async json(
    asked: ApiRequest,
    { signal, maxBytes, timeoutMs = REQUEST_TIMEOUT_MS }: { signal: AbortSignal; maxBytes: number; timeoutMs?: number },
  ): Promise<unknown> {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const response = await this.#send(asked, 'request', bounded);
    const text = await readWhole(asked, response, maxBytes, bounded);
    try {
      return JSON.parse(text) as unknown;
    } catch {
      throw new KubernetesError(`${shown(asked)} was answered with something that is not JSON`);
    }
  }

  /** An answer that goes on: its bytes as they come. Who stops reading, or aborts, closes it. */
  async stream(asked: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Buffer>> {
    const begun = new AbortController();
    const timer = setTimeout(() => begun.abort(), REQUEST_TIMEOUT_MS);
    try {
      return await this.#send(asked, 'watch', AbortSignal.any([signal, begun.signal]), signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends, and once more where that is known to be right: the token was renewed, or an idle connection was just closed. */
  async #send(
    asked: ApiRequest,
    kind: 'request' | 'watch',
    begin: AbortSignal,
    whole: AbortSignal = begin,
  ): Promise<IncomingMessage> {
    let tokenBefore: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const settings = await this.#connection.settings();
      const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
      const headers = {
        ...settings.headers,
        accept: 'application/json',
        'user-agent': 'image-resolver',
        ...(body === undefined ? {} : { 'content-type': asked.contentType ?? 'application/json' }),
      };
      const url = `${this.#connection.server}${asked.path}`;
      const options = { ...settings.tls, method: asked.method, headers, agent: settings.agent ?? this.#agents[kind] };
      const sent = url.startsWith('http://') ? plainRequest(url, options) : secureRequest(url, options);
      const token = String(settings.headers['authorization'] ?? '');
      const answer = await answerTo(sent, body, begin, whole);
      if (answer.kind === 'fault') {
        const isStale = sent.reusedSocket && answer.code === 'ECONNRESET';
        if (isStale && attempt === 1) continue;
        const why = begin.aborted && !whole.aborted ? 'in time' : `(${answer.code})`;
        throw new KubernetesError(`${shown(asked)} was not answered ${why}`, undefined, answer.cause);
      }
      const status = answer.response.statusCode ?? 0;
      if (status >= 200 && status < 300) return answer.response;
      const reason = await reasonOf(asked, answer.response, begin);
      if (status === 401 && attempt === 1 && token !== tokenBefore) {
        tokenBefore = token;
        const renewed = String((await this.#connection.settings()).headers['authorization'] ?? '');
        if (renewed !== token) continue;
      }
      throw new KubernetesError(`${shown(asked)} was answered with ${status}${reason}`, status);
    }
  }
}

type Answer =
  | { readonly kind: 'answered'; readonly response: IncomingMessage }
  | { readonly kind: 'fault'; readonly code: string; readonly cause: unknown };

/** Waits for the head of the answer until `begin` aborts; what follows ends when `whole` does. */
function answerTo(
  sent: ClientRequest,
  body: string | undefined,
  begin: AbortSignal,
  whole: AbortSignal,
): Promise<Answer> {
  return new Promise((done) => {
    const stop = (): void => void sent.destroy(new Error('aborted'));
    const stopFollowing = (): void => {
      begin.removeEventListener('abort', stop);
      whole.removeEventListener('abort', stop);
    };
    const fault = (error: Error): void => {
      stopFollowing();
      done({ kind: 'fault', code: codeOf(error), cause: error });
    };
    sent.on('error', fault);
    sent.once('response', (response) => {
      begin.removeEventListener('abort', stop);
      whole.addEventListener('abort', stop, { once: true });
      response.once('close', stopFollowing);
      done({ kind: 'answered', response });
    });
    sent.once('socket', (socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
    if (begin.aborted) {
      sent.destroy(new Error('aborted'));
      return;
    }
    begin.addEventListener('abort', stop, { once: true });
    sent.end(body);
  });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string'
    ? error.code
    : error.message === 'aborted'
      ? 'aborted'
      : 'fault';
}

async function readWhole(
  asked: ApiRequest,
  response: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new AnswerTooLarge(`${shown(asked)} was answered with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof KubernetesError) throw error;
    const why = signal.aborted ? 'in time' : 'in whole';
    throw new KubernetesError(`${shown(asked)} was not answered ${why}`, undefined, error);
  }
  return Buffer.concat(chunks, length).toString();
}

/** ` NotFound`, or nothing. The body is read so that the connection can be used again. */
async function reasonOf(asked: ApiRequest, response: IncomingMessage, signal: AbortSignal): Promise<string> {
  try {
    const status = JSON.parse(await readWhole(asked, response, MAX_STATUS_BYTES, signal)) as { reason?: unknown };
    return typeof status.reason === 'string' && REASON.test(status.reason) ? ` ${status.reason}` : '';
  } catch {
    return '';
  }
}

/** Without the query: it may hold a long continue token. */
function shown({ method, path }: ApiRequest): string {
  return `${method} ${path.split('?')[0]}`;
}
