import { systemFiles } from '../operator/files.ts';
import { type Time, startDeadline } from '../resolve/deadline.ts';
import { type Connection, openConnection } from './connection.ts';
import {
  answerFault,
  ControllerFault,
  setupFault,
  statusFault,
  stoppedFault,
  timeoutFault,
} from './controller-fault.ts';
import { MAX_ANSWER_BYTES } from './protocol.ts';

/** Where the manifests put the CA of the controller's certificate, if it has one of its own. */
const DEFAULT_CA_FILE = '/etc/image-resolver/controller-ca.pem';
/** Where the kubelet puts the sidecar's token, and renews it. */
export const DEFAULT_TOKEN_FILE = '/var/run/secrets/image-resolver/token';

export interface ControllerClientOptions {
  /** From the operator's configuration. */
  readonly controller: { readonly url: string; readonly caFile?: string };
  /** The bearer token, read for each request, because tokens are renewed. Throws {@link ControllerFault}. */
  readonly token: () => string;
  readonly time: Time;
}

/** Asks the controller; for the sidecar and for the commands of people. */
export interface ControllerClient {
  /** As it may be shown: without user and password. */
  readonly url: string;
  /**
   * One question.
   *
   * @param question.body is sent as JSON by POST; absent: a GET.
   * @param boundMs for all of it, connecting included.
   * @returns the answer's JSON.
   * @throws {ControllerFault} for everything but an answer.
   */
  ask(
    question: { readonly path: string; readonly body?: unknown },
    boundMs: number,
    signal: AbortSignal,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts to connect at once. */
export function createControllerClient({ controller, token, time }: ControllerClientOptions): ControllerClient {
  const url = URL.parse(controller.url);
  const opening: Promise<Connection> = url === null ? Promise.reject(noUrl()) : open(url, controller.caFile);
  opening.catch(() => undefined);
  const send = async (
    question: { readonly path: string; readonly body?: unknown },
    signal: AbortSignal,
  ): Promise<unknown> => {
    const connection = await opening;
    const body = question.body === undefined ? undefined : Buffer.from(JSON.stringify(question.body));
    const reply = await connection.send(
      {
        method: body === undefined ? 'GET' : 'POST',
        path: question.path,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token()}`,
          ...(body !== undefined && { 'content-type': 'application/json', 'content-length': `${body.length}` }),
        },
        ...(body !== undefined && { body }),
      },
      MAX_ANSWER_BYTES,
      signal,
    );
    const answer = parseJson(reply.body);
    if (reply.status !== 200 && reply.status !== 202) throw statusFault(reply.status, reasonIn(answer));
    if (answer === undefined) throw answerFault('its answer is no JSON');
    return answer;
  };
  return {
    url: url === null ? controller.url : `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    async ask(question, boundMs, signal) {
      using deadline = startDeadline(boundMs, time, signal);
      try {
        return await send(question, deadline.signal);
      } catch (error) {
        if (error instanceof ControllerFault) throw error;
        if (signal.aborted) throw stoppedFault();
        if (deadline.signal.aborted) throw timeoutFault(boundMs);
        throw error;
      }
    },
    async close() {
      (await opening.catch(() => undefined))?.close();
    },
  };
}

async function open(url: URL, caFile: string | undefined): Promise<Connection> {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw noUrl();
  if (url.protocol === 'http:') return openConnection({ url });
  const found = systemFiles.read(caFile ?? DEFAULT_CA_FILE);
  if (found.kind === 'read') return openConnection({ url, ca: found.text });
  if (caFile === undefined && found.kind === 'missing') return openConnection({ url });
  const problem = found.kind === 'missing' ? 'is not there' : found.problem;
  throw setupFault(`the file ${caFile} with its CA ${problem}`, 'mount it, or correct controller.caFile');
}

function noUrl(): ControllerFault {
  return setupFault('its address is no URL', 'write https://host:port as controller.url');
}

/** What a header can carry. A Kubernetes token is some kilobytes. */
const TOKEN = /^[\x21-\x7e]{1,12000}$/;

/** Reads a token from a file. */
export function tokenFrom(path: string): () => string {
  return () => {
    const fix = 'project a service account token of the audience image-resolver into the sidecar';
    const found = systemFiles.read(path);
    if (found.kind !== 'read') {
      const problem = found.kind === 'missing' ? 'is not there' : found.problem;
      throw setupFault(`the token file ${path} ${problem}`, fix);
    }
    const token = found.text.trim();
    if (!TOKEN.test(token)) throw setupFault(`the token file ${path} holds no token`, fix);
    return token;
  };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

const MAX_REASON_CHARACTERS = 300;

/** The controller's own sentence, cut. What is printed is escaped later. */
function reasonIn(answer: unknown): string | undefined {
  const isObject = typeof answer === 'object' && answer !== null && 'error' in answer;
  return isObject && typeof answer.error === 'string' ? answer.error.slice(0, MAX_REASON_CHARACTERS) : undefined;
}
