import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKubernetes } from '../../src/kubernetes/client.ts';
import type { Kubernetes } from '../../src/kubernetes/kubernetes.ts';
import type { Sleep } from '../../src/registry/time.ts';
import { impatient } from './kubernetes-fixture.ts';

export type Handler = (query: URLSearchParams, response: ServerResponse, request: IncomingMessage) => void;

/** An API server that misbehaves as a test says, for what a real one cannot be made to do. */
export async function startFakeApi(
  handle: Handler,
  sleep: Sleep = impatient,
): Promise<AsyncDisposable & { readonly client: Kubernetes }> {
  const server = createServer((request, response) =>
    handle(new URL(request.url ?? '', 'http://api').searchParams, response, request),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const connection = {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    settings: () => Promise.resolve({ headers: { authorization: 'Bearer canary-token' }, tls: {} }),
  };
  return {
    client: createKubernetes({ connection, sleep, random: Math.random }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export function item(name: string, v: string, resourceVersion = '1'): object {
  return { metadata: { name, resourceVersion }, data: { v } };
}

export function answerList(
  response: ServerResponse,
  items: readonly object[],
  resourceVersion: string,
  next = '',
): void {
  response.end(JSON.stringify({ metadata: { resourceVersion, continue: next }, items }));
}

export function tellEvent(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

export function refuse(response: ServerResponse, status: number, reason: string): void {
  response.statusCode = status;
  response.end(JSON.stringify({ kind: 'Status', reason, message: 'canary-body' }));
}
