/** How a credential program is run. Nothing of it comes from a tenant but, on standard input, the host of an allowed registry. */
export interface ProgramRun {
  /** An absolute path, or a name to be found on the PATH of `environment`. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly input: string;
  /** All there is; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type ProgramResult =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly output: string }
  /** A clause: "did not end within 10 s". Holds nothing of what the program printed. */
  | { readonly kind: 'failed'; readonly problem: string };

/** A credential is small; more is an accident, and would stay in memory. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * Runs a program without a shell and collects what it prints. What it says on stderr is dropped: such programs print
 * tokens there when they are asked to be verbose.
 */
export async function runProgram(run: ProgramRun): Promise<ProgramResult> {
  // Loaded here, because most generations run no program.
  const { execa } = await import('execa');
  if (run.signal.aborted) return { kind: 'failed', problem: STOPPED };
  const child = execa(run.program, run.arguments, {
    input: run.input,
    env: run.environment,
    extendEnv: false,
    stderr: 'ignore',
    stripFinalNewline: false,
    encoding: 'buffer',
    maxBuffer: MAX_OUTPUT_BYTES,
    reject: false,
    // A group of its own, so that what a script started ends with it.
    detached: true,
  });
  const killGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  const stopped = Promise.withResolvers<ProgramResult>();
  const stop = (problem: string): void => {
    killGroup();
    // A program that left the group may hold it open for ever; this process could not end as long, or would collect them.
    child.stdout.destroy();
    stopped.resolve({ kind: 'failed', problem });
  };
  const deadline = setTimeout(() => stop(`did not end within ${run.timeoutMs / 1000} s`), run.timeoutMs);
  const onAbort = (): void => stop(STOPPED);
  run.signal.addEventListener('abort', onAbort, { once: true });
  // A group of its own is not taken along when this process ends.
  process.once('exit', killGroup);
  try {
    const ended = child.then((result): ProgramResult => {
      if (result.isMaxBuffer) {
        killGroup();
        return { kind: 'failed', problem: `printed more than ${MAX_OUTPUT_BYTES / 1024} KiB` };
      }
      if (result.exitCode === undefined) return { kind: 'failed', problem: notEnded(result.code, result.signal) };
      return { kind: 'ended', exitCode: result.exitCode, output: Buffer.from(result.stdout).toString('utf8') };
    });
    // A program that left the group may keep the pipe open for ever: do not wait for it.
    return await Promise.race([ended, stopped.promise]);
  } finally {
    clearTimeout(deadline);
    run.signal.removeEventListener('abort', onAbort);
    process.off('exit', killGroup);
  }
}

const STOPPED = 'was not read because nobody waits for it';

function notEnded(code: string | undefined, signal: string | undefined): string {
  if (code === 'ENOENT') return 'needs a program that is not there';
  if (code === 'EACCES') return 'needs a program that may not be executed';
  return `needs a program that was stopped (${signal ?? code ?? 'for an unknown reason'})`;
}
