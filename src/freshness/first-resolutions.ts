import type { Fault } from '../registry/sources.ts';
import { rest, startDeadline, type Time } from '../resolve/deadline.ts';
import type { Job, Settled } from '../resolve/job.ts';
import { FairPool } from './fair-pool.ts';

/** How long the asking goes on, with or without anybody who waits, in milliseconds. */
const WORK_FOR_MS = 60_000;
/** How long somebody waits from the beginning of a query, in milliseconds. */
const WAIT_FOR_MS = 10_000;

export interface FirstResolutionsOptions extends Time {
  /** Decides a job by asking its registry. */
  readonly work: (job: Job, signal: AbortSignal) => Promise<Settled>;
  /** Told when a job ended, whoever still waits. */
  readonly ended: (job: Job, settled: Settled) => void;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
}

/** First decisions: made once for all who ask, and to the end although nobody waits any more. */
export class FirstResolutions {
  readonly #options: FirstResolutionsOptions;
  readonly #pool = new FairPool({ slots: 64, perGroup: 48, waiting: 10_000 });
  readonly #flights = new Map<string, Promise<Settled>>();

  constructor(options: FirstResolutionsOptions) {
    this.#options = options;
  }

  /** Comes back when everything that was begun has ended. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#flights.values());
  }

  /** Waits for the decision as long as somebody may; the work goes on. */
  async ask(job: Job, signal: AbortSignal): Promise<Settled> {
    const flight = this.#flight(job);
    if (flight === undefined) return { kind: 'fault', fault: goesOn(job) };
    const waited = Math.max(this.#options.now() - job.startedAt, 0);
    const left = new AbortController();
    const over = async (): Promise<undefined> => {
      await rest(Math.max(WAIT_FOR_MS - waited, 0), this.#options, AbortSignal.any([signal, left.signal]));
    };
    try {
      return (await Promise.race([flight, over()])) ?? { kind: 'fault', fault: goesOn(job) };
    } finally {
      left.abort();
    }
  }

  #flight(job: Job): Promise<Settled> | undefined {
    const key = `${job.key} ${job.wantsDigest}`;
    const known = this.#flights.get(key);
    if (known !== undefined) return known;
    const begun = this.#pool.run(job.project ?? '', () => this.#work(job));
    if (begun === undefined) return undefined;
    const flight = begun.finally(() => this.#flights.delete(key));
    // Who asked may be gone: a bug is then told where the work is done.
    flight.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }

  async #work(job: Job): Promise<Settled> {
    const { signal, work, ended } = this.#options;
    if (signal.aborted) return { kind: 'fault', fault: goesOn(job) };
    using deadline = startDeadline(WORK_FOR_MS, this.#options, signal);
    const settled = await work(job, deadline.signal);
    ended(job, settled);
    return settled;
  }
}

/** Equal for equal questions: it says nothing of how long it takes. */
function goesOn({ access: { endpoint, repository } }: Job): Fault {
  return {
    kind: 'outage',
    error: {
      code: 'REGISTRY_TIMEOUT',
      what: `${endpoint.host} has not answered yet for ${repository.name}; it is still being asked`,
      where: repository.name,
      fix: 'wait: the application is refreshed by itself when there is an answer',
    },
  };
}
