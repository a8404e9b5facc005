import type { IncomingMessage } from 'node:http';
import { Refusal } from './exchange.ts';

/** Bytes of bodies that are being read or worked on, of all requests of a server. */
export class BodyRoom {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Undefined: there is no room. */
  take(bytes: number): Disposable | undefined {
    if (bytes > this.#free) return undefined;
    this.#free -= bytes;
    return {
      [Symbol.dispose]: () => {
        this.#free += bytes;
        bytes = 0;
      },
    };
  }
}

/** Nobody is there any more to be answered. */
export class Vanished extends Error {
  override readonly name = 'Vanished';
}

/**
 * The whole body of a request. How long it may take is the server's `requestTimeout`.
 *
 * @throws {Refusal} 413, 415.
 * @throws {Vanished}
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Refusal(415, 'the body must not be compressed', CLOSE);
  if (declaredBytes(request) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let total = 0;
  return new Promise((done, failed) => {
    request.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBytes) {
        request.removeAllListeners('data');
        // Not paused: what still comes is thrown away until the answer has gone out and the connection is closed.
        request.resume();
        failed(tooLarge(maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => done(Buffer.concat(chunks)));
    request.on('error', () => failed(new Vanished('the client went away')));
    request.on('close', () => {
      if (!request.complete) failed(new Vanished('the client went away'));
    });
  });
}

/** Bytes the head announces; 0 for a body in chunks. */
export function declaredBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/** The rest of the body is not wanted. */
const CLOSE = { connection: 'close' };

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `the body is larger than ${maxBytes} bytes`, CLOSE);
}
