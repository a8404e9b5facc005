import { modeFor } from '../operator/mode.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import { givenOf } from '../registrations/given.ts';
import { sleepForReal, type Sleep } from '../registry/time.ts';
import { choiceResolution } from '../resolve/choice.ts';
import { observed } from '../resolve/observed.ts';
import { isGiven } from '../resolve/preview.ts';
import type { Ask, GenerationReport, Resolution, ResolveQuery, Resolver } from '../resolve/resolver.ts';
import type { ReceivedAnswer, Store } from '../store/store.ts';
import { createControllerClient, type ControllerClient } from './controller-client.ts';
import { answerFault, ControllerFault } from './controller-fault.ts';
import { ShapeError } from './json-shape.ts';
import { isWorthWriting, keptFrom, type KeptResolution, readKept, servedAgain } from './kept-answer.ts';
import {
  MAX_ASKS,
  MAX_NOTICES,
  MAX_REQUEST_BYTES,
  MAX_UNHEARD,
  PATHS,
  type ReportAnswer,
  type ReportBody,
} from './protocol.ts';
import { questionOf } from './question.ts';
import { readResolutions } from './read-resolutions.ts';
import { type KeptGiven, unheardIn, unheardMessages } from './unheard.ts';

export interface RemoteResolverOptions {
  /** From the operator's configuration. */
  readonly controller: { readonly url: string; readonly caFile?: string };
  /** The bearer token ({@link file://./controller-client.ts}: `tokenFrom`). */
  readonly token: () => string;
  /** Opened at once, while the connection is made. */
  readonly store: () => Promise<Store>;
  /** For modes, while the controller is away. */
  readonly configuration: OperatorConfiguration;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Default: the machine's timers. */
  readonly sleep?: Sleep;
  readonly bounds?: Partial<Bounds>;
  /** What to do about a fault, for who asks. Default: what the fault says, which is for sidecars. */
  readonly cure?: (fault: ControllerFault) => string;
}

/** Times in milliseconds. */
export interface Bounds {
  /** For a query whose every answer is kept. */
  readonly knownMs: number;
  /** For one with something new in it, within the query's own budget: a first resolution waits up to 10 s in the controller. */
  readonly newMs: number;
  readonly reportMs: number;
  /** After a timeout, kept answers are served without asking for this long. */
  readonly pauseMs: number;
}

const BOUNDS: Bounds = { knownMs: 2_000, newMs: 12_000, reportMs: 1_000, pauseMs: 10_000 };

/** What the controller needs less time than we have for, so that its own answer "not in time" arrives, in milliseconds. */
const RESERVE_MS = 500;

/**
 * Answers asks by asking the controller, and by what it answered last when it is away. It never asks a registry: there is
 * one decision, and it is the controller's.
 */
export function createRemoteResolver(options: RemoteResolverOptions): Resolver {
  const { now, sleep = sleepForReal } = options;
  const client = createControllerClient({ ...options, time: { now, sleep } });
  const store = options.store();
  store.catch(() => undefined);
  return new RemoteResolver(options, client, store);
}

class RemoteResolver implements Resolver {
  readonly #options: RemoteResolverOptions;
  readonly #bounds: Bounds;
  readonly #client: ControllerClient;
  readonly #store: Promise<Store>;
  /** Generations that had something to ask. */
  readonly #asked = new Set<string>();
  /** What generations were given without the controller, by id. */
  readonly #unheard = new Map<string, KeptGiven[]>();
  /** It did not answer in time. */
  #isLeftAlone = false;

  constructor(options: RemoteResolverOptions, client: ControllerClient, store: Promise<Store>) {
    this.#options = options;
    this.#bounds = { ...BOUNDS, ...options.bounds };
    this.#client = client;
    this.#store = store;
  }

  async resolve(query: ResolveQuery, signal: AbortSignal): Promise<readonly Resolution[]> {
    const open = query.asks.filter(({ choice }) => choice.kind === 'select');
    if (open.length > 0 && query.generation !== undefined) this.#asked.add(query.generation.id);
    const answered = new Map(open.length === 0 ? [] : await this.#answer(query, open, signal));
    return query.asks.map((ask) => {
      if (ask.choice.kind !== 'select') return choiceResolution(ask, ask.choice);
      const resolution = answered.get(ask);
      if (resolution === undefined) throw new Error('an ask was not answered');
      return resolution;
    });
  }

  async report(report: GenerationReport, signal: AbortSignal): Promise<void> {
    const { id } = report.generation;
    const { outbox } = await this.#store;
    const asked = this.#asked.delete(id);
    const kept = this.#unheard.get(id) ?? [];
    this.#unheard.delete(id);
    // Only now that it is over it is sure that Argo CD gets it, and written before it is told: this process may be killed.
    if (kept.length > 0) await outbox.put(unheardMessages(report, partsOf(kept), this.#options.now()));
    // Who does not answer was waited for long enough.
    if (this.#isLeftAlone) return;
    const waiting = partsOf(await outbox.oldest(MAX_UNHEARD))[0] ?? [];
    // Its query has said all there is to say.
    if (asked && report.notices.length === 0 && waiting.length === 0) return;
    const body: ReportBody = {
      ...report,
      notices: report.notices.slice(0, MAX_NOTICES),
      asked,
      ...(waiting.length > 0 && { unheard: waiting.map((message) => unheardIn(message, this.#options.now())) }),
    };
    try {
      const answer = await this.#client.ask({ path: PATHS.report, body }, this.#bounds.reportMs, signal);
      if (waiting.length > 0) await outbox.remove(waiting.slice(0, takenIn(answer)));
    } catch (error) {
      if (!(error instanceof ControllerFault)) throw error;
      if (error.kind === 'timeout') await this.#pause();
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
    await (await this.#store.catch(() => undefined))?.close();
  }

  async #answer(
    query: ResolveQuery,
    asks: readonly Ask[],
    signal: AbortSignal,
  ): Promise<readonly (readonly [Ask, Resolution])[]> {
    const kept = await this.#kept(query, asks);
    const store = await this.#store;
    const allKept = asks.every((ask) => kept.has(ask));
    const pausedUntil = store.pauses.pausedUntil(this.#pauseKey());
    if (allKept && pausedUntil !== undefined) {
      const fault = answerFault('it did not answer in time a moment ago, and is left alone for some seconds');
      this.#isLeftAlone = true;
      return asks.map((ask) => [ask, this.#withoutController(query, ask, kept.get(ask), fault)]);
    }
    const boundMs = allKept ? this.#bounds.knownMs : Math.min(this.#bounds.newMs, query.budgetMs);
    const deadline = this.#options.now() + boundMs;
    const answered: (readonly [Ask, Resolution])[] = [];
    let fault: ControllerFault | undefined;
    for (const part of partsOf(asks)) {
      if (fault === undefined) {
        try {
          const leftMs = Math.max(0, Math.min(boundMs, deadline - this.#options.now()));
          const resolutions = await this.#ask({ ...query, asks: part }, kept, leftMs, signal);
          answered.push(...resolutions.map((resolution, index) => [at(part, index), resolution] as const));
          continue;
        } catch (error) {
          if (!(error instanceof ControllerFault)) throw error;
          fault = error;
        }
      }
      const missing = fault;
      answered.push(...part.map((ask) => [ask, this.#withoutController(query, ask, kept.get(ask), missing)] as const));
    }
    if (fault === undefined && pausedUntil !== undefined) store.pauses.pause(this.#pauseKey(), this.#options.now());
    if (fault?.kind === 'timeout') await this.#pause();
    return answered;
  }

  /** Asks, and keeps what is answered. */
  async #ask(
    query: ResolveQuery,
    kept: ReadonlyMap<Ask, Kept>,
    boundMs: number,
    signal: AbortSignal,
  ): Promise<readonly Resolution[]> {
    // Who has all answers waits for a short time only; the controller may still work on it for as long as was meant.
    const budgetMs = Math.max(0, Math.min(query.budgetMs, this.#bounds.newMs) - RESERVE_MS);
    const body = await this.#client.ask({ path: PATHS.resolve, body: { ...query, budgetMs } }, boundMs, signal);
    let resolutions: readonly Resolution[];
    try {
      resolutions = readResolutions(body, query.asks.length);
    } catch (error) {
      if (error instanceof ShapeError) throw answerFault(`its answer is not understood: ${error.message}`, error);
      throw error;
    }
    await this.#keep(query, kept, resolutions);
    return resolutions;
  }

  async #kept(query: ResolveQuery, asks: readonly Ask[]): Promise<ReadonlyMap<Ask, Kept>> {
    const { application, project } = query.who;
    const store = await this.#store;
    const questions = new Map(asks.map((ask) => [ask, questionOf(ask, project)]));
    const received = await store.received.get(application, [...questions.values()]);
    const kept = new Map<Ask, Kept>();
    for (const [ask, question] of questions) {
      const answer = received.get(question);
      const resolution = answer && readKept(answer);
      if (answer !== undefined && resolution !== undefined) kept.set(ask, { answer, resolution });
    }
    return kept;
  }

  async #keep(query: ResolveQuery, before: ReadonlyMap<Ask, Kept>, resolutions: readonly Resolution[]): Promise<void> {
    const { application, project } = query.who;
    // Without a name (a laptop) there is nobody to remember answers for.
    if (application === '' || !isGiven(query)) return;
    const store = await this.#store;
    const now = this.#options.now();
    const changed = new Map<string, ReceivedAnswer>();
    for (const [index, ask] of query.asks.entries()) {
      const kept = keptFrom(at(resolutions, index));
      const known = before.get(ask);
      if (kept === undefined || (known !== undefined && !isWorthWriting(kept, known, now))) continue;
      changed.set(questionOf(ask, project), { answer: JSON.stringify(kept), receivedAt: now });
    }
    if (changed.size > 0) await store.received.put(application, changed);
  }

  /**
   * Only here modes are the sidecar's business. What the controller answers is in the mode that it knows, and is taken down
   * there as given: the file of the sidecar may be older or newer by a minute, and must not make something else of it.
   */
  #withoutController(
    { who, generation }: ResolveQuery,
    ask: Ask,
    kept: Kept | undefined,
    fault: ControllerFault,
  ): Resolution {
    const found = this.#keptOrFailed(ask, kept, fault);
    const mode = modeFor(this.#options.configuration, { ...who, repository: ask.repository });
    const resolution = mode === 'observe' ? observed(found) : found;
    if (generation !== undefined) {
      const unheard = this.#unheard.get(generation.id) ?? [];
      unheard.push({ ask, given: givenOf(ask, resolution) });
      this.#unheard.set(generation.id, unheard);
    }
    return resolution;
  }

  #keptOrFailed(ask: Ask, kept: Kept | undefined, fault: ControllerFault): Resolution {
    const { url } = this.#client;
    const fix = this.#options.cure?.(fault) ?? fault.fix;
    if (kept !== undefined) {
      const why = fault.kind === 'misconfigured' ? `${fault.message} (${fix})` : fault.message;
      const { receivedAt } = kept.answer;
      return servedAgain(ask, kept.resolution, { receivedAt, now: this.#options.now(), url, why });
    }
    const what = `the controller at ${url} could not be asked about ${ask.repository.name}, and nothing is known of it yet: ${fault.message}`;
    const where = `${ask.where} (${ask.label})`;
    return {
      kind: 'failed',
      error: { code: 'CONTROLLER_UNREACHABLE', what, where, fix },
      why: what,
      notices: [],
    };
  }

  async #pause(): Promise<void> {
    this.#isLeftAlone = true;
    const store = await this.#store;
    store.pauses.pause(this.#pauseKey(), this.#options.now() + this.#bounds.pauseMs);
  }

  #pauseKey(): string {
    return `controller ${this.#client.url}`;
  }
}

interface Kept {
  readonly answer: ReceivedAnswer;
  readonly resolution: KeptResolution;
}

/** Characters of the items in one request; a character has at most three bytes, and most have one. */
const PART_CHARACTERS = Math.floor(MAX_REQUEST_BYTES / 3) - 16_384;

/** In parts that are requests which the controller takes. */
function partsOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  const isOne = items.length > 0 && items.length <= MAX_ASKS && JSON.stringify(items).length <= PART_CHARACTERS;
  if (isOne) return [items];
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    const characters = JSON.stringify(item).length;
    const last = parts.at(-1);
    if (last === undefined || last.length >= MAX_ASKS || characters > room) {
      parts.push([item]);
      room = PART_CHARACTERS - characters;
    } else {
      last.push(item);
      room -= characters;
    }
  }
  return parts;
}

/** How many of what was told the controller has taken note of; an older one does not know of it. */
function takenIn(answer: unknown): number {
  const { taken } = (answer ?? {}) as Partial<Record<keyof ReportAnswer, unknown>>;
  return typeof taken === 'number' ? taken : 0;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there are ${items.length} only`);
  return item;
}
