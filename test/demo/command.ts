import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Runs a program to its end; when the signal aborts it is asked to stop, and waited for. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: {
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  options.signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd: options.directory,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    const ended = new Promise<number | null>((done, failed) => void child.once('close', done).once('error', failed));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    options.signal.throwIfAborted();
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stderr}`);
    return stdout;
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
}
