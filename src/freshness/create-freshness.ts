import type { Applications } from '../applications/application.ts';
import type { Access, CallerClaim } from '../registry/access.ts';
import type { Fault, RegistryClient } from '../registry/sources.ts';
import type { Sleep } from '../registry/time.ts';
import type { Registrations } from '../registrations/registration.ts';
import { rest } from '../resolve/deadline.ts';
import { pauseKeys, type Job, type Ports, type SelectByName, type Settle, type Settled } from '../resolve/job.ts';
import { listingKey } from '../resolve/keys.ts';
import { settle } from '../resolve/settle.ts';
import { settleKnown } from '../resolve/settle-known.ts';
import { troubleOf } from '../resolve/trouble.ts';
import { observedStore } from '../store/observed-store.ts';
import { type Soon, whenThere } from '../store/soon.ts';
import type { Store } from '../store/store.ts';
import type { Tag } from '../image/reference.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Announcements } from './announcements.ts';
import { countedClient } from './counted-client.ts';
import { FirstResolutions } from './first-resolutions.ts';
import type { Failure, Freshness, Hint, MoveCause, Moved, Standing } from './freshness.ts';
import { freshnessGauges, type FreshnessGauges } from './gauges.ts';
import { jobOf, Looker, PATIENCE_MS, readAt, type Looked } from './looker.ts';
import { Rests, type Rest } from './rests.ts';
import { Standings } from './standings.ts';
import { SteadyTime } from './steady-time.ts';
import { isShown, tagSeen } from './tag-seen.ts';
import { anyFailing, followedOf, isUsed, type Followed, type TagSeen, type Target } from './target.ts';
import { pausedFault, throttledFault } from './trouble.ts';
import { Turns } from './turns.ts';
import { WatchList, type Operator } from './watch-list.ts';

export interface FreshnessOptions {
  /** What decisions are kept in; best with a cache in front. */
  readonly store: Store;
  readonly registrations: Registrations;
  readonly applications: Applications;
  /** The operator's configuration in force. */
  readonly operator: () => Operator;
  readonly onOperatorChange: (listener: () => void) => () => void;
  /** Loads and makes the registry client; called when the first request is due, and once. */
  readonly registry: () => Promise<RegistryClient>;
  /** Where patterns are evaluated. */
  readonly selectByName: SelectByName;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** {@link Freshness}, with what it shows of itself. */
export interface ObservableFreshness extends Freshness {
  readonly gauges: FreshnessGauges;
  /** What was denied with these credentials (by `CredentialProvider.id`) is asked again soon, because they changed. */
  credentialsChanged(isChanged: (id: string) => boolean): void;
}

/** Looks at one target are at least this far apart, however many hints there are, in milliseconds. */
const HINTS_APART_MS = 1_000;
/** When a tag that a hint named and the first look did not show is looked for again, in milliseconds after that look. */
const LOOK_AGAIN_AFTER_MS: readonly number[] = [5_000, 30_000];
/** Tags of hints that are looked for at a time, for one target. */
const MAX_AWAITED = 20;
/** What is overdue after a start or a rest is looked at within this time, in milliseconds. */
const SPREAD_MS = 30_000;
/** What fails alone is looked at more and more seldom: after so many intervals, or so many milliseconds, at most. */
const ALONE_INTERVALS = 10;
const ALONE_MS: number = 30 * 60 * 1000;
/** A credential that could not be read is tried again so often at least, in milliseconds: that asks no registry. */
const UNREADABLE_MS = 60_000;
/** What failed by a credential is asked within this time after it changed, in milliseconds. */
const CHANGED_MS = 5_000;
/** Read the clock at least this often, in milliseconds. */
const LONGEST_WAIT_MS = 10_000;
/** Applications that are worked out anew at a time after the operator changed something. */
const READMIT_AT_ONCE = 100;
/** What waits for a rest is told to be stale when it was not read for so many intervals. */
const OVERDUE_INTERVALS = 2;
/** A listing that the poller is just about to renew is new enough for a first resolution. */
const LATE_LOOK = 1.2;

/** Keeps decisions fresh from what is registered. Nothing happens before `run`, but for what is asked through `settle`. */
export function createFreshness(options: FreshnessOptions): ObservableFreshness {
  return new PollingFreshness(options);
}

class PollingFreshness implements ObservableFreshness {
  readonly #options: FreshnessOptions;
  readonly #time: SteadyTime;
  readonly #ports: Readonly<Record<MoveCause, Ports>>;
  readonly #list: WatchList;
  readonly #rests = new Rests();
  readonly #first: FirstResolutions;
  readonly #turns = new Turns();
  readonly #announcements: Announcements;
  readonly #looker: Looker;
  readonly #standings: Standings;
  readonly #stop = new AbortController();
  /** Decisions that were not looked up yet. */
  #toLoad = new Set<Followed>();
  /** Applications to work out anew. */
  readonly #toReadmit = new Set<string>();
  #started = false;
  #isAwake = false;
  #wait: { readonly over: AbortController; readonly until: number } | undefined;

  readonly gauges: FreshnessGauges;

  readonly settle: Settle = (job, signal, who) =>
    whenThere(settleKnown(job, this.#ports.first), (known) =>
      known === undefined ? this.#settleFirst(job, signal, who) : this.#unlessOverdue(known, job),
    );

  constructor(options: FreshnessOptions) {
    this.#options = options;
    const { store, registrations, now, sleep, random, selectByName, metrics } = options;
    this.#time = new SteadyTime(now);
    const countOf = async (access: Access): Promise<number> =>
      (await store.listings.get(listingKey(access)))?.count ?? 0;
    let client: Promise<RegistryClient> | undefined;
    const registry = (): Promise<RegistryClient> =>
      (client ??= options.registry().then((one) => countedClient(one, metrics, countOf)));
    const portsFor = (cause: MoveCause): Ports => ({
      store: observedStore(store, (move) => this.#announcements.moved(move, cause)),
      now,
      sleep,
      random,
      selectByName,
      registry,
    });
    this.#ports = {
      poll: portsFor('poll'),
      webhook: portsFor('webhook'),
      user: portsFor('user'),
      first: portsFor('first'),
    };
    this.#list = new WatchList(options.operator, (followed) => this.#toLoad.add(followed));
    this.#announcements = new Announcements(options, this.#list);
    this.#looker = new Looker(options.applications, this.#announcements);
    this.#standings = new Standings({ list: this.#list, rests: this.#rests, turns: this.#turns, time: this.#time });
    this.gauges = freshnessGauges(this.#list, this.#rests, now, () => this.#time.now());
    this.#first = new FirstResolutions({
      now,
      sleep,
      signal: this.#stop.signal,
      work: (job, signal) => this.#resolveFirst(job, signal),
      ended: (job, settled) => this.#endedFirst(job, settled),
    });
    for (const application of new Set([...registrations.all()].map((one) => one.application))) {
      this.#list.put(application, registrations.of(application));
    }
    registrations.onChange((application) => this.#registered(application));
    options.onOperatorChange(() => {
      for (const { application } of registrations.all()) this.#toReadmit.add(application);
      this.#wake();
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => {
      this.#stop.abort(signal.reason);
      this.#wake();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      await this.#load();
      this.#readmit();
      this.#begin();
      await this.#waitForNext();
    }
    await this.#turns.ended();
    await this.#first.ended();
  }

  look(hint: Hint): number {
    const targets = this.#concernedBy(hint);
    const tag = hint.cause === 'webhook' ? hint.tag : undefined;
    for (const target of targets) this.#hint(target, hint.cause, tag);
    if (targets.length > 0) this.#wake();
    return new Set(targets.map(({ access }) => access.repository.name)).size;
  }

  credentialsChanged(isChanged: (id: string) => boolean): void {
    const now = this.#time.now();
    for (const target of this.#list.targets()) {
      if (target.looking || target.failing?.fault.kind !== 'denied' || !isChanged(target.access.credential.id))
        continue;
      this.#turns.regular.set(target, now + CHANGED_MS * this.#options.random());
    }
    this.#wake();
  }

  standings(application: string): ReadonlyMap<string, Standing> {
    return this.#standings.of(application);
  }

  failures(application: string): ReadonlyMap<string, Failure> {
    return this.#standings.failures(application);
  }

  onMoved(listener: (moved: Moved) => void): () => void {
    return this.#announcements.onMoved(listener);
  }

  onRecovered(listener: (applications: readonly string[]) => void): () => void {
    return this.#announcements.onRecovered(listener);
  }

  // What is asked by requests

  async #settleFirst(job: Job, signal: AbortSignal, who: CallerClaim): Promise<Settled> {
    const running = await this.#looker.running(job, [who.application], this.#ports.first);
    const settled = this.#isThrottled(job)
      ? ({ kind: 'fault', fault: throttledFault(job.access) } as const)
      : await this.#first.ask({ ...job, ...(running === undefined ? {} : { floor: running }) }, signal);
    // Everybody gets back what it runs itself: what another application runs proves nothing.
    if (settled.kind !== 'fault' || settled.previous !== undefined || running === undefined) return settled;
    job.steps?.push(`${running.tag} runs already, and nothing better is known`);
    return { ...settled, previous: running };
  }

  /** Most of those who wait for a rest were not asked for themselves, so no fault of theirs is kept. */
  #unlessOverdue(known: Settled, job: Job): Soon<Settled> {
    const target = this.#list.decision(job.key)?.target;
    const held = target === undefined ? undefined : this.#rests.holding(target);
    if (known.kind !== 'decided' || target === undefined || held === undefined) return known;
    return whenThere(readAt(job, this.#options.store), (at): Settled => {
      if (this.#options.now() - at <= OVERDUE_INTERVALS * target.intervalMs) return known;
      return { kind: 'fault', fault: pausedFault(job.access, held.kind), previous: known.decision };
    });
  }

  #isThrottled({ access }: Job): boolean {
    const now = this.#time.now();
    return this.#rests.of(access).some(({ kind, until }) => kind === 'throttled' && until > now);
  }

  async #resolveFirst(job: Job, signal: AbortSignal): Promise<Settled> {
    const startedAt = this.#time.now();
    const begunAt = this.#options.now();
    const patient = { ...job, intervalMs: job.intervalMs * LATE_LOOK, patienceMs: PATIENCE_MS };
    const settled = await settle(patient, this.#ports.first, signal);
    if (settled.kind !== 'fault' && (await readAt(job, this.#options.store)) >= begunAt)
      this.#succeeded(job.access, startedAt);
    return settled;
  }

  #endedFirst({ key }: Job, settled: Settled): void {
    const moved = this.#announcements.hasMoved(key);
    const followed = this.#list.decision(key);
    if (followed === undefined || settled.kind !== 'decided' || moved) return;
    this.#announcements.settled(followed);
  }

  // What is registered

  #registered(application: string): void {
    const registrations = this.#options.registrations.of(application);
    const isChanged = this.#list.put(application, registrations);
    if (this.#toLoad.size > 0) this.#wake();
    if (isChanged) for (const { followed } of this.#list.usesOf(application)) this.#bringForward(followed.target);
    const failed = registrations.some(({ answers }) => answers.some(({ given }) => given.kind === 'error'));
    if (!failed) return;
    this.#recoverLate(application).catch((error: unknown) => {
      this.#options.log.error('look-broke', { error: String(error) });
    });
  }

  /** Somebody may want it more often than before. */
  #bringForward(target: Target): void {
    const now = this.#time.now();
    const at = this.#turns.regular.at(target);
    if (at === undefined || target.failures > 0 || at <= now + target.intervalMs * 1.1) return;
    this.#turns.regular.set(target, now + target.intervalMs * this.#options.random());
    this.#wake();
  }

  /** A decision that was made after an answer was given, and before that was registered, was told to nobody. */
  async #recoverLate(application: string): Promise<void> {
    const failed = this.#announcements.failedAsks(application);
    for (const { ask, followed, wantsDigest } of this.#list.usesOf(application)) {
      if (!failed.has(ask)) continue;
      const job = { ...jobOf(followed, this.#options.now()), wantsDigest };
      if ((await settleKnown(job, this.#ports.first))?.kind !== 'decided') continue;
      this.#announcements.recovered([application]);
      return;
    }
  }

  #readmit(): void {
    let left = READMIT_AT_ONCE;
    for (const application of this.#toReadmit) {
      if (left-- === 0) return;
      this.#toReadmit.delete(application);
      this.#list.put(application, this.#options.registrations.of(application), { anew: true });
      for (const { followed } of this.#list.usesOf(application)) this.#bringForward(followed.target);
    }
  }

  /** Finds out how what is new in the list stands, and when it is looked at. */
  async #load(): Promise<void> {
    const isStart = !this.#started;
    this.#started = true;
    const added = this.#toLoad;
    this.#toLoad = new Set();
    for (const followed of added) {
      const { target } = followed;
      followed.decided ||= (await this.#options.store.decisions.get(followed.key)) !== undefined;
      if (!target.looking && !this.#isPlanned(target)) await this.#planFirst(target, isStart);
    }
  }

  #isPlanned(target: Target): boolean {
    return this.#turns.regular.at(target) !== undefined || this.#rests.holding(target) !== undefined;
  }

  /** After a start everything goes on as it was; what is new is spread over its interval. */
  async #planFirst(target: Target, isStart: boolean): Promise<void> {
    const { store, now, random } = this.#options;
    const { intervalMs } = target;
    const seenAt = await readAt({ listing: target.listing, ...followedOf(target) }, store);
    const fault = await store.faults.get(target.id);
    if (fault !== undefined) target.failing = { since: fault.at, fault: fault.fault };
    if (seenAt > 0) target.lastCompleteAt = seenAt;
    const age = now() - seenAt;
    const isFresh = age >= 0 && age < intervalMs;
    const asBefore = intervalMs * (0.9 + 0.2 * random()) - age;
    const soon = random() * (isStart ? Math.min(intervalMs, SPREAD_MS) : intervalMs);
    const inMs = isFresh && isStart ? Math.max(asBefore, 0) : Math.min(soon, isFresh ? intervalMs * 1.1 - age : soon);
    this.#turns.regular.set(target, this.#time.now() + inMs);
  }

  // When to look

  #concernedBy(hint: Hint): readonly Target[] {
    switch (hint.cause) {
      case 'webhook':
        return [...this.#list.ofRepository(hint.repository.name)].filter(
          (target) => (target.tag === undefined || hint.tag === undefined || target.tag === hint.tag) && isUsed(target),
        );
      case 'user':
        return [...new Set(this.#list.usesOf(hint.application).map(({ followed }) => followed.target))];
      default:
        return hint satisfies never;
    }
  }

  #hint(target: Target, cause: Hint['cause'], tag: Tag | undefined): void {
    target.hint ??= { cause, tags: new Set() };
    if (cause === 'webhook') target.hint.cause = cause;
    if (tag !== undefined && target.hint.tags.size < MAX_AWAITED) target.hint.tags.add(tag);
    if (!target.looking) this.#planSoon(target);
  }

  /** Plans what hints want: what just came, and what was not seen yet. */
  #planSoon(target: Target): void {
    const now = this.#time.now();
    const due = [...target.awaited.values()].map(({ due: [first] }) => first ?? Infinity);
    if (target.hint !== undefined) due.push(now);
    const at = Math.max(Math.min(...due), (target.startedAt ?? -Infinity) + HINTS_APART_MS);
    if (at !== Infinity) this.#turns.soon.set(target, Math.max(at, now));
  }

  #begin(): void {
    const now = this.#time.now();
    for (const probed of this.#rests.all()) {
      if (probed.probe !== undefined || probed.until > now) continue;
      const target = probeOf(probed);
      if (target === undefined) continue;
      probed.parked.delete(target);
      this.#beginOne(target, now);
    }
    for (let target = this.#turns.take(now); target !== undefined; target = this.#turns.take(now)) {
      this.#beginOne(target, now);
    }
  }

  #beginOne(target: Target, now: number): void {
    if (target.looking) return;
    this.#turns.delete(target);
    if (this.#list.dropUnused(target)) return;
    const rests = this.#rests.of(target.access);
    const resting = rests.find(({ until, probe }) => until > now || probe !== undefined) ?? this.#pausedBefore(target);
    if (resting !== undefined) {
      resting.parked.add(target);
      return;
    }
    for (const one of rests) {
      one.probe = target;
      one.parked.delete(target);
    }
    target.looking = true;
    target.startedAt = now;
    this.#turns.begin(target, this.#lookAt(target, now), () => this.#wakeForNext());
  }

  /** A pause in the store that no rest of ours knows: from before a restart. It is waited for once, here. */
  #pausedBefore(target: Target): Rest | undefined {
    const { store, now } = this.#options;
    const { host, credential } = pauseKeys(target.access);
    for (const [key, kind] of [
      [host, 'outage'],
      [credential, 'throttled'],
    ] as const) {
      const leftMs = (store.pauses.pausedUntil(key) ?? 0) - now();
      if (leftMs > 0) return this.#rest(target, pausedFault(target.access, kind, leftMs), kind, this.#time.now());
    }
    return undefined;
  }

  async #waitForNext(): Promise<void> {
    if (this.#isAwake || this.#toLoad.size > 0) {
      this.#isAwake = false;
      return;
    }
    const now = this.#time.now();
    const ms = this.#toReadmit.size > 0 ? 1 : Math.min(Math.max(this.#nextAt() - now, 0), LONGEST_WAIT_MS);
    this.#wait = { over: new AbortController(), until: now + ms };
    await rest(Math.ceil(ms), this.#options, this.#wait.over.signal);
    this.#wait = undefined;
    this.#isAwake = false;
  }

  #nextAt(): number {
    return Math.min(this.#turns.next, this.#rests.next ?? Infinity);
  }

  /** A look has ended: nearly always nothing is due earlier for that. */
  #wakeForNext(): void {
    if (this.#wait === undefined || this.#nextAt() < this.#wait.until) this.#wake();
  }

  #wake(): void {
    this.#isAwake = true;
    this.#wait?.over.abort('awake');
  }

  // One look

  async #lookAt(target: Target, startedAt: number): Promise<void> {
    const { hint } = target;
    delete target.hint;
    const cause = hint?.cause ?? (target.awaited.size > 0 ? 'webhook' : 'poll');
    const wasFailing = anyFailing(target) !== undefined;
    try {
      const before = await this.#noteBefore(target, hint?.tags ?? new Set());
      const pushed = new Set([...target.awaited.keys(), ...before.keys()]);
      const looked = await this.#looker.look(target, pushed, this.#ports[cause], this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#judge(target, looked, startedAt);
      this.#tell(target, wasFailing, looked);
      await this.#updateAwaited(target, before, { startedAt, complete: looked.complete });
    } catch (error) {
      // A bug, of which the others must not suffer; told once, because it would be told every interval.
      if (target.failures === 0) this.#options.log.error('look-broke', { error: String(error) });
      target.failures += 1;
      this.#planAlone(target, startedAt, 0);
    } finally {
      for (const one of this.#rests.all()) if (one.probe === target) one.probe = undefined;
      target.looking = false;
      this.#planSoon(target);
    }
  }

  async #noteBefore(target: Target, tags: ReadonlySet<Tag>): Promise<ReadonlyMap<Tag, TagSeen>> {
    const before = new Map<Tag, TagSeen>();
    for (const tag of tags) before.set(tag, await tagSeen(target, tag, this.#options.store));
    return before;
  }

  /** What a look says of the target and its registry, and when the next one is. */
  #judge(target: Target, { fault, complete }: Looked, startedAt: number): void {
    const { now, random, log } = this.#options;
    if (complete) target.lastCompleteAt = now();
    if (fault === undefined) {
      if (complete) this.#succeeded(target.access, startedAt);
      target.failures = 0;
      this.#turns.regular.set(target, startedAt + target.intervalMs * (0.9 + 0.2 * random()));
      delete target.failing;
      delete target.faultAt;
      return;
    }
    const trouble = troubleOf(fault, complete);
    const isOwn = trouble === undefined || this.#rests.isOwnFault(target, trouble);
    if (target.failing === undefined && isOwn) log.warning('look-failed', { ...shown(target), code: fault.error.code });
    target.failing = { since: target.failing?.since ?? now(), fault };
    target.faultAt = this.#time.now();
    if (fault.error.code === 'CREDENTIAL_UNREADABLE') {
      // Nothing was sent, so it says nothing of the registry.
      this.#planUnreadable(target, startedAt);
      return;
    }
    target.failures += 1;
    // Whoever denies something is there.
    if (fault.kind === 'denied' || fault.kind === 'missing') this.#succeeded(target.access, startedAt);
    if (isOwn) this.#planAlone(target, startedAt, fault.retryAfterMs ?? 0);
    else this.#rest(target, fault, trouble, startedAt);
  }

  /** Says once that decisions fail although the target was read, and when nothing fails any more. */
  #tell(target: Target, wasFailing: boolean, { fault }: Looked): void {
    if (fault !== undefined) return;
    const failing = anyFailing(target);
    if (wasFailing && failing === undefined) this.#options.log.info('look-recovered', shown(target));
    if (wasFailing || failing === undefined) return;
    this.#options.log.warning('look-failed', { ...shown(target), code: failing.fault.error.code });
  }

  /** A program is run no more often than anybody asked for; the rest is a look into memory or a file. */
  #planUnreadable(target: Target, startedAt: number): void {
    const { intervalMs, access } = target;
    const isProgram = /^(?:ext|helper):/.test(access.credential.id);
    const ms = isProgram ? intervalMs : Math.min(intervalMs, UNREADABLE_MS);
    this.#turns.regular.set(target, startedAt + ms * (0.9 + 0.1 * this.#options.random()));
  }

  /** What fails alone is asked more seldom, and nothing else is. */
  #planAlone(target: Target, startedAt: number, retryAfterMs: number): void {
    const { intervalMs, failures } = target;
    const longest = Math.max(intervalMs, Math.min(intervalMs * ALONE_INTERVALS, ALONE_MS));
    const ms = Math.max(Math.min(intervalMs * 2 ** failures, longest), retryAfterMs);
    this.#turns.regular.set(target, startedAt + ms * (0.9 + 0.1 * this.#options.random()));
  }

  #rest(target: Target, fault: Fault, kind: Rest['kind'], startedAt: number): Rest {
    const { log, random, now: wall } = this.#options;
    const now = this.#time.now();
    const options = { kind, startedAt, now, wallNow: wall(), random: random(), escalates: fault.resting !== true };
    const { rest: begun, isNew } = this.#rests.failed(target, fault, options);
    if (isNew) {
      const seconds = Math.round((begun.until - now) / 1000);
      log.warning('registry-rests', { host: begun.host, kind, code: fault.error.code, seconds });
    }
    return begun;
  }

  #succeeded(access: Target['access'], startedAt: number): void {
    const now = this.#time.now();
    for (const over of this.#rests.succeeded(access, startedAt, now)) {
      this.#options.log.info('registry-is-back', { host: over.host, kind: over.kind });
      for (const target of over.parked) {
        if (target.looking) continue;
        const ms = this.#options.random() * Math.min(target.intervalMs, SPREAD_MS);
        this.#turns.regular.set(target, now + ms);
      }
      this.#wake();
    }
  }

  /** Looks again for what a hint said and this look did not show. */
  async #updateAwaited(
    target: Target,
    before: ReadonlyMap<Tag, TagSeen>,
    { startedAt, complete }: { readonly startedAt: number; readonly complete: boolean },
  ): Promise<void> {
    const { store } = this.#options;
    const now = this.#time.now();
    for (const [tag, seen] of before) {
      if (target.awaited.has(tag) || target.awaited.size >= MAX_AWAITED) continue;
      target.awaited.set(tag, { before: seen, due: LOOK_AGAIN_AFTER_MS.map((ms) => now + ms) });
    }
    for (const [tag, awaited] of target.awaited) {
      while (awaited.due[0] !== undefined && awaited.due[0] <= startedAt) awaited.due.shift();
      // A look that failed showed nothing, so the next one that does not is the last.
      const isOver = complete && awaited.due.length === 0;
      if (isOver || (await isShown(target, tag, awaited.before, store))) target.awaited.delete(tag);
    }
  }
}

/** Who finds out whether a rest is over: one that did not fail itself, because who did may be the trouble. */
function probeOf({ parked }: Rest): Target | undefined {
  for (const target of parked) if (target.faultAt === undefined) return target;
  const [first] = parked;
  return first;
}

function shown({ access, tag }: Target): { readonly repository: string; readonly tag?: string } {
  return { repository: access.repository.name, ...(tag === undefined ? {} : { tag }) };
}
