import type { IncomingMessage } from 'node:http';
import { Refusal } from './exchange.ts';

/** Bytes of bodies that have come and are being read or worked on, of all requests of a server. */
export class BodyRoom {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** The part of one body, empty at first: who only announces bytes takes no room from others. */
  share(): BodyShare {
    let taken = 0;
    return {
      take: (bytes) => {
        if (bytes > this.#free) return false;
        this.#free -= bytes;
        taken += bytes;
        return true;
      },
      [Symbol.dispose]: () => {
        this.#free += taken;
        taken = 0;
      },
    };
  }
}

export interface BodyShare extends Disposable {
  /** False: there is no room. */
  take(bytes: number): boolean;
}

/** Nobody is there any more to be answered. */
export class Vanished extends Error {
  override readonly name = 'Vanished';
}

/**
 * The whole body of a request. How long it may take is the server's `requestTimeout`.
 *
 * @throws {Refusal} 413, 415; 503 when there is no room.
 * @throws {Vanished} or the signal's reason.
 */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, room, signal }: { readonly maxBytes: number; readonly room: BodyShare; readonly signal: AbortSignal },
): Promise<Buffer> {
  signal.throwIfAborted();
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Refusal(415, 'the body must not be compressed', CLOSE);
  if (declaredBytes(request) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let total = 0;
  return new Promise((done, failed) => {
    const giveUp = (reason: unknown): void => {
      request.removeAllListeners('data');
      // Not paused: what still comes is thrown away until the answer has gone out and the connection is closed.
      request.resume();
      failed(reason);
    };
    signal.addEventListener('abort', () => giveUp(signal.reason), { once: true });
    request.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (total > maxBytes) giveUp(tooLarge(maxBytes));
      else if (room.take(chunk.length)) chunks.push(chunk);
      else giveUp(noRoom());
    });
    // Most bodies come in one piece.
    request.on('end', () => done(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', () => failed(new Vanished('the client went away')));
    request.on('close', () => {
      if (!request.complete) failed(new Vanished('the client went away'));
    });
  });
}

/** Bytes the head announces; 0 for a body in chunks. */
function declaredBytes(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

/** The rest of the body is not wanted. */
const CLOSE = { connection: 'close' };

function noRoom(): Refusal {
  return new Refusal(503, 'too much is asked at once', { 'retry-after': '1', ...CLOSE });
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `the body is larger than ${maxBytes} bytes`, CLOSE);
}
