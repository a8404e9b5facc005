import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CheckpointTask } from './checkpoint-worker.ts';
import type { Checkpoints } from './database.ts';

/** The worker's code: beside this file as a source, beside the bundle in it. */
const CODE = join(import.meta.dirname, `checkpoint-worker${extname(import.meta.filename)}`);
/** In milliseconds: of what is written again and again, each time less is moved. */
const EVERY_MS = 20_000;

/**
 * A thread that moves what is in the write-ahead log into the database's file, which waits for the disk: tens of milliseconds
 * in which nobody would be answered. When it ends on its own, or falls behind, SQLite does the same at the commits again.
 */
export class CheckpointThread implements Checkpoints {
  readonly #worker: Worker;

  /**
   * @param path of the database.
   * @param failed told why it ended on its own.
   */
  constructor(path: string, failed: (error: Error) => void, everyMs: number = EVERY_MS) {
    const task: CheckpointTask = { path, everyMs };
    this.#worker = new Worker(CODE, {
      name: 'checkpoints',
      workerData: task,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.on('error', failed);
    this.#worker.unref();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
