import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Where the client looks for a worker, below the container's temporary folder. */
export function workerSocket(temporary: string, index: number): string {
  const folder = join(temporary, 'image-resolver-workers');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${index}.sock`);
}

export interface Workers {
  /** What they wrote so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Two workers, as the entry point of the image starts them. */
export async function startWorkers(environment: Readonly<Record<string, string>>): Promise<Workers> {
  let log = '';
  const start = async (index: number) => {
    const socket = workerSocket(environment['TMPDIR'] ?? '/tmp', index);
    const child = spawn('image-resolver', ['worker', socket], { env: { ...environment }, stdio: 'pipe' });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (log += text));
    while (!existsSync(socket)) {
      if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}: ${log}`);
      await nextTurn();
    }
    return child;
  };
  const children = await Promise.all([0, 1].map(start));
  return {
    log: () => log,
    async stop() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const ended = once(child, 'exit');
          child.kill('SIGKILL');
          await ended;
        }),
      );
    },
  };
}
