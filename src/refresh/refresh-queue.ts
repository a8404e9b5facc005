import type { Application, ApplicationChange, Applications } from '../applications/application.ts';
import type { EventRecorder, Kubernetes, KubernetesObject } from '../kubernetes/kubernetes.ts';
import type { RefreshLimits } from '../operator/operator-configuration.ts';
import type { Comparison, Outdated } from '../registrations/comparison.ts';
import type { Registrations } from '../registrations/registration.ts';
import type { Sleep } from '../registry/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Requested } from './application-request.ts';
import { backOffMs, RETRY } from './back-off.ts';
import { HardRefresh } from './hard-refresh.ts';
import type { KeptApplications } from './kept-application.ts';
import { movedMessage } from './messages.ts';
import { addMoves, sameMoves } from './moved-image.ts';
import { Pace } from './pace.ts';
import { numbersOf, type QueueNumbers } from './queue-numbers.ts';
import { queuePlaceOf } from './queue-place.ts';
import { QueueOrder } from './queue-order.ts';
import { moreUrgent } from './refresh-cause.ts';
import { newEntry, type AskedRefresh, type RefreshEntry } from './refresh-entry.ts';
import { refreshStateOf } from './refresh-state.ts';
import type { RefreshCause, RefreshState } from './refresher.ts';
import { inFlightByRepository, repositoriesOf } from './in-flight.ts';
import { progressOf } from './rendered.ts';
import type { RollOuts } from './roll-outs.ts';
import {
  afterCheck,
  afterMove,
  afterRendering,
  afterRequest,
  givenUp,
  hasRecovered,
  isRenderedOtherwise,
  MAX_ATTEMPTS,
  requestOf,
  resumed,
  takenBack,
  takenUp,
  nudged,
} from './transitions.ts';
import { isDue, isOverlooked, verdictOf } from './verdict.ts';
import { isUnasked, Unasked } from './unasked.ts';
import { nextTurn, Waker } from './waker.ts';

const CONFLICT = { firstMs: 1000, longestMs: 1000 } as const;
/** RBAC is repaired by people. */
const FORBIDDEN = { firstMs: 300_000, longestMs: 300_000 } as const;
/** Comparisons at the same time. They ask the store, no network: more at once would only keep everybody else waiting. */
const COMPARISONS = 2;
/** After a comparison that failed, which is a bug or a broken disk. */
const NOT_COMPARED = { firstMs: 30_000, longestMs: 30_000 } as const;
/** In this time the queries of a generation have come. */
const GENERATION_MS = 2000;
const INCOMPLETE_MS = 1000;
/** At the start so many are compared at once, and after this pause the next. */
const SWEEP = { size: 100, pauseMs: 200 } as const;

export interface RefreshQueueParts {
  readonly registrations: Pick<Registrations, 'of' | 'all' | 'onChange'>;
  readonly comparison: Pick<Comparison, 'outdated'>;
  /** Who tells of applications that were not rendered in time. Answers how to stop. */
  readonly onOverdue: Comparison['onOverdue'];
  readonly applications: Applications;
  readonly kubernetes: Pick<Kubernetes, 'patch'>;
  readonly events: EventRecorder;
  readonly limits: () => RefreshLimits;
  /** A person asked Argo CD for a hard refresh of this application. */
  readonly userRefresh: (application: string) => void;
  readonly now: () => number;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'refresh' | 'rolledOut'>;
}

/**
 * The queue of applications that may have to be refreshed. One loop; at most one thing is done for one application at a
 * time; what happens meanwhile makes it be looked at again. Everything it does is decided by the kept entry and by what is
 * seen now, so it may be ended at any moment and begun again.
 */
export class RefreshQueue {
  readonly #parts: RefreshQueueParts;
  readonly #kept: KeptApplications;
  readonly #rollOuts: RollOuts;
  readonly #order = new QueueOrder();
  readonly #pace: Pace;
  readonly #waker: Waker;
  /** To be compared, and the cause that an entry would get that is made of it. */
  readonly #unchecked = new Map<string, RefreshCause>();
  readonly #comparing = new Set<string>();
  readonly #hardRefresh: HardRefresh;
  readonly #tasks = new Set<Promise<void>>();
  readonly #unasked = new Unasked();
  #forbiddenSaidAt = -Infinity;
  #started = false;

  constructor(parts: RefreshQueueParts, kept: KeptApplications, rollOuts: RollOuts) {
    this.#parts = parts;
    this.#kept = kept;
    this.#rollOuts = rollOuts;
    this.#pace = new Pace(parts.random);
    this.#hardRefresh = new HardRefresh(parts.kubernetes);
    this.#waker = new Waker(parts.sleep);
  }

  check(applications: Iterable<string>, cause: RefreshCause, movedAt?: number): void {
    for (const name of applications) {
      const now = this.#parts.now();
      this.#keep(name, afterCheck(this.#kept.refresh(name) ?? newEntry(cause, now), cause, { movedAt, now }));
      this.#compareSoon(name, cause);
    }
  }

  stateOf(application: string): RefreshState {
    return refreshStateOf(this.#kept.refresh(application), this.#parts.applications.byInstanceName(application));
  }

  numbers(): QueueNumbers {
    return numbersOf(this.#kept.refreshes(), this.#parts.now());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { applications, onOverdue, registrations } = this.#parts;
    const stops = [
      applications.onChange((change) => this.#changed(change)),
      registrations.onChange((application) => this.#registered(application)),
      onOverdue((application) => this.#touch(application, 'cached-manifest')),
    ];
    try {
      while (!signal.aborted) {
        if (applications.complete) this.#begin(signal);
        await this.#waker.rest(applications.complete ? this.#restMs() : INCOMPLETE_MS, signal);
      }
    } finally {
      for (const stop of stops) stop();
      await Promise.all(this.#tasks);
      await this.#kept.flush();
    }
  }

  #begin(signal: AbortSignal): void {
    if (!this.#started) this.#start(signal);
    for (const name of this.#order.due(this.#parts.now())) {
      this.#nudge(name, signal);
      this.#touch(name, 'poll');
    }
    for (const [name, cause] of this.#unchecked) {
      if (this.#comparing.size >= COMPARISONS) break;
      if (this.#comparing.has(name)) continue;
      this.#unchecked.delete(name);
      this.#do(this.#compare(name, cause, signal));
    }
    this.#askNext(signal);
  }

  #do(work: Promise<void>): void {
    const task = work
      .catch((error: unknown) => this.#parts.log.error('refresh-bug', { problem: textOf(error) }))
      .finally(() => {
        this.#tasks.delete(task);
        this.#waker.wake();
      });
    this.#tasks.add(task);
  }

  #restMs(): number | undefined {
    const now = this.#parts.now();
    const next = this.#order.nextAt;
    const rests = [
      ...(next === undefined ? [] : [Math.max(next - now, 1)]),
      ...(this.#order.hasReady && this.#pace.waitMs(now) > 0 ? [this.#pace.waitMs(now)] : []),
    ];
    // A time that is too far away shows that the clock was set back: it is looked at again then.
    return rests.length === 0 ? undefined : Math.min(...rests, RETRY.longestMs);
  }

  /** Takes up what is kept, and compares everybody once, spread over time. */
  #start(signal: AbortSignal): void {
    this.#started = true;
    const oldestFirst = [...this.#kept.refreshes()].toSorted(([, one], [, other]) => one.since - other.since);
    for (const [name, entry] of oldestFirst) {
      this.#keep(name, resumed(entry, this.#parts.applications.byInstanceName(name), this.#parts.now()));
      this.#touch(name, entry.cause);
    }
    this.#rollOuts.resume();
    const names = [...new Set([...this.#parts.registrations.all()].map(({ application }) => application))];
    this.#do(this.#sweep(names, signal));
  }

  async #sweep(names: readonly string[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < names.length && !signal.aborted; from += SWEEP.size) {
      for (const name of names.slice(from, from + SWEEP.size)) this.#touch(name, 'start');
      await this.#parts.sleep(SWEEP.pauseMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
  }

  /** A generation for which nobody waits is compared when it is over: what it was given may have moved meanwhile. */
  #registered(name: string): void {
    for (const [unasked, entry] of this.#unasked.toTryAgain(this.#parts.now())) {
      this.#keep(unasked, takenUp(entry, this.#parts.now(), entry.attempts));
      this.#touch(unasked, 'unknown');
    }
    const entry = this.#kept.refresh(name);
    if (entry !== undefined) {
      const application = this.#parts.applications.byInstanceName(name);
      const answeredAt = Math.max(...this.#parts.registrations.of(name).map((one) => one.answeredAt));
      if (application !== undefined) this.#keep(name, afterRendering(entry, application, answeredAt));
      this.#touch(name, 'poll');
      return;
    }
    this.#order.place(name, { kind: 'resting', until: this.#parts.now() + GENERATION_MS });
    this.#waker.wake();
  }

  /** Something about it may have changed. */
  #touch(name: string, cause: RefreshCause): void {
    const entry = this.#kept.refresh(name);
    if (entry?.kind !== 'asked' || this.#mayBeOver(name, entry)) this.#compareSoon(name, cause);
  }

  #compareSoon(name: string, cause: RefreshCause): void {
    const known = this.#unchecked.get(name);
    this.#unchecked.set(name, known === undefined ? cause : moreUrgent(known, cause));
    this.#waker.wake();
  }

  /** While Argo CD is at work there is nothing to compare. */
  #mayBeOver(name: string, { asked: request }: RefreshEntry): boolean {
    const application = this.#parts.applications.byInstanceName(name);
    if (request === undefined || application === undefined || application.deleting) return true;
    if (isDue(request, this.#parts.now())) return true;
    const progress = progressOf(request, application, this.#parts.registrations.of(name));
    return progress === 'rendered' || progress === 'not-rendered';
  }

  async #compare(name: string, cause: RefreshCause, signal: AbortSignal): Promise<void> {
    this.#comparing.add(name);
    try {
      // A thousand applications of one image must not keep those waiting who are being rendered.
      await nextTurn();
      const outdated = await this.#parts.comparison.outdated(name);
      // What happened meanwhile may not be in it.
      if (!signal.aborted && !this.#unchecked.has(name)) this.#settle(name, cause, outdated);
    } catch (error) {
      this.#parts.log.error('comparison-failed', { application: name, problem: textOf(error) });
      const entry = this.#kept.refresh(name) ?? newEntry(cause, this.#parts.now());
      this.#later(name, { ...entry, kind: 'waiting', why: 'its images could not be compared' }, NOT_COMPARED);
    } finally {
      this.#comparing.delete(name);
    }
  }

  #settle(name: string, cause: RefreshCause, outdated: Outdated | undefined): void {
    const application = this.#parts.applications.byInstanceName(name);
    const entry = this.#kept.refresh(name);
    if (application === undefined || application.deleting) this.#drop(name);
    else if (entry !== undefined) this.#act(application, entry, outdated);
    else if (outdated !== undefined) {
      const known = outdated.kind === 'image' ? cause : outdated.kind;
      this.#act(application, newEntry(known, this.#parts.now()), outdated);
    }
  }

  #act(application: Application, before: RefreshEntry, outdated: Outdated | undefined): void {
    const name = application.instanceName;
    const now = this.#parts.now();
    const registrations = this.#parts.registrations.of(name);
    const images = outdated?.kind === 'image' ? addMoves(before.images, outdated.images) : before.images;
    // What moves while it is rendered is rendered with it.
    const entry = sameMoves(before.images, images) ? before : afterMove(before, images, now);
    const verdict = verdictOf(entry, { outdated, application, registrations, now });
    switch (verdict.kind) {
      case 'confirmed':
        this.#confirm(application, entry);
        return;
      case 'follow':
        this.#keep(name, { ...entry, kind: 'asked', asked: verdict.rendered });
        this.#touch(name, entry.cause);
        return;
      case 'unneeded':
        this.#drop(name);
        return;
      case 'wait':
        this.#keep(name, entry);
        return;
      case 'failed':
        this.#fail(application, entry, verdict.why);
        return;
      case 'given-up':
        this.#giveUp(application, entry, verdict.why);
        return;
      case 'ask': {
        const fresh = verdict.moved ? { attempts: 0, notBefore: 0 } : {};
        this.#keep(name, { ...entry, ...fresh, kind: 'waiting', again: false });
        return;
      }
      default:
        verdict satisfies never;
    }
  }

  #confirm(application: Application, entry: RefreshEntry): void {
    const { events, log, metrics, now, registrations } = this.#parts;
    const name = application.instanceName;
    metrics.refresh('confirmed');
    if (entry.movedAt !== undefined) metrics.rolledOut(Math.max(0, now() - entry.movedAt) / 1000);
    log.info('refresh-confirmed', {
      application: name,
      cause: entry.cause,
      attempts: entry.attempts,
      images: entry.images.length,
    });
    if (entry.images.length > 0) {
      events.record(application, { type: 'Normal', reason: 'ImageMoved', message: movedMessage(entry.images) });
      const lastSyncAt = entry.asked?.lastSyncAt;
      this.#rollOuts.confirmed(application, {
        images: entry.images,
        ...(lastSyncAt !== undefined && { lastSyncAt }),
        wantsFull: registrations.of(name).some(({ sync }) => sync === 'full'),
        hooks: registrations.of(name).some(({ hooks }) => hooks === true),
      });
    }
    this.#forget(name);
  }

  #drop(name: string): void {
    if (this.#kept.refresh(name) !== undefined) this.#parts.metrics.refresh('dropped');
    this.#forget(name);
  }

  #fail(application: Application, entry: RefreshEntry, why: string): void {
    if (entry.attempts >= MAX_ATTEMPTS) {
      this.#giveUp(application, entry, why);
      return;
    }
    const { log, metrics } = this.#parts;
    const name = application.instanceName;
    metrics.refresh('retried');
    log.warning('refresh-retried', { application: name, attempts: entry.attempts, why });
    this.#later(name, { ...entry, kind: 'waiting', why }, RETRY);
  }

  #giveUp(application: Application, entry: RefreshEntry, why: string): void {
    const { events, log, metrics } = this.#parts;
    const name = application.instanceName;
    metrics.refresh('failed');
    log.error('refresh-given-up', { application: name, attempts: entry.attempts, why });
    const times = entry.attempts === 1 ? 'a hard refresh' : `${entry.attempts} hard refreshes`;
    const message = `Given up after ${times}: ${why}`;
    events.record(application, { type: 'Warning', reason: 'RefreshFailed', message });
    this.#keep(name, givenUp(entry, why));
  }

  #later(name: string, entry: RefreshEntry, bounds: { readonly firstMs: number; readonly longestMs: number }): void {
    const wait = backOffMs(Math.max(1, entry.attempts), bounds, this.#parts.random);
    this.#keep(name, { ...entry, notBefore: this.#parts.now() + wait });
  }

  #keep(name: string, entry: RefreshEntry): void {
    if (this.#kept.refresh(name) !== entry) this.#kept.setRefresh(name, entry);
    this.#place(name, entry);
  }

  #place(name: string, entry: RefreshEntry): void {
    this.#unasked.note(name, entry);
    this.#order.place(name, queuePlaceOf(entry, this.#parts.now()));
  }

  #forget(name: string): void {
    this.#kept.setRefresh(name, undefined);
    this.#unasked.note(name, undefined);
    this.#order.place(name, undefined);
    this.#hardRefresh.forget(name);
  }

  /** Asks for as many as there is room for. */
  #askNext(signal: AbortSignal): void {
    if (!this.#order.hasReady) return;
    const { concurrency, perRepository } = this.#parts.limits();
    const inFlight = inFlightByRepository(this.#order.asked, this.#parts.applications);
    for (const name of this.#order.ready()) {
      if (this.#order.asked.size >= concurrency || this.#pace.waitMs(this.#parts.now()) > 0) return;
      if (this.#unchecked.has(name) || this.#comparing.has(name)) continue;
      const application = this.#parts.applications.byInstanceName(name);
      if (application === undefined || application.operating) continue;
      const repositories = repositoriesOf(application);
      if (repositories.some((repository) => (inFlight.get(repository) ?? 0) >= perRepository)) continue;
      for (const repository of repositories) inFlight.set(repository, (inFlight.get(repository) ?? 0) + 1);
      this.#pace.began(this.#parts.now());
      this.#do(this.#ask(application, signal));
    }
  }

  async #ask(application: Application, signal: AbortSignal): Promise<void> {
    const name = application.instanceName;
    const before = this.#kept.refresh(name);
    if (before === undefined) return;
    const request = requestOf(application, this.#parts.now());
    this.#keep(name, afterRequest(before, request));
    // Kept first: who starts after us knows that the annotation may be ours.
    await this.#kept.flush();
    const now = this.#parts.applications.byInstanceName(name);
    if (signal.aborted || this.#kept.refresh(name)?.asked !== request) return;
    if (now === undefined || now.deleting || now.operating) {
      this.#takeBack(name, request, before);
      return;
    }
    try {
      this.#asked(application, request, before, await this.#hardRefresh.ask(now, signal));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }

  /** Sets an annotation that stands and does nothing once more, under the same request. */
  #nudge(name: string, signal: AbortSignal): void {
    const entry = this.#kept.refresh(name);
    const application = this.#parts.applications.byInstanceName(name);
    const asked = entry?.kind === 'asked' ? entry.asked : undefined;
    if (entry === undefined || asked === undefined || application === undefined || application.deleting) return;
    const now = this.#parts.now();
    if (isDue(asked, now)) return;
    if (!isOverlooked(asked, application, this.#parts.registrations.of(name), now)) {
      this.#place(name, entry);
      return;
    }
    this.#keep(name, nudged(entry, asked, application));
    this.#parts.log.info('refresh-set-again', { application: name });
    this.#do(this.#setAgain(application, entry, asked, signal));
  }

  async #setAgain(
    application: Application,
    before: RefreshEntry,
    asked: AskedRefresh,
    signal: AbortSignal,
  ): Promise<void> {
    const name = application.instanceName;
    const isWanted = (): boolean => this.#kept.refresh(name)?.asked?.at === asked.at;
    try {
      const answer = await this.#hardRefresh.askAgain(application, isWanted, signal);
      if (answer?.kind === 'done') this.#arrived(name, asked, answer.object);
      // It may stand or not: it is asked for afresh, and this was no attempt.
      else if (answer !== undefined)
        this.#asked(application, asked, { ...before, attempts: Math.max(0, before.attempts - 1) }, answer);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #takeBack(
    name: string,
    request: AskedRefresh,
    before: RefreshEntry,
    later?: { readonly why: string; readonly inMs: number },
  ): void {
    const entry = this.#kept.refresh(name);
    if (entry?.asked?.at !== request.at) return;
    const wait = later === undefined ? { notBefore: 0 } : { why: later.why, notBefore: this.#parts.now() + later.inMs };
    this.#keep(name, takenBack(entry, before, wait));
    this.#touch(name, entry.cause);
  }

  #asked(application: Application, request: AskedRefresh, before: RefreshEntry, answer: Requested): void {
    const name = application.instanceName;
    const { log, metrics, random } = this.#parts;
    switch (answer.kind) {
      case 'done':
        this.#pace.answered();
        metrics.refresh('asked');
        log.info('refresh-asked', { application: name, cause: before.cause });
        this.#arrived(name, request, answer.object);
        return;
      case 'gone':
        this.#drop(name);
        return;
      case 'conflict':
        this.#takeBack(name, request, before, {
          why: 'somebody else changed the Application',
          inMs: backOffMs(1, CONFLICT, random),
        });
        return;
      case 'unavailable':
        this.#pace.failed(this.#parts.now());
        // It may have arrived, so it stays known; and it counts as no attempt of Argo CD.
        this.#retryUnanswered(name, request, before);
        return;
      case 'forbidden':
        this.#sayForbidden(application);
        this.#takeBack(name, request, before, {
          why: 'the controller may not patch Applications of this namespace',
          inMs: backOffMs(1, FORBIDDEN, random),
        });
        return;
      case 'refused':
        log.error('refresh-refused', { application: name, problem: answer.problem });
        this.#refused(application, request);
        return;
      default:
        answer satisfies never;
    }
  }

  /** The answer shows the Application of that moment, which may be newer than the one that was seen before. */
  #arrived(name: string, request: AskedRefresh, object: KubernetesObject): void {
    const entry = this.#kept.refresh(name);
    if (entry?.asked?.at !== request.at) return;
    const status = object['status'];
    const reconciledAt =
      typeof status === 'object' && status !== null && 'reconciledAt' in status ? status.reconciledAt : undefined;
    if (typeof reconciledAt === 'string') this.#keep(name, { ...entry, asked: { ...entry.asked, reconciledAt } });
    this.#touch(name, entry.cause);
  }

  #refused(application: Application, request: AskedRefresh): void {
    const entry = this.#kept.refresh(application.instanceName);
    if (entry?.asked?.at === request.at) this.#fail(application, entry, 'the Kubernetes API refused the request');
  }

  #retryUnanswered(name: string, request: AskedRefresh, before: RefreshEntry): void {
    const entry = this.#kept.refresh(name);
    if (entry?.asked?.at !== request.at) return;
    const why = 'the Kubernetes API does not answer';
    const wait = this.#pace.waitMs(this.#parts.now());
    const attempts = Math.min(entry.attempts, before.attempts);
    this.#keep(name, { ...entry, kind: 'waiting', attempts, why, notBefore: this.#parts.now() + wait });
  }

  #sayForbidden({ instanceName, namespace }: Application): void {
    const now = this.#parts.now();
    if (now - this.#forbiddenSaidAt < RETRY.longestMs) return;
    this.#forbiddenSaidAt = now;
    const fix = `grant the controller "patch" on applications.argoproj.io in namespace ${namespace}`;
    this.#parts.log.error('refresh-forbidden', { application: instanceName, fix });
  }

  #changed({ before, after }: ApplicationChange): void {
    const name = (after ?? before)?.instanceName;
    if (name === undefined) return;
    if (after !== undefined) this.#noteAnnotation(before, after);
    this.#rollOuts.look(name);
    const entry = this.#kept.refresh(name);
    const isChanged = after !== undefined && before !== undefined && isRenderedOtherwise(before, after);
    // A change brings a generation by itself, and if that did not get through to us another will not.
    if (entry?.kind === 'given-up' && !isUnasked(entry) && (isChanged || (after && hasRecovered(before, after)))) {
      this.#keep(name, takenUp(entry, this.#parts.now()));
    }
    const isNew = before === undefined && this.#started;
    if (entry !== undefined || isChanged || isNew) this.#touch(name, 'cached-manifest');
  }

  /** Tells a person's hard refresh from ours. */
  #noteAnnotation(before: Application | undefined, after: Application): void {
    const name = after.instanceName;
    const entry = this.#kept.refresh(name);
    const whose = this.#hardRefresh.seen(before, after, entry?.kind === 'asked');
    if (whose === 'of a person') this.#parts.userRefresh(name);
    // While it is set again, one that stood is the one before.
    const isNew = before?.refreshAsked !== 'hard' || (entry?.asked?.nudges ?? 0) === 0;
    if (whose === 'ours' && isNew && entry?.asked?.seen === false) {
      this.#keep(name, { ...entry, asked: { ...entry.asked, seen: true } });
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
