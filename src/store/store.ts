import type { AccessScope } from '../registry/access.ts';
import type { Fault, Validators } from '../registry/sources.ts';
import type { Digest, Tag } from '../image/reference.ts';
import type { Soon } from './soon.ts';

// What is kept between generations, behind small interfaces. Everything is, or may be, asynchronous, so that the Kubernetes API can
// stand behind them as well as an embedded database. All times are milliseconds since the epoch; a time in the future
// proves that a clock was wrong and never counts as recent (`freshness.ts`).

declare const listingKeyBrand: unique symbol;
declare const decisionKeyBrand: unique symbol;
/** One repository seen with one access scope; made by `listingKey` alone. */
export type ListingKey = string & { readonly [listingKeyBrand]: true };
/** A {@link ListingKey} and a canonical selection; made by `decisionKey` alone. */
export type DecisionKey = string & { readonly [decisionKeyBrand]: true };

/** A value with the version to name when it is replaced: SQLite's counter, Kubernetes' resourceVersion. */
export interface Versioned<T> {
  readonly value: T;
  readonly version: string;
}

/** How often, and since when, something was seen in complete listings. */
export interface Sightings {
  readonly since: number;
  readonly times: number;
}

/** What was chosen. */
export interface Decision {
  readonly tag: Tag;
  /** Present when the strategy or output needs it. */
  readonly digest?: Digest;
  /** When it last moved, milliseconds since the epoch. */
  readonly movedAt: number;
  /** When the registry last confirmed it, milliseconds since the epoch; {@link NEVER_CONFIRMED}: it never did. */
  readonly confirmedAt: number;
}

/** `confirmedAt` of what was recovered from what runs, because nothing else was known. */
export const NEVER_CONFIRMED = 0;

/** A decision with what movement needs to know next time. */
export interface StoredDecision extends Decision {
  /** Build date behind the chosen digest, for newest-build: tells what is newer when the tag itself is gone. */
  readonly createdMs?: number;
  /** The tag is missing from complete listings and its manifest is 404 (`on-removed: next-best`). */
  readonly missing?: Sightings;
}

/** Decisions, compared and set. Lost decisions are evaluated afresh, so this is the one part that is no cache. */
export interface DecisionStore {
  get(key: DecisionKey): Soon<Versioned<StoredDecision> | undefined>;
  /**
   * @param ifVersion the version that is replaced; null: there is none yet.
   * @returns the version it has now; undefined: it has another one already, and nothing was changed.
   */
  put(key: DecisionKey, value: StoredDecision, ifVersion: string | null): Promise<string | undefined>;
}

/** What an application was last given for an image. */
export interface Answer {
  /** Names the image, and the source that uses it, within the application; made by `src/resolve/answers.ts` alone. */
  readonly image: string;
  /** The rights it was obtained with. It is never given to someone whose own rights select others. */
  readonly scope: AccessScope;
  readonly key: DecisionKey;
  readonly decision: Decision;
}

/** Answers per application and image: last known good, frozen answers, and whether there was one before. */
export interface AnswerStore {
  /** Every answer of an application, by image. */
  last(application: string): Promise<ReadonlyMap<string, Answer>>;
  /** Keeps the given answers beside the application's others. */
  record(application: string, answers: readonly Answer[]): Promise<void>;
}

/** The last complete listing, without its tags. */
export interface ListingRecord {
  readonly fetchedAt: number;
  readonly count: number;
  readonly validators?: Validators;
  /** What it was read from (`PreviousListing`); absent: nobody remembers. */
  readonly fingerprint?: string;
  /** When the first of the listings in a row was fetched that have the very same tags; absent: nobody compared them. */
  readonly sameSince?: number;
  /** Complete listings since then that lost so much that they are taken for faults until they persist. */
  readonly suspect?: Sightings;
}

export interface ListingStore {
  get(key: ListingKey): Promise<ListingRecord | undefined>;
  /** The tags of the listing fetched at `fetchedAt`; undefined when another has taken its place. */
  tags(key: ListingKey, fetchedAt: number): Promise<readonly Tag[] | undefined>;
  /** @param listing.fingerprint lost without harm: it saves reading the same again. */
  put(
    key: ListingKey,
    listing: { fetchedAt: number; tags: readonly Tag[]; validators?: Validators; fingerprint?: string },
  ): Promise<void>;
  /** The listing was confirmed as it is (304), or refused as suspect. False: there is none. */
  update(key: ListingKey, change: ListingChange): Promise<boolean>;
}

export interface ListingChange {
  /** When it was confirmed. */
  readonly fetchedAt?: number;
  readonly suspect: Sightings | undefined;
}

/** The digest a tag named at a time. */
export interface SeenDigest {
  readonly digest: Digest;
  readonly seenAt: number;
}

/** What is known for ever of a digest, for a set of platforms. */
export type KeptBuild =
  | { readonly kind: 'built'; readonly createdMs: number }
  | { readonly kind: 'no-platform' }
  | { readonly kind: 'undated' };

/** Facts about tags and digests, kept as they arrive. They are caches: losing them costs requests. */
export interface FactStore {
  head(key: ListingKey, tag: Tag): Promise<SeenDigest | undefined>;
  /** Every tag's digest and, where known, its build for these platforms. */
  all(
    key: ListingKey,
    platforms: string,
  ): Promise<ReadonlyMap<string, { readonly head: SeenDigest; readonly build?: KeptBuild }>>;
  build(key: ListingKey, digest: Digest, platforms: string): Promise<KeptBuild | undefined>;
  putHead(key: ListingKey, tag: Tag, seen: SeenDigest): Promise<void>;
  putBuild(key: ListingKey, digest: Digest, platforms: string, build: KeptBuild): Promise<void>;
}

/** A fault the registry answered with, kept so that the same thing is not asked again at once. */
export interface KeptFault {
  readonly at: number;
  readonly fault: Fault;
}

/** Negative answers, under the name of the lease that covered the asking. They hold repository names: never across keys. */
export interface FaultStore {
  /** Under which names there are faults; hardly any. */
  names(): Promise<readonly string[]>;
  get(name: string): Soon<KeptFault | undefined>;
  put(name: string, kept: KeptFault): Promise<void>;
  clear(name: string): Promise<void>;
}

/** The right to be the only one doing something, for a while. */
export interface Lease {
  /** Holds it for another full time. False: it was lost to another. Absent: it is held until it is released. */
  extend?(): Promise<boolean>;
  release(): Promise<void>;
}

export interface LeaseStore {
  /** The lease, or undefined while another holds it. One that was not extended in time can be taken. */
  acquire(name: string, ttlMs: number): Promise<Lease | undefined>;
}

/**
 * Until when a registry is left alone. Synchronous, because the registry client asks before every request; with a store
 * on a network it answers from memory and writes behind.
 */
export interface PauseStore {
  pausedUntil(key: string): number | undefined;
  pause(key: string, until: number): void;
}

/** An answer that another process gave, and when: what is served when that process is away. */
export interface ReceivedAnswer {
  /** JSON text. */
  readonly answer: string;
  readonly receivedAt: number;
}

/** Answers of the controller as a sidecar got them, by application and question. */
export interface ReceivedAnswerStore {
  /** Those there are of these questions. */
  get(application: string, questions: readonly string[]): Promise<ReadonlyMap<string, ReceivedAnswer>>;
  put(application: string, answers: ReadonlyMap<string, ReceivedAnswer>): Promise<void>;
}

/** Something to be told to another process. */
export interface Message {
  readonly key: string;
  readonly text: string;
}

/** Messages that wait until they can be told. When there are too many, the oldest are forgotten. */
export interface OutboxStore {
  /** Those that wait longest, in their order. */
  oldest(count: number): Promise<readonly Message[]>;
  /** A message takes the place of the one with its key, behind all others. */
  put(messages: readonly Message[]): Promise<void>;
  /** Forgets what was told; not what took its place meanwhile. */
  remove(messages: readonly Message[]): Promise<void>;
}

/** Small values of one kind by key, which their owner removes; unlike everything else here they do not age. */
export interface DocumentStore<T> {
  all(): Promise<ReadonlyMap<string, T>>;
  /** @param value plain JSON. */
  put(key: string, value: T): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Everything that is kept. */
export interface Store {
  readonly decisions: DecisionStore;
  readonly answers: AnswerStore;
  readonly listings: ListingStore;
  readonly facts: FactStore;
  readonly faults: FaultStore;
  readonly leases: LeaseStore;
  readonly pauses: PauseStore;
  readonly received: ReceivedAnswerStore;
  readonly outbox: OutboxStore;
  /**
   * @param collection a name of ours.
   * @param read checks a kept value: it may have been written by another version. What it refuses (undefined) is forgotten.
   */
  documents<T>(collection: string, read: (value: unknown) => T | undefined): DocumentStore<T>;
  /** Bytes on disk; undefined while answers are held in memory alone. */
  size(): number | undefined;
  /** Forgets some of what was not used for long, if that is due. True: there is more. */
  forgetUnused(): Promise<boolean>;
  /** {@link forgetUnused}, once, and lets go of files. */
  close(): Promise<void>;
}
