import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { UserError } from '../error/user-error.ts';
import { framesOf, FREE, readRequest, type WorkerAnswer, type WorkerRequest } from './protocol.ts';

export interface WorkerOptions {
  /** Path of the Unix socket; whatever is there is replaced. Its folder must belong to this user alone. */
  readonly socket: string;
  /** Does the work. `signal` aborts when nobody waits for it any more. */
  readonly work: (request: WorkerRequest, signal: AbortSignal) => Promise<WorkerAnswer>;
  /** Why work that nobody waits for ends. */
  readonly abandoned: () => Error;
  /** Whether this worker shall end after an answer: what it did, or grew to, is better left behind. */
  readonly isSpent?: (answer: WorkerAnswer) => boolean;
}

export interface Worker {
  /** No new work from now on; what is under way is done to its end. */
  stop(): void;
  /** Settles when it has stopped. */
  readonly ended: Promise<void>;
}

/** For a request to arrive whole, and for an answer to be taken, in milliseconds. Both are local and take one. */
const IDLE_MS = 10_000;

/** Linux allows 6 MB of arguments and environment at most, and JSON writes six bytes for one that is no text. */
const MAX_REQUEST_BYTES = 40_000_000;

/**
 * Takes generations over a socket, one at a time, so that one that never ends or takes all memory disturbs no other. Who
 * comes meanwhile is turned away at once and goes elsewhere.
 *
 * @throws {UserError} `USAGE`: nothing can listen there.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const ended = Promise.withResolvers<void>();
  let isBusy = false;
  let last = Promise.resolve();
  const server: Server = createServer((socket) => {
    // Who vanishes is noticed by 'close'.
    socket.on('error', () => {});
    if (isBusy) {
      socket.destroy();
      return;
    }
    isBusy = true;
    last = (async () => {
      const answer = await converse(socket, options);
      isBusy = false;
      if (answer !== undefined && options.isSpent?.(answer) === true) server.close();
    })();
  });
  // Work whose client has gone may still be tidying up.
  server.on('close', () => ended.resolve(last));
  rmSync(options.socket, { force: true });
  await new Promise<void>((listening, failed) => {
    server.once('error', (error) => failed(cannotListen(options.socket, error)));
    server.listen(options.socket, listening);
  });
  return { stop: () => server.close(), ended: ended.promise };
}

function cannotListen(socket: string, cause: NodeJS.ErrnoException): UserError {
  const what = `a worker cannot listen at ${socket} (${cause.code ?? cause.message})`;
  const fix = 'name a path of at most 100 characters in a folder that exists and can be written';
  return new UserError('USAGE', { what, where: 'worker <socket>', fix }, cause);
}

/** One request and its answer; undefined when there was none. What is left to do then is the socket's. */
async function converse(socket: Socket, options: WorkerOptions): Promise<WorkerAnswer | undefined> {
  const stop = new AbortController();
  const closed = new Promise<undefined>((resolve) => {
    socket.once('close', () => {
      stop.abort(options.abandoned());
      resolve(undefined);
    });
  });
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.write(FREE);
  const request = await Promise.race([requestFrom(socket), closed]);
  if (request === undefined) {
    socket.destroy();
    return undefined;
  }
  socket.setTimeout(0);
  const answer = await options.work(request, stop.signal);
  socket.setTimeout(IDLE_MS);
  socket.cork();
  for (const piece of framesOf(answer)) socket.write(piece);
  socket.end();
  return answer;
}

/** The request of a connection; undefined when what arrives is none. */
function requestFrom(socket: Socket): Promise<WorkerRequest | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_REQUEST_BYTES) resolve(undefined);
      else if (chunk.at(-1) === LINE_FEED) resolve(readRequest(Buffer.concat(chunks).toString('utf8')));
    });
  });
}

const LINE_FEED = 0x0a;
