import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a fake registry can be told to answer instead of the right thing. */
export type FakeFault =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string | Buffer;
    }
  /** The connection is cut before a byte. */
  | { readonly kind: 'cut' }
  /** The connection is cut after the head and a bit of the body. */
  | { readonly kind: 'cut-in-body' }
  /** Nothing comes, ever. */
  | { readonly kind: 'silence' }
  /** The head, then a byte every few milliseconds, without end. */
  | { readonly kind: 'drip' }
  /** A body without end, as fast as it is taken. */
  | { readonly kind: 'endless' };

export function playFault(fault: FakeFault, incoming: IncomingMessage, outgoing: ServerResponse): void {
  switch (fault.kind) {
    case 'answer':
      outgoing.writeHead(fault.status, mutable(fault.headers));
      outgoing.end(fault.body);
      break;
    case 'cut':
      incoming.socket.destroy();
      break;
    case 'cut-in-body':
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      outgoing.write('{"name":"x","tags":["1.0', () => incoming.socket.destroy());
      break;
    case 'silence':
      break;
    case 'drip':
      drip(outgoing);
      break;
    case 'endless':
      flood(outgoing);
      break;
    default:
      fault satisfies never;
  }
}

function mutable(
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}

function drip(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => outgoing.write(' '), 5);
  outgoing.on('close', () => clearInterval(timer));
}

function flood(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const pour = (): void => {
    while (!outgoing.destroyed) if (!outgoing.write(chunk)) return;
  };
  outgoing.on('drain', pour);
  pour();
}
