import { startWorker } from '../../worker/serve.ts';
import type { WorkerAnswer } from '../../worker/protocol.ts';
import { EXIT } from '../exit.ts';
import { runGeneration, stopped } from '../run-generation.ts';

/**
 * A worker that has grown beyond this makes room for a new one, in bytes of resident memory: V8 keeps what is free. Small
 * applications take some 300 generations to it, and a new worker is there after a second.
 */
const MAX_RESIDENT_BYTES = 150_000_000;

/** `worker`: generations of the plugin's client, one after the other, in a process that stays. */
export async function runWorker(socket: string): Promise<void> {
  const worker = await startWorker({
    socket,
    async work({ directory, environment }, signal): Promise<WorkerAnswer> {
      const request = { directory, environment, inPlace: true, explain: false, register: true };
      const { generation, stderr, exitCode } = await runGeneration(request, signal);
      return { stdout: generation?.text ?? '', stderr, exitCode };
    },
    abandoned: () => stopped('stopped by who waited for it'),
    isSpent: ({ exitCode }) => exitCode === EXIT.bug || process.memoryUsage.rss() > MAX_RESIDENT_BYTES,
  });
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(name, () => worker.stop());
  await worker.ended;
  // Now, whatever a generation left open (a pipe that a daemon of a credential program holds): until this process has ended,
  // no other takes its place.
  process.exit();
}
