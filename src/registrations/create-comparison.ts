import type { Application, ApplicationChange, Applications } from '../applications/application.ts';
import type { ErrorCode } from '../error/codes.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { Fault, RegistryClient } from '../registry/sources.ts';
import type { Sleep } from '../registry/time.ts';
import { admit } from '../resolve/admit.ts';
import type { Job, Ports, SelectByName, Settled } from '../resolve/job.ts';
import { policyInWords } from '../resolve/policy-in-words.ts';
import { answerQuery } from '../resolve/query.ts';
import type { ResolveQuery } from '../resolve/resolver.ts';
import { settleKnown } from '../resolve/settle-known.ts';
import type { Store } from '../store/store.ts';
import type { Comparison, Outdated } from './comparison.ts';
import { givenOf, givenText, sameGiven } from './given.ts';
import { Overdue } from './overdue.ts';
import type { Registration, Registrations } from './registration.ts';
import { namesThisPlugin, otherRevision, placeAmong, sameSource } from './sources.ts';

export interface ComparisonOptions {
  readonly registrations: Registrations;
  readonly applications: Applications;
  readonly store: Store;
  /** The operator's configuration in force. */
  readonly operator: () => { readonly configuration: OperatorConfiguration; readonly broker: AccessBroker };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
  /** Where patterns are evaluated. */
  readonly selectByName: SelectByName;
}

/** How long a generation may take to follow a change of its Application, in milliseconds. */
const FOLLOWS_WITHIN_MS = 15_000;
/** How long after a generation asked Argo CD may take to show what came of it, in milliseconds. It gives a rendering 60 s. */
const SHOWN_WITHIN_MS = 90_000;
/** How much earlier than we see a change its generation may have come, in milliseconds. */
const AHEAD_MS = 2_000;
/** How long an application that names the plugin may take to ask for something, in milliseconds. */
const KNOWN_WITHIN_MS = 30_000;

interface Seen {
  /** When its revisions or spec changed last as far as we saw. */
  readonly changedAt: number;
  /** When it began to name the plugin without a registration, or its sources changed. */
  readonly namedAt: number;
}

/** Compares from the store and from memory alone. */
export function createComparison(options: ComparisonOptions): Comparison {
  return new KnownComparison(options);
}

class KnownComparison implements Comparison {
  readonly #options: ComparisonOptions;
  readonly #ports: Ports;
  readonly #overdue: Overdue;
  readonly #listeners = new Set<(application: string) => void>();
  /** By instance name; who is not in it has not changed since the watch was complete. */
  readonly #seen = new Map<string, Seen>();
  /** When Applications were seen to begin to report that a sidecar did not reach a controller, by instance name. */
  readonly #unreachedAt = new Map<string, number>();
  /** When Applications were seen to be reconciled, by instance name. */
  readonly #reconciledAt = new Map<string, number>();
  #completeAt: number | undefined;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    const { store, now, sleep, selectByName, applications } = options;
    this.#ports = { store, now, sleep, selectByName, random: () => 0, registry: async () => NO_REGISTRY };
    this.#overdue = new Overdue({ now, sleep });
    applications.onChange((change) => this.#note(change));
    options.registrations.onChange((name) => this.#noteRegistered(name));
  }

  onOverdue(listener: (application: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#overdue.run(
      signal,
      () => this.#noteComplete(),
      (application) => {
        if (!this.#mayBeOverdue(application)) return;
        for (const listener of this.#listeners) listener(application);
      },
    );
  }

  async outdated(name: string): Promise<Outdated | undefined> {
    const { applications, registrations } = this.#options;
    const application = applications.byInstanceName(name);
    if (application?.refreshable !== true) return undefined;
    const registered = registrations.of(name);
    const found = [];
    for (const registration of registered) {
      const outdated = await this.outdatedImages(registration);
      if (outdated !== undefined) found.push(...outdated.images);
    }
    if (found.length > 0) return { kind: 'image', images: found };
    let cached = false;
    for (const registration of registered) {
      if (await this.#isFromCache(application, registration)) cached = true;
    }
    if (cached) return { kind: 'cached-manifest' };
    return this.#isOver(this.#unknownSince(application, registered), KNOWN_WITHIN_MS) ? { kind: 'unknown' } : undefined;
  }

  async outdatedImages(registration: Registration): Promise<Extract<Outdated, { kind: 'image' }> | undefined> {
    const { application, project, answers, source, parametersFingerprint } = registration;
    const who = { application, ...(project === undefined ? {} : { project }) };
    const operator = this.#options.operator();
    const undecided = new Set<string>();
    const settle = async (job: Job): Promise<Settled> => {
      const known = await settleKnown(job, this.#ports);
      if (known === undefined) undecided.add(job.key);
      return known ?? { kind: 'fault', fault: NOT_ASKED };
    };
    const query: ResolveQuery = { v: 1, who, budgetMs: 0, asks: answers.map(({ ask }) => ask) };
    const place = placeAmong(this.#options.applications.byInstanceName(application), source, parametersFingerprint);
    const answering = { operator, ports: this.#ports, settle, record: false, place };
    const resolutions = await answerQuery(query, answering, new AbortController().signal);
    const images = answers.flatMap(({ ask, given }, index) => {
      const resolution = resolutions[index];
      if (resolution === undefined) return [];
      const now = givenOf(ask, resolution);
      if (now.kind !== 'image' || sameGiven(given, now)) return [];
      if (resolution.kind === 'stale' && undecided.size > 0) {
        // Nothing is decided: that an older answer could be given again is no image.
        const admission = admit(ask, who, operator);
        if (admission.kind === 'admitted' && undecided.has(admission.admitted.key)) return [];
      }
      return [{ label: ask.label, from: givenText(given), to: givenText(now), policy: policyInWords(ask) }];
    });
    return images.length === 0 ? undefined : { kind: 'image', images };
  }

  #note({ before, after }: ApplicationChange): void {
    const name = after?.instanceName ?? before?.instanceName;
    if (name === undefined) return;
    if (after === undefined) {
      this.#seen.delete(name);
      this.#reconciledAt.delete(name);
      this.#unreachedAt.delete(name);
      return;
    }
    // What the first listing shows has not changed: it is compared when the listing is complete.
    if (this.#completeAt === undefined && !this.#options.applications.complete) return;
    const now = this.#options.now();
    const revised = before === undefined || before.revisions.join(' ') !== after.revisions.join(' ');
    if (revised || before.reconciledAt !== after.reconciledAt) this.#reconciledAt.set(name, now);
    if (!isUnreached(after)) this.#unreachedAt.delete(name);
    else if (!this.#unreachedAt.has(name)) {
      this.#unreachedAt.set(name, now);
      this.#overdue.in(KNOWN_WITHIN_MS, name);
    }
    const changed = revised || before.specFingerprint !== after.specFingerprint;
    const named = before === undefined || before.specFingerprint !== after.specFingerprint;
    if (!changed && !named) return;
    const seen = this.#seen.get(name);
    this.#seen.set(name, {
      changedAt: now,
      namedAt: named ? now : (seen?.namedAt ?? this.#completeAt ?? now),
    });
    this.#await(after);
  }

  /** A generation of another revision is a commit that is about to be shown, or an operation's. */
  #noteRegistered(name: string): void {
    const application = this.#options.applications.byInstanceName(name);
    if (application === undefined || this.#completeAt === undefined) return;
    const registered = this.#options.registrations.of(name);
    if (registered.some((registration) => otherRevision(application, registration) !== undefined))
      this.#overdue.in(FOLLOWS_WITHIN_MS, name);
  }

  /** Waits for what has to follow. */
  #await(application: Application): void {
    const { instanceName } = application;
    const registered = this.#options.registrations.of(instanceName);
    if (registered.length > 0) this.#overdue.in(FOLLOWS_WITHIN_MS, instanceName);
    else if (this.#unknownSince(application, registered) !== undefined) this.#overdue.in(KNOWN_WITHIN_MS, instanceName);
  }

  #noteComplete(): void {
    const { applications, now } = this.#options;
    if (this.#completeAt !== undefined || !applications.complete) return;
    this.#completeAt = now();
    for (const application of applications.all()) this.#await(application);
  }

  /** Whether it is worth telling that its time is over. */
  #mayBeOverdue(name: string): boolean {
    const { applications, registrations } = this.#options;
    const application = applications.byInstanceName(name);
    if (application === undefined) return false;
    const registered = registrations.of(name);
    const waits = registered.flatMap((registration) => {
      const differs = differenceOf(application, registration);
      return differs === undefined ? [] : [this.#followsInMs(application, registration, differs)];
    });
    if (waits.includes(0)) return true;
    if (waits.length > 0) {
      // It changed once more since, or Argo CD is at work.
      this.#overdue.in(Math.min(...waits), name);
      return false;
    }
    const unknownSince = this.#unknownSince(application, registered);
    if (unknownSince === undefined) return false;
    const left = this.#leftMs(unknownSince, KNOWN_WITHIN_MS);
    // One source of several may be registered, so it was looked at after the shorter time.
    if (left > 0) this.#overdue.in(left, name);
    return left === 0;
  }

  /** Since when something that uses the plugin has not got through to us; undefined: all that is known did. */
  #unknownSince(application: Application, registered: readonly Registration[]): number | undefined {
    const { instanceName, sources } = application;
    const isUnknown = sources.some(
      (source) => namesThisPlugin(source) && !registered.some((one) => sameSource(one.source, source)),
    );
    if (isUnknown) return this.#namedAt(instanceName);
    if (!isUnreached(application)) return undefined;
    const since = this.#unreachedAt.get(instanceName) ?? this.#completeAt;
    // Who got through since is being rendered.
    return since === undefined || registered.some(({ answeredAt }) => answeredAt >= since) ? undefined : since;
  }

  /** Whether Argo CD took manifests from its cache that were rendered before for what the Application says now. */
  async #isFromCache(application: Application, registration: Registration): Promise<boolean> {
    const differs = differenceOf(application, registration);
    if (differs === undefined) return false;
    const { registrations } = this.#options;
    const changedAt = this.#changedAt(application.instanceName);
    if (changedAt === undefined) return false;
    const { revision, specFingerprint } = differs;
    const isSince = registration.answeredAt >= changedAt;
    const isWithIt = isSince || (registration.answeredAt >= changedAt - AHEAD_MS && isAhead(registration, differs));
    if (revision === undefined && isWithIt) {
      await registrations.adopt(registration, differs);
      return false;
    }
    if (this.#followsInMs(application, registration, differs) > 0) return false;
    const wasRendered = revision === undefined || registration.earlierRevisions.includes(revision);
    if (specFingerprint === undefined && application.hasGeneratePaths && !wasRendered && !isSince) {
      // Argo CD renamed its cache entry: what was rendered before stands for the new revision too.
      await registrations.adopt(registration, differs);
      return false;
    }
    return true;
  }

  /** Milliseconds that the generation may take that has to follow, if it is to come by itself; looked at again then. 0: it is overdue. */
  #followsInMs(application: Application, { answeredAt }: Registration, { revision }: Difference): number {
    const { instanceName, operating } = application;
    const changedAt = this.#changedAt(instanceName) ?? this.#options.now();
    if (revision === undefined) return this.#leftMs(changedAt, FOLLOWS_WITHIN_MS);
    if (operating) return FOLLOWS_WITHIN_MS;
    const left = this.#leftMs(Math.max(changedAt, answeredAt), FOLLOWS_WITHIN_MS);
    // What was asked for may be a commit that is being rendered and will be shown.
    const isShown = (this.#reconciledAt.get(instanceName) ?? 0) >= answeredAt;
    return isShown ? left : Math.max(left, Math.min(this.#leftMs(answeredAt, SHOWN_WITHIN_MS), FOLLOWS_WITHIN_MS));
  }

  #changedAt(name: string): number | undefined {
    return this.#seen.get(name)?.changedAt ?? this.#completeAt;
  }

  #namedAt(name: string): number | undefined {
    return this.#seen.get(name)?.namedAt ?? this.#completeAt;
  }

  #isOver(since: number | undefined, ms: number): boolean {
    return since !== undefined && this.#leftMs(since, ms) === 0;
  }

  /** How much of that time is left; a time in the future was a wrong clock's. */
  #leftMs(since: number, ms: number): number {
    const age = this.#options.now() - since;
    return age < 0 ? 0 : Math.max(ms - age, 0);
  }
}

/** Whether Argo CD shows what a sidecar said that did not get through. */
function isUnreached({ comparisonError }: Application): boolean {
  return comparisonError?.includes('CONTROLLER_UNREACHABLE' satisfies ErrorCode) === true;
}

/** What an Application says that is not what a registration was rendered for. */
interface Difference {
  readonly revision?: string;
  readonly specFingerprint?: string;
}

function differenceOf(application: Application, registration: Registration): Difference | undefined {
  const revision = otherRevision(application, registration);
  const { specFingerprint } = application;
  const isRespecified = registration.specFingerprint !== undefined && registration.specFingerprint !== specFingerprint;
  if (revision === undefined && !isRespecified) return undefined;
  return { ...(revision !== undefined && { revision }), ...(isRespecified && { specFingerprint }) };
}

/**
 * Whether a generation from just before we saw the change may have been for it: Argo CD's API renders a changed Application
 * before it keeps it. Not when it was for another revision, nor when the spec is one that was rendered before: what comes back
 * may come from the cache, so it needs a generation of its own, whatever was rendered a moment ago.
 */
function isAhead({ earlierSpecs = [] }: Registration, { revision, specFingerprint }: Difference): boolean {
  return revision === undefined && specFingerprint !== undefined && !earlierSpecs.includes(specFingerprint);
}

const NOT_ASKED: Fault = {
  kind: 'outage',
  error: {
    code: 'REGISTRY_UNAVAILABLE',
    what: 'no registry is asked for a comparison',
    where: 'comparison',
    fix: 'wait for the next look at the registry',
  },
};

const NO_REGISTRY: RegistryClient = {
  list: async () => ({ kind: 'failed', fault: NOT_ASKED }),
  head: async () => ({ kind: 'failed', fault: NOT_ASKED }),
  built: async () => ({ kind: 'failed', fault: NOT_ASKED }),
  inspect: async () => ({ head: { kind: 'failed', fault: NOT_ASKED } }),
  close: async () => undefined,
};
