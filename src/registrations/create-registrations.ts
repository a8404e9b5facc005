import type { Application, Applications } from '../applications/application.ts';
import type { Ask, GenerationClaim, Resolution, SourceClaim } from '../resolve/resolver.ts';
import type { DocumentStore, Store } from '../store/store.ts';
import { givenOf, sameGiven } from './given.ts';
import { Interned } from './interned.ts';
import { readRegistration, type KeptRegistration } from './kept-registration.ts';
import type { Given, RegisteredAnswer, RegisteringQuery, Registration, Registrations } from './registration.ts';
import { namesThisPlugin, sourcesLike } from './sources.ts';

export interface RegistrationsOptions {
  readonly store: Store;
  readonly applications: Applications;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How exactly the time of an unchanged answer is kept on disk, in milliseconds. */
const ANSWERED_PRECISION_MS = 10 * 60 * 1000;
/** How long a generation may be ahead of what we see of its Application, in milliseconds. */
const AHEAD_MS = 15_000;
const MAX_EARLIER_REVISIONS = 50;
const MAX_EARLIER_SPECS = 20;
/** Generations of one source that may ask at the same time: one for each replica of repo-server. */
const GENERATIONS_AT_ONCE = 4;
/** How exactly it is known when a sidecar rendered without us, in milliseconds: what it says was under way for a while. */
const UNHEARD_PRECISION_MS = 5_000;
/** Generations whose answers may still be on their way to somebody who no longer waits. */
const MAX_UNHEARD_GENERATIONS = 1_000;

interface Entry {
  readonly key: string;
  registration: KeptRegistration;
  /** The answeredAt that is on disk. */
  writtenAt: number;
  /** A source of the Application was seen to be the registration's. */
  seen: boolean;
  /** What the generations that asked last have asked so far, by id, the newest last. */
  readonly generations: Map<string, readonly RegisteredAnswer[]>;
}

/** Loads what was registered. Everything is in memory, and every change on disk before its call returns. */
export async function createRegistrations(options: RegistrationsOptions): Promise<Registrations> {
  const documents = options.store.documents('registrations', readRegistration);
  return new KeptRegistrations(options, documents, await documents.all());
}

class KeptRegistrations implements Registrations {
  readonly #applications: Applications;
  readonly #now: () => number;
  readonly #documents: DocumentStore<KeptRegistration>;
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #listeners = new Set<(application: string) => void>();
  readonly #asks = new Interned<Ask>();
  readonly #sources = new Interned<SourceClaim>();
  /** Ids of generations whose sidecars said that they did not hear us, the newest last. */
  readonly #unheard = new Set<string>();
  #count = 0;
  #verified = false;

  constructor(
    { applications, now }: RegistrationsOptions,
    documents: DocumentStore<KeptRegistration>,
    kept: ReadonlyMap<string, KeptRegistration>,
  ) {
    this.#applications = applications;
    this.#now = now;
    this.#documents = documents;
    for (const [key, registration] of kept) {
      const answers = registration.answers.map(({ ask, given }) => ({ ask: this.#asks.one(ask), given }));
      const source = this.#sources.one(registration.source);
      this.#hold({
        key,
        registration: { ...registration, source, answers },
        writtenAt: registration.answeredAt,
        seen: false,
        generations: new Map([[registration.generation, answers]]),
      });
    }
    applications.onChange(({ before, after }) => {
      const application = after?.instanceName ?? before?.instanceName;
      if (application === undefined) return;
      if (!this.#verified && applications.complete) void this.verify();
      else void this.#verifyOne(application);
    });
  }

  get count(): number {
    return this.#count;
  }

  of(application: string): readonly Registration[] {
    const entries = this.#entries.get(application);
    return entries === undefined ? [] : [...entries.values()].map(({ registration }) => registration);
  }

  *all(): Iterable<Registration> {
    for (const entries of this.#entries.values()) for (const { registration } of entries.values()) yield registration;
  }

  onChange(listener: (application: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async record(query: RegisteringQuery, resolutions: readonly Resolution[]): Promise<void> {
    // An answer that took so long that its sidecar has told meanwhile what it did without.
    if (this.#unheard.has(query.generation.id)) return;
    const given = query.asks.map((ask, index) => {
      const resolution = resolutions[index];
      return resolution && givenOf(ask, resolution);
    });
    await this.#take(query, given);
  }

  async recordUnheard(query: RegisteringQuery, given: readonly Given[], agoMs: number): Promise<void> {
    this.#unheard.add(query.generation.id);
    const [oldest] = this.#unheard;
    if (this.#unheard.size > MAX_UNHEARD_GENERATIONS && oldest !== undefined) this.#unheard.delete(oldest);
    await this.#take(query, given, this.#now() - agoMs);
  }

  /** @param unheardAt when it was rendered, where we were not heard. */
  async #take(query: RegisteringQuery, given: readonly (Given | undefined)[], unheardAt?: number): Promise<void> {
    const name = query.who.application;
    const application = this.#applications.byInstanceName(name);
    if (name === '' || (application === undefined && this.#applications.complete)) return;
    const { generation } = query;
    const alike = application === undefined ? [] : sourcesLike(application, generation.source);
    const key = keyOf(name, generation, alike.length > 1);
    const before = this.#entries.get(name)?.get(key);
    if (unheardAt !== undefined && isOlder(unheardAt, generation, before?.registration)) return;
    const last = before?.registration.answers;
    const earlier = before?.generations.get(generation.id) ?? [];
    const isRepeated = (earlier.length === 0 || earlier === last) && this.#repeats(last, query, given);
    const answers =
      last !== undefined && isRepeated ? last : oneOf(last, union(earlier, this.#answersOf(query, given)));
    const plugin = alike[0]?.source.plugin ?? before?.registration.plugin;
    // What it was when somebody rendered without us is not known.
    const known = unheardAt === undefined ? undefined : before?.registration.specFingerprint;
    const specFingerprint = known ?? application?.specFingerprint;
    const registration: KeptRegistration = {
      application: name,
      ...(query.who.project === undefined ? {} : { project: query.who.project }),
      source: this.#sources.one(generation.source),
      revision: generation.revision,
      parametersFingerprint: generation.parametersFingerprint,
      ...(generation.sync === undefined ? {} : { sync: generation.sync }),
      ...(generation.hooks === undefined ? {} : { hooks: generation.hooks }),
      generation: generation.id,
      answeredAt: unheardAt === undefined ? this.#now() : Math.max(unheardAt, before?.registration.answeredAt ?? 0),
      ...(specFingerprint === undefined ? {} : { specFingerprint }),
      answers,
      earlierRevisions: earlierRevisions(before?.registration, generation.revision),
      earlierSpecs: earlierSpecs(before?.registration, specFingerprint),
      ...(plugin === undefined ? {} : { plugin }),
    };
    const entry: Entry = {
      key,
      registration,
      writtenAt: registration.answeredAt,
      seen: alike.length > 0,
      generations: before?.generations ?? new Map<string, readonly RegisteredAnswer[]>(),
    };
    remember(entry.generations, generation.id, answers);
    if (before !== undefined && isUnchanged(before, registration)) {
      entry.writtenAt = before.writtenAt;
      this.#hold(entry);
    } else {
      // In memory first: what comes meanwhile adds to it.
      this.#hold(entry);
      await this.#documents.put(key, registration);
    }
    if (alike.length > 0) await this.#endSurplus(name, generation.source, alike.length);
    this.#tell(name);
  }

  async adopt(
    { application, source, parametersFingerprint }: Registration,
    to: { readonly revision?: string; readonly specFingerprint?: string },
  ): Promise<void> {
    const entry = [...(this.#entries.get(application)?.values() ?? [])].find(
      ({ registration: one }) => one.source === source && one.parametersFingerprint === parametersFingerprint,
    );
    if (entry === undefined) return;
    const { registration } = entry;
    entry.registration = {
      ...registration,
      ...to,
      earlierRevisions: earlierRevisions(registration, to.revision ?? registration.revision),
      earlierSpecs: earlierSpecs(registration, to.specFingerprint ?? registration.specFingerprint),
    };
    await this.#documents.put(entry.key, entry.registration);
  }

  async verify(): Promise<void> {
    if (!this.#applications.complete) return;
    this.#verified = true;
    for (const application of Array.from(this.#entries.keys())) await this.#verifyOne(application);
  }

  /** Ends what the Application no longer refers to. */
  async #verifyOne(name: string): Promise<void> {
    const entries = this.#entries.get(name);
    if (entries === undefined) return;
    const application = this.#applications.byInstanceName(name);
    let ended = false;
    for (const entry of Array.from(entries.values())) {
      if (application === undefined ? !this.#applications.complete : !this.#hasEnded(entry, application)) continue;
      ended = true;
      await this.#end(entry);
    }
    if (ended) this.#tell(name);
  }

  #hasEnded(entry: Entry, application: Application): boolean {
    const { plugin, source, answeredAt } = entry.registration;
    const alike = sourcesLike(application, source);
    const still = alike.find(
      (one) => plugin === undefined || one.source.plugin === plugin || namesThisPlugin(one.source),
    );
    if (still !== undefined) {
      entry.seen = true;
      return false;
    }
    // Argo CD may have rendered a change that we do not see yet.
    const age = this.#now() - answeredAt;
    return entry.seen || age < 0 || age > AHEAD_MS;
  }

  /** Of sources that only their parameters tell apart there are as many as the Application has; the oldest were replaced. */
  async #endSurplus(application: string, source: SourceClaim, count: number): Promise<void> {
    const alike = [...(this.#entries.get(application)?.values() ?? [])]
      .filter(({ registration }) => registration.source === this.#sources.one(source))
      .sort((a, b) => b.registration.answeredAt - a.registration.answeredAt);
    for (const entry of alike.slice(count)) await this.#end(entry);
  }

  #answersOf({ asks }: RegisteringQuery, given: readonly (Given | undefined)[]): readonly RegisteredAnswer[] {
    return asks.flatMap((ask, index) => {
      const one = given[index];
      return one === undefined ? [] : [{ ask: this.#asks.one(ask), given: one }];
    });
  }

  /** Nearly always nothing changed, and then nothing is made. */
  #repeats(
    last: readonly RegisteredAnswer[] | undefined,
    { asks }: RegisteringQuery,
    given: readonly (Given | undefined)[],
  ): boolean {
    if (last?.length !== asks.length) return false;
    return asks.every((ask, index) => {
      const then = last[index];
      const now = given[index];
      return now !== undefined && then?.ask === this.#asks.one(ask) && sameGiven(then.given, now);
    });
  }

  #hold(entry: Entry): void {
    const { application } = entry.registration;
    const entries = this.#entries.get(application) ?? new Map<string, Entry>();
    if (!entries.has(entry.key)) this.#count += 1;
    entries.set(entry.key, entry);
    this.#entries.set(application, entries);
  }

  async #end({ key, registration: { application } }: Entry): Promise<void> {
    const entries = this.#entries.get(application);
    if (entries?.delete(key) !== true) return;
    this.#count -= 1;
    if (entries.size === 0) this.#entries.delete(application);
    await this.#documents.remove(key);
  }

  #tell(application: string): void {
    for (const listener of this.#listeners) listener(application);
  }
}

/** Parameters tell sources apart only where nothing else does: else a changed parameter would be another source. */
function keyOf(
  application: string,
  { source, parametersFingerprint }: RegisteringQuery['generation'],
  byParameters: boolean,
): string {
  const { repoURL, path, targetRevision } = source;
  return JSON.stringify([application, repoURL, path, targetRevision, ...(byParameters ? [parametersFingerprint] : [])]);
}

/** Whether a later generation was answered. When in doubt it was not: the worst of that is a refresh too many. */
function isOlder(unheardAt: number, generation: GenerationClaim, before: Registration | undefined): boolean {
  if (before === undefined || before.generation === generation.id) return false;
  return before.answeredAt > unheardAt + UNHEARD_PRECISION_MS;
}

/** The answer that was given last to each ask. Asks are interned, so equal ones are one. */
function union(before: readonly RegisteredAnswer[], more: readonly RegisteredAnswer[]): readonly RegisteredAnswer[] {
  return [...new Map([...before, ...more].map((answer) => [answer.ask, answer])).values()];
}

/** The list of before, if what it says is the same: who follows it then sees at once that nothing changed. */
function oneOf(
  before: readonly RegisteredAnswer[] | undefined,
  now: readonly RegisteredAnswer[],
): readonly RegisteredAnswer[] {
  if (before?.length !== now.length) return now;
  const isSame = now.every(({ ask, given }, index) => {
    const then = before[index];
    return then?.ask === ask && sameGiven(then.given, given);
  });
  return isSame ? before : now;
}

function remember(
  generations: Map<string, readonly RegisteredAnswer[]>,
  id: string,
  answers: readonly RegisteredAnswer[],
): void {
  generations.delete(id);
  generations.set(id, answers);
  const [oldest] = generations.keys();
  if (generations.size > GENERATIONS_AT_ONCE && oldest !== undefined) generations.delete(oldest);
}

function earlierRevisions(before: Registration | undefined, revision: string): readonly string[] {
  if (before === undefined) return [];
  if (before.revision === revision) return before.earlierRevisions;
  const earlier = before.earlierRevisions.filter((one) => one !== revision && one !== before.revision);
  return [...earlier, before.revision].slice(-MAX_EARLIER_REVISIONS);
}

function earlierSpecs(before: Registration | undefined, specFingerprint: string | undefined): readonly string[] {
  const { specFingerprint: last, earlierSpecs: earlier = [] } = before ?? {};
  if (last === undefined || last === specFingerprint) return earlier;
  return [...earlier.filter((one) => one !== last && one !== specFingerprint), last].slice(-MAX_EARLIER_SPECS);
}

/** Nothing that has to be on disk by now. */
function isUnchanged({ registration: before, writtenAt }: Entry, after: KeptRegistration): boolean {
  const age = after.answeredAt - writtenAt;
  return (
    age >= 0 &&
    age < ANSWERED_PRECISION_MS &&
    before.revision === after.revision &&
    before.project === after.project &&
    before.parametersFingerprint === after.parametersFingerprint &&
    before.specFingerprint === after.specFingerprint &&
    before.sync === after.sync &&
    before.hooks === after.hooks &&
    before.plugin === after.plugin &&
    sameAnswers(before.answers, after.answers)
  );
}

function sameAnswers(before: readonly RegisteredAnswer[], after: readonly RegisteredAnswer[]): boolean {
  if (before === after) return true;
  if (before.length !== after.length) return false;
  const given = new Map(before.map((answer) => [answer.ask, answer.given]));
  return after.every(({ ask, given: now }) => {
    const then = given.get(ask);
    return then !== undefined && sameGiven(then, now);
  });
}
