// What the client (plugin/client) and a worker say to each other over a Unix socket. Both are of one image, so there are no
// versions.
//
// The worker speaks in frames: one byte for the kind, four for a number (big-endian), then as many bytes as the number says, or
// none when it is an exit code. It says `free` at once, or closes the connection: it is busy. Only then the client sends one
// line of JSON, a `WorkerRequest`, so that what a client gave up waiting for is never begun. It keeps the connection open: when
// that closes, nobody waits any more.

/** Kinds of frames. */
export const FRAME: { readonly free: 0; readonly stdout: 1; readonly stderr: 2; readonly exit: 3 } = {
  free: 0,
  stdout: 1,
  stderr: 2,
  exit: 3,
};

/** A generation to do. */
export interface WorkerRequest {
  /** The application's directory. It is worked in: Argo CD unpacked it for this generation alone. */
  readonly directory: string;
  /** The client's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What becomes of it, as a process would leave it. */
export interface WorkerAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** The request in a line; undefined when it is none. */
export function readRequest(line: string): WorkerRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { directory, environment } = (value ?? {}) as Partial<Record<keyof WorkerRequest, unknown>>;
  if (typeof directory !== 'string' || !Array.isArray(environment)) return undefined;
  const variables = new Map<string, string>();
  for (const variable of environment) {
    if (typeof variable !== 'string') return undefined;
    const equals = variable.indexOf('=');
    const name = variable.slice(0, equals);
    // Where a name stands twice the first counts, as for a process (getenv).
    if (equals > 0 && !variables.has(name)) variables.set(name, variable.slice(equals + 1));
  }
  return { directory, environment: Object.fromEntries(variables) };
}

/** The frame that asks for the request. */
export const FREE: Buffer = header(FRAME.free, 0);

/** All frames of an answer, in pieces: it may be large. */
export function framesOf({ stdout, stderr, exitCode }: WorkerAnswer): readonly Buffer[] {
  const [out, err] = [Buffer.from(stdout), Buffer.from(stderr)];
  return [header(FRAME.stdout, out.length), out, header(FRAME.stderr, err.length), err, header(FRAME.exit, exitCode)];
}

function header(kind: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(5);
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(value, 1);
  return bytes;
}
