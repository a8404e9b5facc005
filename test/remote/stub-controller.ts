import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerCertificate } from '../support/fake-registry-certificates.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export type Behaviour = (response: ServerResponse, received: Received) => void;

/** A controller that answers (or misbehaves) as a test says, on a real port. */
export class StubController implements AsyncDisposable {
  readonly received: Received[] = [];
  connections = 0;
  behave: Behaviour;
  readonly #server: Server;
  #url = '';

  private constructor(behave: Behaviour, certificate: ServerCertificate | undefined) {
    this.behave = behave;
    const listener = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    this.#server =
      certificate === undefined ? createHttpServer(listener) : createHttpsServer({ ...certificate }, listener);
    this.#server.on(certificate === undefined ? 'connection' : 'secureConnection', () => {
      this.connections += 1;
    });
  }

  static async start(behave: Behaviour, certificate?: ServerCertificate): Promise<StubController> {
    const stub = new StubController(behave, certificate);
    await new Promise<void>((done) => stub.#server.listen(0, '127.0.0.1', done));
    const { port } = stub.#server.address() as AddressInfo;
    stub.#url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    return stub;
  }

  get url(): string {
    return this.#url;
  }

  /** Ends every connection on which nothing is under way. */
  cutIdle(): void {
    this.#server.closeIdleConnections();
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const received: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    this.received.push(received);
    this.behave(response, received);
  }
}

export function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** Answers each ask of a query with what `resolutionFor` makes of it. */
export function resolving(resolutionFor: (ask: { readonly image: string }) => unknown): Behaviour {
  return (response, { body }) => {
    const { asks = [] } = body as { readonly asks?: readonly { readonly image: string }[] };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ resolutions: asks.map(resolutionFor) }));
  };
}
