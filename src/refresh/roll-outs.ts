import type { Application, Applications } from '../applications/application.ts';
import type { EventRecorder, Kubernetes } from '../kubernetes/kubernetes.ts';
import { matchesAny } from '../operator/glob.ts';
import type { RefreshLimits } from '../operator/operator-configuration.ts';
import type { Sleep } from '../registry/time.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { getApplication, patchApplication, type Requested } from './application-request.ts';
import { fullSyncOf } from './full-sync.ts';
import { backOffMs } from './back-off.ts';
import type { KeptApplications } from './kept-application.ts';
import {
  blockedMessage,
  FULL_SYNC_FAILED,
  FULL_SYNC_NO_CONSENT,
  FULL_SYNC_PRUNES_ALL,
  FULL_SYNC_SELF_HEAL,
  FULL_SYNC_STARTED,
  type EventReason,
} from './messages.ts';
import type { MovedImage } from './moved-image.ts';
import { Pace } from './pace.ts';
import { afterSync, blockedNow, isOfBefore, isOver, prospectOf, type Blocked, type RollOut } from './roll-out.ts';
import { Waker } from './waker.ts';

/** How often it is asked whether a sync window opened. */
const WINDOW_MS = 30_000;
/** After somebody else was first: until then the watch has shown what they did. */
const OVERTAKEN = { firstMs: 2000, longestMs: 300_000 } as const;
const FORBIDDEN_MS = 300_000;
/** An operation that Argo CD did not begin in this time was taken away again. */
const BEGIN_MS = 600_000;

export interface RollOutParts {
  readonly applications: Pick<Applications, 'byInstanceName' | 'complete'>;
  readonly kubernetes: Pick<Kubernetes, 'get' | 'patch'>;
  readonly events: EventRecorder;
  readonly limits: () => RefreshLimits;
  /** Whether the sync windows of its AppProject let an automated sync begin now. */
  readonly syncWindowAllows: (application: Application) => 'allowed' | 'blocked';
  readonly now: () => number;
  readonly sleep: Sleep;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'fullSync'>;
}

/** What was confirmed for an application whose images moved. */
export interface ConfirmedMove {
  readonly images: readonly MovedImage[];
  /** Of before the refresh. */
  readonly lastSyncAt?: string;
  /** `sync: full` is set. */
  readonly wantsFull: boolean;
  /** What was rendered has hooks. */
  readonly hooks: boolean;
}

/** Follows images that moved until Argo CD rolled them out: tells what keeps it from that, and starts whole syncs. */
export class RollOuts {
  readonly #parts: RollOutParts;
  readonly #kept: KeptApplications;
  readonly #waker: Waker;
  readonly #pace: Pace;
  /** Who wants a whole sync, and when that is tried (again). */
  readonly #tries = new Map<string, number>();
  readonly #overtakenTimes = new Map<string, number>();

  constructor(parts: RollOutParts, kept: KeptApplications) {
    this.#parts = parts;
    this.#kept = kept;
    this.#waker = new Waker(parts.sleep);
    this.#pace = new Pace(parts.random);
  }

  /** A refresh brought other images. Kept together with what else is set in this turn. */
  confirmed(application: Application, move: ConfirmedMove): void {
    const { images, lastSyncAt } = move;
    this.#set(application.instanceName, {
      images,
      ...(lastSyncAt !== undefined && { lastSyncAt, seenSyncAt: lastSyncAt }),
      ...(move.hooks && { hooks: true as const }),
      full: move.wantsFull && this.#mayBeFull(application) ? 'wanted' : 'none',
      blocked: [],
    });
    this.look(application.instanceName);
  }

  /** The Application may have changed. */
  look(name: string): void {
    const rollOut = this.#kept.rollOut(name);
    if (rollOut === undefined) return;
    const application = this.#parts.applications.byInstanceName(name);
    if (application === undefined || application.deleting) {
      if (this.#parts.applications.complete) this.#forget(name);
      return;
    }
    const next = this.#reported(application, this.#followed(application, afterSync(rollOut, application)));
    if (isOver(next, application)) this.#forget(name);
    else if (next !== rollOut) this.#set(name, next);
  }

  /** Every Application is known: takes up what an earlier process kept. */
  resume(): void {
    for (const [name] of this.#kept.rollOuts()) this.look(name);
  }

  blocked(name: string): readonly Blocked[] {
    return this.#kept.rollOut(name)?.blocked ?? [];
  }

  /** How many applications each of them keeps back. Only those are looked at whose images moved and are not rolled out. */
  blockedCounts(): Readonly<Record<Blocked, number>> {
    const counts = { 'self-heal-off': 0, 'last-sync-failed': 0, hooks: 0 };
    for (const [, { blocked }] of this.#kept.rollOuts()) for (const one of blocked) counts[one] += 1;
    return counts;
  }

  /** A sentence when a whole sync waits. */
  why(name: string): string | undefined {
    const full = this.#kept.rollOut(name)?.full;
    if (full === 'held') return 'the whole sync waits for a sync window';
    return full === 'wanted' ? 'a whole sync is about to start' : undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const name = this.#next();
      if (name !== undefined) await this.#try(name, signal);
      else await this.#waker.rest(this.#restMs(), signal);
    }
  }

  #mayBeFull(application: Application): boolean {
    if (application.automated === undefined) return false;
    if (application.automated.selfHeal) this.#tell(application, 'Normal', 'FullSyncRefused', FULL_SYNC_SELF_HEAL);
    else if (this.#isConsented(application)) return true;
    else this.#tell(application, 'Warning', 'FullSyncRefused', FULL_SYNC_NO_CONSENT);
    return false;
  }

  #isConsented({ project }: Application): boolean {
    return matchesAny(this.#parts.limits().fullSyncProjects, project);
  }

  /** How far the whole sync is. */
  #followed(application: Application, rollOut: RollOut): RollOut {
    const name = application.instanceName;
    switch (rollOut.full) {
      case 'none':
      case 'failed':
        return rollOut;
      case 'wanted':
      case 'held': {
        const prospect = prospectOf(rollOut, application);
        // What is shown is of before, or about to change.
        if (prospect === 'unknown' || isOfBefore(rollOut, application)) return rollOut;
        const isBlocked = prospect === 'self-heal-off' || prospect === 'last-sync-failed';
        if (!isBlocked || !this.#isConsented(application)) return { ...rollOut, full: 'none' };
        if (!this.#tries.has(name)) this.#tryAt(name, 0);
        return rollOut;
      }
      case 'asking':
      case 'started':
        return this.#followedOperation(application, rollOut);
      default:
        return rollOut.full satisfies never;
    }
  }

  #followedOperation(application: Application, rollOut: RollOut): RollOut {
    const { lastSync, operating, instanceName } = application;
    if (operating) return rollOut.full === 'started' ? rollOut : { ...rollOut, full: 'started' };
    if (lastSync?.finishedAt !== rollOut.lastSyncAt) {
      if (lastSync?.phase === 'Succeeded') return { ...rollOut, full: 'none' };
      this.#failed(application);
      return { ...rollOut, full: 'failed' };
    }
    // The request is under way, or we were ended before it was sent.
    if (rollOut.full === 'asking') {
      if (!this.#tries.has(instanceName)) this.#tryAt(instanceName, 0);
      return rollOut;
    }
    const waited = this.#parts.now() - (rollOut.fullAt ?? 0);
    if (waited >= 0 && waited < BEGIN_MS) return rollOut;
    this.#failed(application);
    return { ...rollOut, full: 'failed' };
  }

  #failed(application: Application): void {
    this.#parts.metrics.fullSync('failed');
    this.#parts.log.error('full-sync-failed', { application: application.instanceName });
    this.#tell(application, 'Warning', 'RollOutBlocked', FULL_SYNC_FAILED);
  }

  #reported(application: Application, rollOut: RollOut): RollOut {
    const isUnderWay = rollOut.full !== 'none' && rollOut.full !== 'failed';
    if (isOfBefore(rollOut, application)) return rollOut;
    const blocked = isUnderWay ? [] : blockedNow(rollOut, application);
    for (const one of blocked) if (!rollOut.blocked.includes(one)) this.#report(application, one, rollOut);
    const isSame = blocked.length === rollOut.blocked.length && blocked.every((one) => rollOut.blocked.includes(one));
    return isSame ? rollOut : { ...rollOut, blocked };
  }

  #report(application: Application, blocked: Blocked, rollOut: RollOut): void {
    // That the whole sync failed was said.
    if (rollOut.full === 'failed' && blocked === 'last-sync-failed') return;
    this.#parts.log.warning('roll-out-blocked', { application: application.instanceName, reason: blocked });
    this.#tell(application, 'Warning', 'RollOutBlocked', blockedMessage(blocked));
  }

  #next(): string | undefined {
    const now = this.#parts.now();
    if (this.#pace.waitMs(now) > 0) return undefined;
    // A time that is too far away shows that the clock was set back.
    for (const [name, at] of this.#tries) if (at <= now || at > now + FORBIDDEN_MS) return name;
    return undefined;
  }

  #restMs(): number | undefined {
    if (this.#tries.size === 0) return undefined;
    const now = this.#parts.now();
    const next = Math.min(...this.#tries.values());
    return Math.max(this.#pace.waitMs(now), Math.min(next - now, FORBIDDEN_MS), 1);
  }

  async #try(name: string, signal: AbortSignal): Promise<void> {
    this.#tries.delete(name);
    const rollOut = this.#kept.rollOut(name);
    const application = this.#parts.applications.byInstanceName(name);
    if (rollOut === undefined || application === undefined || !this.#isStill(name)) return;
    try {
      const waitMs = this.#isHeld(name, application) ? WINDOW_MS : await this.#start(name, application, signal);
      if (waitMs !== undefined) this.#tryAt(name, waitMs);
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof Error ? error.message : 'unknown';
      this.#parts.log.error('full-sync-not-started', { application: name, problem });
      this.#tryAt(name, FORBIDDEN_MS);
    }
    this.look(name);
  }

  #isHeld(name: string, application: Application): boolean {
    if (this.#parts.syncWindowAllows(application) === 'allowed') return false;
    const rollOut = this.#kept.rollOut(name);
    if (rollOut !== undefined && rollOut.full !== 'held') {
      this.#parts.metrics.fullSync('held');
      this.#parts.log.info('full-sync-held', { application: name });
      this.#set(name, { ...rollOut, full: 'held' });
    }
    return true;
  }

  /** Whether a whole sync is wanted by the newest that was seen. */
  #isStill(name: string): boolean {
    const rollOut = this.#kept.rollOut(name);
    const application = this.#parts.applications.byInstanceName(name);
    if (rollOut === undefined || application === undefined || application.deleting || application.operating)
      return false;
    if (!this.#isConsented(application)) return false;
    const prospect = prospectOf(rollOut, application);
    const isBlocked = prospect === 'self-heal-off' || prospect === 'last-sync-failed';
    return isBlocked && (rollOut.full === 'wanted' || rollOut.full === 'held' || rollOut.full === 'asking');
  }

  /** @returns after how many milliseconds it is to be tried again; undefined: it was started or is not wanted any more. */
  async #start(name: string, application: Application, signal: AbortSignal): Promise<number | undefined> {
    this.#pace.began(this.#parts.now());
    const got = await getApplication(this.#parts.kubernetes, application, signal);
    if (got.kind !== 'done') return this.#unmet(name, got);
    const full = fullSyncOf(got.object, application);
    if (full.kind === 'otherwise') return this.#overtaken(name);
    const rollOut = this.#kept.rollOut(name);
    if (rollOut === undefined || !this.#isStill(name)) return undefined;
    if (full.kind === 'prunes-all') {
      this.#parts.log.warning('full-sync-refused', { application: name, why: FULL_SYNC_PRUNES_ALL });
      this.#tell(application, 'Warning', 'FullSyncRefused', FULL_SYNC_PRUNES_ALL);
      this.#set(name, { ...rollOut, full: 'none' });
      return undefined;
    }
    const finishedAt = application.lastSync?.finishedAt;
    this.#set(name, {
      ...rollOut,
      ...(finishedAt !== undefined && { lastSyncAt: finishedAt }),
      full: 'asking',
      fullAt: this.#parts.now(),
    });
    await this.#kept.flush();
    if (!this.#isStill(name)) return this.#overtaken(name);
    const patched = await patchApplication(this.#parts.kubernetes, application, full.patch, signal);
    if (patched.kind !== 'done') return this.#unmet(name, patched);
    this.#pace.answered();
    this.#overtakenTimes.delete(name);
    this.#parts.metrics.fullSync('started');
    this.#parts.log.info('full-sync-started', { application: name });
    this.#tell(application, 'Normal', 'FullSyncStarted', FULL_SYNC_STARTED);
    const asking = this.#kept.rollOut(name);
    if (asking?.full === 'asking') this.#set(name, { ...asking, full: 'started' });
    return undefined;
  }

  /** Longer each time: perhaps what is read will never be as it is watched. */
  #overtaken(name: string): number {
    const times = (this.#overtakenTimes.get(name) ?? 0) + 1;
    this.#overtakenTimes.set(name, times);
    return backOffMs(times, OVERTAKEN, this.#parts.random);
  }

  #unmet(name: string, answer: Exclude<Requested, { kind: 'done' }>): number | undefined {
    switch (answer.kind) {
      case 'gone':
        return undefined;
      case 'conflict': {
        // The operation that is seen, if any, is not ours.
        const rollOut = this.#kept.rollOut(name);
        if (rollOut?.full === 'asking' || rollOut?.full === 'started') this.#set(name, { ...rollOut, full: 'wanted' });
        return this.#overtaken(name);
      }
      case 'unavailable':
        this.#pace.failed(this.#parts.now());
        return this.#overtaken(name);
      case 'forbidden':
      case 'refused':
        this.#parts.log.error('full-sync-not-allowed', {
          application: name,
          problem: answer.kind === 'refused' ? answer.problem : 'RBAC: get and patch applications.argoproj.io',
        });
        return FORBIDDEN_MS;
      default:
        return answer satisfies never;
    }
  }

  #tryAt(name: string, inMs: number): void {
    this.#tries.set(name, this.#parts.now() + inMs);
    this.#waker.wake();
  }

  #set(name: string, rollOut: RollOut): void {
    this.#kept.setRollOut(name, rollOut);
  }

  #forget(name: string): void {
    this.#kept.setRollOut(name, undefined);
    this.#tries.delete(name);
    this.#overtakenTimes.delete(name);
  }

  #tell(application: Application, type: 'Normal' | 'Warning', reason: EventReason, message: string): void {
    this.#parts.events.record(application, { type, reason, message });
  }
}
