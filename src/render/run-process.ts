import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '../error/user-error.ts';
import { BoundedText } from './bounded-text.ts';
import { KILL_GRACE_MS } from './limits.ts';

export interface ProcessOptions {
  /** A name that is looked up on the PATH in `env`, or an absolute path. Never a shell command. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the child; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** More on stdout kills the child. */
  readonly maxStdoutBytes: number;
  /** More on stderr is read and dropped from the middle. */
  readonly maxStderrBytes: number;
  /** Called once the child runs: from here on this process has nothing to do but wait. */
  readonly onStart?: () => void;
  /** Bytes for its stdin; without them stdin is empty. */
  readonly input?: string | Buffer;
}

export interface ProcessResult {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Why a child was stopped before its end. */
type Stop = 'timeout' | 'aborted' | 'too large';

/** Process groups that are alive now, so that none outlives this process however it ends (SIGKILL excepted: {@link sweepLeftovers}). */
const liveGroups = new Set<number>();
let exitHandlerInstalled = false;

/**
 * Runs a program to its end, in a process group of its own that is dead as a whole when the promise settles. An exit code
 * other than 0 is an answer, not an error.
 *
 * @throws {UserError} `RENDERER_MISSING`, `RENDER_TIMEOUT`, `RENDER_TOO_LARGE`; `PARAMETER_INVALID` for arguments that no
 *   process can be given; `RENDER_FAILED` when the system cannot start it. When `signal` aborts: its reason when that is an
 *   error, else `CANCELLED`.
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const where = describe(options);
  if (options.signal.aborted) throw cancelled(options.signal, where);
  if ([...options.args, ...Object.values(options.env)].some((text) => text.includes('\0'))) {
    throw new UserError('PARAMETER_INVALID', {
      what: 'a value holds a NUL byte, which no program can be given',
      where,
      fix: 'remove the NUL byte from the parameters',
    });
  }
  const child = start(options, where);
  options.onStart?.();
  const stdout: Buffer[] = [];
  const stderr = new BoundedText(options.maxStderrBytes);
  let stdoutBytes = 0;
  let stopped: Stop | undefined;
  const timers: NodeJS.Timeout[] = [];

  const stop = (why: Stop): void => {
    if (stopped !== undefined) return;
    stopped = why;
    killGroup(child, 'SIGTERM');
    timers.push(
      setTimeout(() => {
        killGroup(child, 'SIGKILL');
        // A grandchild that left the group may hold the pipes open for ever; what it writes is of no use any more.
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, KILL_GRACE_MS),
    );
  };
  const onAbort = (): void => stop('aborted');

  child.stdout?.on('data', (piece: Buffer) => {
    stdoutBytes += piece.length;
    if (stdoutBytes > options.maxStdoutBytes) {
      stdout.length = 0;
      stop('too large');
    } else stdout.push(piece);
  });
  child.stderr?.on('data', (piece: Buffer) => stderr.add(piece));
  // A child that ends without reading its input is no fault: its exit code tells.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  timers.push(setTimeout(() => stop('timeout'), Math.max(0, options.timeoutMs)));
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { exitCode, signal } = await ended(child, where, options);
    if (stopped === 'aborted') throw cancelled(options.signal, where);
    if (stopped === 'timeout') throw timedOut(where);
    if (stopped === 'too large') throw tooLarge(where, options.maxStdoutBytes);
    return { stdout: Buffer.concat(stdout), stderr: stderr.toString(), exitCode, signal };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
  }
}

function start(options: ProcessOptions, where: string): ChildProcess {
  try {
    const child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
      shell: false,
    });
    if (child.pid !== undefined) {
      liveGroups.add(child.pid);
      if (!exitHandlerInstalled) process.on('exit', killAllGroups);
      exitHandlerInstalled = true;
    }
    return child;
  } catch (error) {
    throw startFailed(error, where, options);
  }
}

function ended(
  child: ChildProcess,
  where: string,
  options: ProcessOptions,
): Promise<{ exitCode: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(startFailed(error, where, options)));
    child.once('exit', () => {
      // The leader is gone; whatever it left running in its group has nobody to work for.
      killGroup(child, 'SIGKILL');
      if (child.pid !== undefined) liveGroups.delete(child.pid);
    });
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

function killGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid !== undefined && liveGroups.has(child.pid)) killGroupById(child.pid, signal);
}

function killAllGroups(): void {
  for (const group of liveGroups) killGroupById(group, 'SIGKILL');
}

function killGroupById(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: all of it is dead already. EPERM (macOS): only zombies are left.
  }
}

/** `kustomize build`: the program and its verb, without arguments that may be long, private or random. */
function describe(options: ProcessOptions): string {
  const verb = options.args[0];
  return verb === undefined || verb.startsWith('-') || verb.includes('/')
    ? basename(options.command)
    : `${basename(options.command)} ${verb}`;
}

function startFailed(error: unknown, where: string, options: ProcessOptions): UserError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const program = basename(options.command);
  if (code === 'E2BIG') {
    return new UserError(
      'PARAMETER_INVALID',
      { what: `the arguments for ${program} are longer than the system allows`, where, fix: 'shorten the parameters' },
      error,
    );
  }
  // ENOENT also stands for a missing working directory.
  if ((code === 'ENOENT' || code === 'EACCES') && existsSync(options.cwd)) {
    return new UserError(
      'RENDERER_MISSING',
      {
        what: code === 'ENOENT' ? `${program} is not installed` : `${program} cannot be executed`,
        where,
        fix: `put an executable ${program} on the PATH of the plugin container`,
      },
      error,
    );
  }
  return new UserError(
    'RENDER_FAILED',
    { what: `${program} could not be started (${code})`, where, fix: 'look at the limits of the plugin container' },
    error,
  );
}

function cancelled(signal: AbortSignal, where: string): Error {
  if (signal.reason instanceof UserError) return signal.reason;
  return new UserError('CANCELLED', { what: 'stopped from outside', where, fix: 'run it again' }, signal.reason);
}

function timedOut(where: string): UserError {
  return new UserError('RENDER_TIMEOUT', {
    what: 'it did not end within the time for this generation and was stopped',
    where,
    fix: 'look for remote bases or charts that answer slowly, or have the operator raise budget',
  });
}

function tooLarge(where: string, maxBytes: number): UserError {
  return new UserError('RENDER_TOO_LARGE', {
    what: `it printed more than ${maxBytes} bytes`,
    where,
    fix: 'split the application into several',
  });
}
