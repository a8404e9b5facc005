import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';

/** A program of the test's own that ends with it. */
export interface TestProcess {
  /** Its last output, for messages. */
  log(): string;
  /** Rejects when the program ends; never resolves. */
  readonly ended: Promise<never>;
  kill(): Promise<void>;
}

const KEPT_LOG = 20_000;

export function startProcess(name: string, program: string, args: readonly string[], directory: string): TestProcess {
  // Only this: ETCD_* variables are settings.
  const env = { HOME: directory, TMPDIR: directory };
  const child = spawn(program, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const killAtExit = (): boolean => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  let log = '';
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-KEPT_LOG);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<never>((_, failed) => {
    child.once('error', failed);
    child.once('exit', (code, signal) => failed(new Error(`${name} ended with ${signal ?? code}:\n${log}`)));
  });
  // Who waits for it is told; nobody needs to.
  ended.catch(() => undefined);
  return { log: () => log, ended, kill: () => endProcess(child) };
}

function endProcess(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      done();
      return;
    }
    child.once('exit', () => done());
    child.kill('SIGKILL');
  });
}

/** Ports that were free a moment ago: all held at once, so that they differ. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((done, failed) => {
          const server = createServer();
          server.once('error', failed);
          server.listen(0, '127.0.0.1', () => done(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
