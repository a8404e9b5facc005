import { extname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Sleep } from '../registry/time.ts';
import type { FilterReply, FilterRequest } from './messages.ts';

/** The worker's code: beside this file as a source, beside the bundle in it. */
const CODE = join(import.meta.dirname, `filter-worker${extname(import.meta.filename)}`);

export type Outcome =
  | Exclude<FilterReply, { kind: 'ready' }>
  /** It did not end in time, and still runs. */
  | { readonly kind: 'late' }
  /** The thread ended. */
  | { readonly kind: 'gone'; readonly error?: unknown };

/** One thread that evaluates one thing at a time, and can be killed. */
export class FilterThread {
  readonly #worker: Worker;
  readonly #gone: Promise<Outcome>;
  #reply = Promise.withResolvers<FilterReply>();
  #ended = false;

  /** @param heapMb what the thread may use for patterns and tags; when it is not enough, the thread ends. */
  constructor(heapMb: number) {
    this.#worker = new Worker(CODE, {
      name: 'filters',
      // Nothing of this process is for users' patterns.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: Math.ceil(heapMb / 4) },
    });
    this.#worker.on('message', (reply: FilterReply) => this.#reply.resolve(reply));
    this.#gone = new Promise((ended) => {
      let cause: unknown;
      this.#worker.on('error', (error) => (cause = error));
      this.#worker.on('exit', () => {
        this.#ended = true;
        ended({ kind: 'gone', ...(cause === undefined ? {} : { error: cause }) });
      });
    });
  }

  /** Whether the thread is no more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Waits until it can begin; undefined when the thread ended instead. */
  async ready(): Promise<Outcome | undefined> {
    const first = await Promise.race([this.#gone, this.#reply.promise]);
    return first.kind === 'gone' ? first : undefined;
  }

  /** Evaluates one request. After `late` and `gone` the thread is of no more use. */
  async run(request: FilterRequest, limitMs: number, sleep: Sleep): Promise<Outcome> {
    this.#reply = Promise.withResolvers();
    this.#worker.ref();
    this.#worker.postMessage(request, []);
    const over = new AbortController();
    const late = async (): Promise<Outcome> => {
      await sleep(limitMs, over.signal);
      // When this process was busy itself, the answer may lie there unread.
      await nextTurn();
      return { kind: 'late' };
    };
    try {
      return (await Promise.race([this.#reply.promise, this.#gone, late()])) as Outcome;
    } finally {
      over.abort();
      // A thread without work keeps no process alive.
      this.#worker.unref();
    }
  }

  /** Kills the thread, whatever it does. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
