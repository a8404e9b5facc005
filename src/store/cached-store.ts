import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { memoryLeases } from './memory-leases.ts';
import type {
  Answer,
  AnswerStore,
  DecisionKey,
  DecisionStore,
  FaultStore,
  KeptFault,
  ListingChange,
  ListingKey,
  ListingRecord,
  ListingStore,
  PauseStore,
  Store,
  StoredDecision,
  Versioned,
} from './store.ts';
import type { Tag } from '../image/reference.ts';

/** Entries held; a decision is some hundred bytes, a listing's tags some kilobytes. */
export interface CacheLimits {
  /** And as many faults. */
  readonly decisions: number;
  /** Of all applications together. */
  readonly answers: number;
  readonly listings: number;
  /** Bytes of tags, about. */
  readonly tagBytes: number;
}

/** Decisions are read from the store again after this time, in milliseconds: it forgets what nobody reads. */
const READ_AGAIN_MS = 24 * 60 * 60 * 1000;

/** Hosts, and credentials at hosts, that are known not to be paused. */
const MAX_NOT_PAUSED = 1_000;

/** What a tag takes in memory beside its characters: header, padding, and its place in the list. */
const TAG_BYTES = 26;

/**
 * A store with what was read last in memory, for a long-lived process that is the only one to write to it. It is a file of
 * its own, so that the plugin's short processes, which share their store and read each entry once, never load it.
 *
 * @param now milliseconds since the epoch.
 */
export function cachedStore(store: Store, limits: CacheLimits, now: () => number): Store {
  return {
    ...store,
    decisions: cachedDecisions(store.decisions, limits.decisions, now),
    listings: cachedListings(store.listings, limits),
    faults: cachedFaults(store.faults, limits.decisions),
    answers: cachedAnswers(store.answers, limits.answers, now),
    pauses: cachedPauses(store.pauses),
    leases: memoryLeases(),
    close: () => store.close(),
  };
}

function cachedDecisions(behind: DecisionStore, max: number, now: () => number): DecisionStore {
  const known = new LRUCache<DecisionKey, Versioned<StoredDecision>>({
    max,
    ttl: READ_AGAIN_MS,
    ttlResolution: 0,
    perf: { now },
  });
  const read = async (key: DecisionKey): Promise<Versioned<StoredDecision> | undefined> => {
    const stored = await behind.get(key);
    if (stored !== undefined) known.set(key, stored);
    return stored;
  };
  return {
    get: (key) => known.get(key) ?? read(key),
    async put(key, value, ifVersion) {
      const version = await forgetting(known, key, async () => behind.put(key, value, ifVersion));
      // It is asked for, at the latest by the next look; and a cache that is left empty clears all that it has room for.
      if (version !== undefined) known.set(key, { value, version });
      return version;
    },
  };
}

/** Forgotten before and after it is written: a reader in between must not bring the old one back. */
async function forgetting<K, T>(known: Forgetful<K>, key: K, write: () => Promise<T>): Promise<T> {
  known.delete(key);
  try {
    return await write();
  } finally {
    known.delete(key);
  }
}

interface Forgetful<K> {
  delete(key: K): boolean;
}

/** Asked for with every decision, and there hardly ever is one: so it is known which there are. */
function cachedFaults(behind: FaultStore, max: number): FaultStore {
  const known = new LRUCache<string, KeptFault>({ max });
  let loaded: Set<string> | undefined;
  const present = async (): Promise<Set<string>> => (loaded ??= new Set(await behind.names()));
  const read = async (name: string): Promise<KeptFault | undefined> => {
    const names = await present();
    if (!names.has(name)) return undefined;
    const cached = known.get(name);
    if (cached !== undefined) return cached;
    const fault = await behind.get(name);
    if (fault !== undefined && names.has(name)) known.set(name, fault);
    return fault;
  };
  return {
    names: async () => [...(await present())],
    // Nearly always there is none: names are long, and to look one up is not for nothing.
    get: (name) => (loaded?.size === 0 ? undefined : read(name)),
    async put(name, kept) {
      (await present()).add(name);
      await forgetting(known, name, async () => behind.put(name, kept));
    },
    async clear(name) {
      const names = await present();
      if (!names.has(name)) return;
      await behind.clear(name);
      names.delete(name);
      known.delete(name);
    },
  };
}

/** Asked before every request, and hardly ever there is one: so it is known which there are not. */
function cachedPauses(behind: PauseStore): PauseStore {
  const none = new LRUCache<string, true>({ max: MAX_NOT_PAUSED });
  return {
    pausedUntil(key) {
      if (none.has(key)) return undefined;
      const until = behind.pausedUntil(key);
      if (until === undefined) none.set(key, true);
      return until;
    },
    pause(key, until) {
      none.delete(key);
      behind.pause(key, until);
    },
  };
}

/** An application is answered, and then compared, perhaps more than once. */
function cachedAnswers(behind: AnswerStore, max: number, now: () => number): AnswerStore {
  const known = new LRUCache<string, ReadonlyMap<string, Answer>>({
    maxSize: max,
    sizeCalculation: ({ size }) => size + 1,
    ttl: READ_AGAIN_MS,
    ttlResolution: 0,
    perf: { now },
  });
  return {
    async last(application) {
      const cached = known.get(application);
      if (cached !== undefined) return cached;
      const answers = await behind.last(application);
      known.set(application, answers);
      return answers;
    },
    async record(application, answers) {
      await forgetting(known, application, async () => behind.record(application, answers));
    },
  };
}

function cachedListings(behind: ListingStore, limits: CacheLimits): ListingStore {
  const records = new LRUCache<ListingKey, ListingRecord>({ max: limits.listings });
  // One of each listing: those before it are of no use to anybody.
  const tags = new LRUCache<ListingKey, { readonly fetchedAt: number; readonly list: readonly Tag[] }>({
    max: limits.listings,
    maxSize: limits.tagBytes,
    sizeCalculation: ({ list }) => list.reduce((sum, tag) => sum + tag.length + TAG_BYTES, 64),
  });
  // For this process alone: another version of it may read, and decide, otherwise from the same. By hashes, because there is
  // room for the tags of few listings only.
  const same = new LRUCache<ListingKey, SameTags>({ max: limits.listings });
  return {
    async get(key) {
      const cached = records.get(key);
      if (cached !== undefined) return cached;
      const read = await behind.get(key);
      if (read === undefined) return undefined;
      const known = same.get(key);
      const record = known?.fetchedAt === read.fetchedAt ? { ...read, ...remembered(known) } : read;
      records.set(key, record);
      return record;
    },
    async tags(key, fetchedAt) {
      const cached = tags.get(key);
      if (cached?.fetchedAt === fetchedAt) return cached.list;
      const list = await behind.tags(key, fetchedAt);
      if (list !== undefined) tags.set(key, { fetchedAt, list });
      return list;
    },
    async put(key, listing) {
      const known = same.get(key);
      records.delete(key);
      tags.delete(key);
      same.delete(key);
      try {
        await behind.put(key, listing);
        const { fetchedAt, fingerprint } = listing;
        const tagsHash = hash('sha256', listing.tags.join('\n'), 'base64');
        const since = known?.tagsHash === tagsHash ? known.since : fetchedAt;
        same.set(key, { since, fetchedAt, tagsHash, ...(fingerprint !== undefined && { fingerprint }) });
        // Who lists decides by it next.
        tags.set(key, { fetchedAt, list: listing.tags });
      } finally {
        records.delete(key);
      }
    },
    async update(key, change) {
      const before = records.get(key);
      tags.delete(key);
      let isThere = false;
      try {
        isThere = await behind.update(key, change);
        const known = same.get(key);
        if (known !== undefined) same.set(key, { ...known, fetchedAt: change.fetchedAt ?? known.fetchedAt });
      } finally {
        // A store that was begun anew has it no more, and what only memory has could never be decided from.
        if (isThere && before !== undefined && records.get(key) === before) records.set(key, changed(before, change));
        else records.delete(key);
      }
      return isThere;
    },
  };
}

/** The tags that a listing has, and since when it has the very same. */
interface SameTags {
  readonly since: number;
  /** When the listing was read, or confirmed, last. */
  readonly fetchedAt: number;
  readonly tagsHash: string;
  readonly fingerprint?: string;
}

function changed({ suspect: _before, ...record }: ListingRecord, { fetchedAt, suspect }: ListingChange): ListingRecord {
  return { ...record, ...(fetchedAt !== undefined && { fetchedAt }), ...(suspect !== undefined && { suspect }) };
}

function remembered({ since, fingerprint }: SameTags): Pick<ListingRecord, 'sameSince' | 'fingerprint'> {
  return { sameSince: since, ...(fingerprint !== undefined && { fingerprint }) };
}
