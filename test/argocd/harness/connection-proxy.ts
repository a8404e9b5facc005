import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a Kubernetes Service does for Argo CD: one address, and each new connection goes to the next of those behind it. */
export interface ConnectionProxy extends AsyncDisposable {
  /** `127.0.0.1:43211`. */
  readonly address: string;
  /** How many connections each target got. */
  readonly connections: ReadonlyMap<number, number>;
  /** Adds a loopback port. */
  add(port: number): void;
  /** New connections don't go there any more. */
  remove(port: number): void;
}

/** Listens on a free loopback port. */
export async function startConnectionProxy(): Promise<ConnectionProxy> {
  const targets: number[] = [];
  const connections = new Map<number, number>();
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    const port = targets.shift();
    if (port === undefined) {
      incoming.destroy();
      return;
    }
    targets.push(port);
    connections.set(port, (connections.get(port) ?? 0) + 1);
    const outgoing = connect(port, '127.0.0.1');
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
    }
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    add: (port) => void targets.push(port),
    remove(port) {
      const at = targets.indexOf(port);
      if (at !== -1) targets.splice(at, 1);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
