import { availableParallelism } from 'node:os';
import { UserError } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { Fault } from '../registry/sources.ts';
import { sleepForReal, type Sleep } from '../registry/time.ts';
import type { NamesWanted, SelectByName, SelectedByName } from '../resolve/job.ts';
import { selectByName } from '../strategy/by-name.ts';
import { FairQueue, type Waiting } from './fair-queue.ts';
import { notWaited, refused, tooLarge, tooMany, tooSlow } from './faults.ts';
import { FilterThread, type Outcome } from './filter-thread.ts';
import { Offenders } from './offenders.ts';

/** How long one policy may take for all tags of a repository, in milliseconds. */
const LIMIT_MS = 1_000;
/** A list of so many tags takes a few milliseconds, when no pattern is applied to it. */
const FEW_TAGS = 1_000;
/** Megabytes for one policy: to rank 100,000 prereleases takes 60. */
const HEAP_MB = 96;
/** Tags that may wait, all lists together: 250 MB or so. */
const MAX_WAITING = 4_000_000;
/** A short list waits at the cost of so many tags. */
const LEAST_WEIGHT = 1_000;

export interface FilterPoolOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: the machine's timers. */
  readonly sleep?: Sleep;
  /** Default: one per core, 2 at least and 4 at most. */
  readonly threads?: number;
  /** Megabytes of heap for each thread. */
  readonly heapMb?: number;
  /** Default: {@link MAX_WAITING}. */
  readonly maxWaiting?: number;
}

/** Evaluates users' patterns apart from everything else. */
export interface FilterPool {
  /** Never throws for what users wrote: that is a fault of kind `refused`. */
  readonly selectByName: SelectByName;
  /** Threads killed so far because a policy took too long or too much. */
  readonly killed: number;
  /** Kills what runs, and answers everybody. */
  close(): Promise<void>;
}

/** Threads for users' patterns; each is started when it is needed for the first time. */
export function createFilterPool(options: FilterPoolOptions): FilterPool {
  const pool = new Pool(options);
  return {
    selectByName: (wanted, tags, told, signal) => pool.select({ wanted, tags, told }, signal),
    get killed() {
      return pool.killed;
    },
    close: () => pool.close(),
  };
}

interface Question {
  readonly wanted: NamesWanted;
  readonly tags: readonly Tag[];
  readonly told: number;
}

interface Task extends Question {
  readonly answer: (answer: SelectedByName) => void;
  readonly fail: (bug: unknown) => void;
}

class Pool {
  killed = 0;
  readonly #sleep: Sleep;
  readonly #heapMb: number;
  readonly #size: number;
  readonly #offenders: Offenders;
  readonly #queue: FairQueue<Task>;
  readonly #idle: FilterThread[] = [];
  /** What each project has running. */
  readonly #running = new Map<string, number>();
  readonly #busy = new Map<FilterThread, Promise<void>>();
  #closed = false;

  constructor({ now, sleep = sleepForReal, threads, heapMb = HEAP_MB, maxWaiting = MAX_WAITING }: FilterPoolOptions) {
    this.#sleep = sleep;
    this.#heapMb = heapMb;
    this.#size = threads ?? Math.min(Math.max(availableParallelism(), 2), 4);
    this.#offenders = new Offenders(now);
    this.#queue = new FairQueue(maxWaiting);
  }

  async select(question: Question, signal: AbortSignal | undefined): Promise<SelectedByName> {
    const { wanted, tags, told } = question;
    if (wanted.selection.filters.length === 0 && tags.length <= FEW_TAGS) return selectHere(wanted, tags, told);
    const offence = this.#offenders.get(wanted, tags.length);
    if (offence !== undefined) return { kind: 'fault', fault: offence };
    if (this.#closed || signal?.aborted === true) return { kind: 'fault', fault: notWaited() };
    return this.#wait(question, signal);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (let task = this.#queue.take(anybody); task !== undefined; task = this.#queue.take(anybody)) {
      task.answer({ kind: 'fault', fault: notWaited() });
    }
    const busy = [...this.#busy];
    await Promise.all([...busy.map(([thread]) => thread), ...this.#idle.splice(0)].map((thread) => thread.end()));
    await Promise.all(busy.map(([, work]) => work));
  }

  async #wait(question: Question, signal: AbortSignal | undefined): Promise<SelectedByName> {
    const { promise, resolve: answer, reject: fail } = Promise.withResolvers<SelectedByName>();
    const waiting: Waiting<Task> = {
      item: { ...question, answer, fail },
      group: groupOf(question.wanted),
      weight: Math.max(question.tags.length, LEAST_WEIGHT),
    };
    // What runs already may go on: it is over in a second, and what comes of it is worth remembering.
    const leave = (): void => {
      this.#queue.remove(waiting);
      answer({ kind: 'fault', fault: notWaited() });
    };
    signal?.addEventListener('abort', leave, { once: true });
    for (const gone of this.#queue.add(waiting)) gone.answer({ kind: 'fault', fault: tooMany() });
    this.#dispatch();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #dispatch(): void {
    // One thread is always left for the others.
    const most = Math.max(1, this.#size - 1);
    while (this.#busy.size < this.#size) {
      const task = this.#queue.take((group) => (this.#running.get(group) ?? 0) < most);
      if (task === undefined) return;
      const thread = this.#idleThread() ?? new FilterThread(this.#heapMb);
      this.#busy.set(thread, this.#work(task, thread));
    }
  }

  #idleThread(): FilterThread | undefined {
    let thread = this.#idle.pop();
    while (thread?.ended === true) thread = this.#idle.pop();
    return thread;
  }

  async #work(task: Task, thread: FilterThread): Promise<void> {
    const group = groupOf(task.wanted);
    this.#running.set(group, (this.#running.get(group) ?? 0) + 1);
    try {
      const outcome = await this.#evaluate(task, thread);
      this.#settle(task, outcome);
      if (outcome.kind === 'late' || outcome.kind === 'gone') await thread.end();
      else if (!this.#closed) this.#idle.push(thread);
    } catch (bug) {
      task.fail(bug);
      await thread.end();
    } finally {
      const left = (this.#running.get(group) ?? 1) - 1;
      if (left === 0) this.#running.delete(group);
      else this.#running.set(group, left);
      this.#busy.delete(thread);
      this.#dispatch();
    }
  }

  async #evaluate({ wanted, tags, told }: Task, thread: FilterThread): Promise<Outcome> {
    const gone = await thread.ready();
    if (gone !== undefined) return gone;
    const request = { selection: wanted.selection, tags: tags.join('\n'), count: tags.length, told };
    return thread.run(request, LIMIT_MS, this.#sleep);
  }

  #settle({ wanted, tags, answer, fail }: Task, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'selected': {
        const { label, places, rejected, rejectedTotal } = outcome;
        this.#offenders.clear(wanted, tags.length);
        const kept = Array.from(places, (place) => tags[place]).filter((tag) => tag !== undefined);
        return answer({ kind: 'selected', label, tags: kept, rejected, rejectedTotal });
      }
      case 'invalid':
        return answer({ kind: 'fault', fault: refused(outcome.error) });
      case 'late':
        this.killed += 1;
        return answer(this.#offence(wanted, tags, tooSlow(tags.length, LIMIT_MS)));
      case 'too large':
        return answer(this.#offence(wanted, tags, tooLarge(tags.length)));
      case 'gone':
        if (this.#closed) return answer({ kind: 'fault', fault: notWaited() });
        if (!isOutOfMemory(outcome.error)) return fail(outcome.error ?? new Error('the thread for filters ended'));
        this.killed += 1;
        return answer(this.#offence(wanted, tags, tooLarge(tags.length)));
      case 'broken':
        return fail(new Error(`a bug in evaluating a policy: ${outcome.stack}`));
      default:
        return outcome satisfies never;
    }
  }

  #offence(wanted: NamesWanted, tags: readonly Tag[], fault: Fault): SelectedByName {
    this.#offenders.add(wanted, tags.length, fault);
    return { kind: 'fault', fault };
  }
}

/** So little that a thread would take longer. */
async function selectHere({ selection }: NamesWanted, tags: readonly Tag[], told: number): Promise<SelectedByName> {
  try {
    return { kind: 'selected', ...(await selectByName(selection, tags, told)) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: 'fault', fault: refused(error.toData()) };
  }
}

/** Projects take turns; who names none shares one turn with all who do not. */
function groupOf({ project }: NamesWanted): string {
  return project ?? '';
}

function anybody(): boolean {
  return true;
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
