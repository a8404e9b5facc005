import type { Sleep } from '../registry/time.ts';
import { AnswerTooLarge, type ApiHttp } from './http.ts';
import { type Collection, type Follower, KubernetesError, type KubernetesObject } from './kubernetes.ts';
import { LineSplitter } from './lines.ts';
import { isKubernetesObject, isRecord } from './objects.ts';

/** Objects in a page of a list. */
const PAGE_SIZE = 500;
/** A page is parsed as a whole; one that is larger is asked for again in halves. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
const PAGE_TIMEOUT_MS = 30_000;
/** etcd takes objects of 1.5 MiB unless told otherwise. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
/** The server ends each watch after so long, which spreads the watches of several followers. */
const MIN_WATCH_S = 300;
const MAX_WATCH_S = 600;
/** Without a byte for so long a watch is given up: the server sends bookmarks about once a minute, a dead connection nothing. */
const INACTIVITY_MS = 150_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** So many watches in a row that the server refused: its history is no longer ours, whatever it says. */
const REFUSALS_BEFORE_LISTING = 3;
/** A server that is too busy refuses nothing: a list would be more work for it. */
const BUSY: ReadonlySet<number | undefined> = new Set([undefined, 429, 502, 503]);
/** Objects not understood that are remembered by name. */
const MAX_STRANGE = 100;

export interface FollowPorts {
  readonly http: ApiHttp;
  readonly sleep: Sleep;
  /** [0, 1). */
  readonly random: () => number;
}

type Reduce<T> = (object: KubernetesObject) => { readonly key: string; readonly value: T };

/** How a watch ended. */
type WatchEnd =
  /** By the server, the network or the inactivity guard: it goes on where it was. `quiet`: nothing ever came. */
  | { readonly kind: 'ended'; readonly quiet: boolean }
  /** The server no longer knows what happened since: everything is listed again. */
  | { readonly kind: 'expired' };

/**
 * Keeps a follower up to date until the signal aborts; never rejects. A list in pages is told as a whole when its last
 * page has arrived, so that a list that breaks off tells nothing. Every event since comes from a watch that begins at the
 * list's resourceVersion, and each next watch where the last one ended, so none is lost; where the server cannot do that,
 * everything is listed again.
 */
export async function follow<T>(
  ports: FollowPorts,
  collection: Collection,
  reduce: Reduce<T>,
  follower: Follower<T>,
  signal: AbortSignal,
): Promise<void> {
  await new Reflector(ports, collection, reduce, follower, signal).run();
}

class Reflector<T> {
  readonly #ports: FollowPorts;
  readonly #collection: Collection;
  readonly #reduce: Reduce<T>;
  readonly #follower: Follower<T>;
  readonly #signal: AbortSignal;
  /** Where the next watch begins; undefined: with a list. */
  #version: string | undefined;
  /** Keys that the follower was told of. */
  #keys = new Set<string>();
  #told: string | undefined;
  #connectionProblem: string | undefined;
  #status: number | undefined;
  /** What is wrong with the objects that were left out, by their names. */
  #strange = new Map<string, string>();

  constructor(
    ports: FollowPorts,
    collection: Collection,
    reduce: Reduce<T>,
    follower: Follower<T>,
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#collection = collection;
    this.#reduce = reduce;
    this.#follower = follower;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    let failures = 0;
    let refusals = 0;
    while (!this.#signal.aborted) {
      try {
        if (this.#version === undefined) {
          await this.#list();
          failures = 0;
        }
        const end = await this.#watch(this.#version ?? '');
        if (end.kind === 'expired') this.#version = undefined;
        refusals = 0;
        // One whole try after another, never in a tight loop: a proxy may end each watch after its first event.
        failures = end.kind === 'ended' && !end.quiet ? 1 : failures + 1;
      } catch (error) {
        if (this.#signal.aborted) return;
        failures += 1;
        const status = error instanceof KubernetesError ? error.status : undefined;
        refusals = BUSY.has(status) ? refusals : refusals + 1;
        // Anything that is no KubernetesError is a bug, here or in who follows; nobody is helped if everything stops.
        const isBug = !(error instanceof KubernetesError);
        if (status === 410 || isBug || refusals >= REFUSALS_BEFORE_LISTING) this.#version = undefined;
        this.#connectionProblem = error instanceof Error ? error.message : String(error);
        this.#status = status;
        this.#tell();
      }
      await this.#pause(failures);
    }
  }

  async #pause(failures: number): Promise<void> {
    const most = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
    // Half of it by chance, so that all who lost one server do not come back at once.
    await this.#ports.sleep(most * (0.5 + this.#ports.random() / 2), this.#signal).catch(() => undefined);
  }

  async #list(): Promise<void> {
    const found = new Map<string, T>();
    let limit = PAGE_SIZE;
    let next = '';
    const strange = new Map<string, string>();
    for (;;) {
      const page = await this.#page(limit, next).catch((error: unknown) => {
        if (error instanceof AnswerTooLarge && limit > 1) return undefined;
        throw error;
      });
      if (page === undefined) {
        limit = Math.ceil(limit / 2);
        continue;
      }
      for (const item of page.items) {
        const reduced = this.#reduced(item);
        if (typeof reduced === 'string') note(strange, item, reduced);
        else found.set(reduced.key, reduced.value);
      }
      next = page.next;
      if (next === '') {
        this.#strange = strange;
        const gone = [...this.#keys].filter((key) => !found.has(key));
        this.#keys = new Set(found.keys());
        for (const key of gone) this.#follower.removed(key);
        for (const value of found.values()) this.#follower.changed(value);
        this.#follower.listed();
        this.#version = page.version;
        this.#isConnected();
        return;
      }
    }
  }

  async #page(
    limit: number,
    next: string,
  ): Promise<{ readonly items: readonly unknown[]; readonly next: string; readonly version: string }> {
    const query = this.#query({ limit: String(limit), ...(next === '' ? {} : { continue: next }) });
    const body = await this.#ports.http.json(
      { method: 'GET', path: `${this.#collection.path}?${query}` },
      { signal: this.#signal, maxBytes: MAX_PAGE_BYTES, timeoutMs: PAGE_TIMEOUT_MS },
    );
    const list = isRecord(body) ? body : {};
    const metadata = isRecord(list['metadata']) ? list['metadata'] : {};
    const version = metadata['resourceVersion'];
    const items = list['items'] ?? [];
    if (typeof version !== 'string' || version === '' || !Array.isArray(items))
      throw new KubernetesError(`GET ${this.#collection.path} was answered with something that is no list`);
    const token = metadata['continue'];
    return { items: items as readonly unknown[], next: typeof token === 'string' ? token : '', version };
  }

  async #watch(version: string): Promise<WatchEnd> {
    const seconds = MIN_WATCH_S + Math.floor(this.#ports.random() * (MAX_WATCH_S - MIN_WATCH_S));
    const query = this.#query({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds: String(seconds),
    });
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    const activity = { count: 0 };
    const lines = new LineSplitter(MAX_EVENT_BYTES);
    const stream = await this.#ports.http.stream({ method: 'GET', path: `${this.#collection.path}?${query}` }, signal);
    this.#isConnected();
    void this.#guard(activity, over);
    try {
      for await (const chunk of stream) {
        activity.count += 1;
        for (const line of lines.push(chunk)) {
          if (this.#event(line) === 'expired') return { kind: 'expired' };
        }
      }
    } catch (error) {
      // How a connection breaks is of no interest; what a server says, and a bug, is.
      if (error instanceof KubernetesError || error instanceof FollowerFault) throw error;
    } finally {
      over.abort();
    }
    return { kind: 'ended', quiet: activity.count === 0 };
  }

  /** Ends a watch on which nothing comes any more. */
  async #guard(activity: { readonly count: number }, over: AbortController): Promise<void> {
    for (let seen = -1; seen !== activity.count;) {
      seen = activity.count;
      try {
        await this.#ports.sleep(INACTIVITY_MS, over.signal);
      } catch {
        return;
      }
    }
    over.abort();
  }

  #event(line: string | undefined): 'expired' | undefined {
    if (line === undefined) {
      this.#skip(undefined, `an object of ${this.#collection.path} is larger than ${MAX_EVENT_BYTES} bytes`);
      return undefined;
    }
    const { type, object } = parseEvent(line) ?? {};
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        const reduced = this.#reduced(object);
        if (typeof reduced === 'string') {
          this.#skip(object, reduced);
          // Which one is gone? A list tells.
          if (type === 'DELETED') return 'expired';
        } else {
          guarded(() => this.#tellOf(type, reduced));
          if (this.#strange.delete(nameOf(object))) this.#tell();
        }
        this.#version = versionOf(object) ?? this.#version;
        return undefined;
      }
      case 'BOOKMARK':
        this.#version = versionOf(object) ?? this.#version;
        return undefined;
      case 'ERROR': {
        const code = isRecord(object) && typeof object['code'] === 'number' ? object['code'] : undefined;
        throw new KubernetesError(`the watch of ${this.#collection.path} was ended with ${code ?? 'an error'}`, code);
      }
      default:
        this.#skip(undefined, `the watch of ${this.#collection.path} told something that is no event`);
        return undefined;
    }
  }

  #tellOf(type: 'ADDED' | 'MODIFIED' | 'DELETED', { key, value }: { readonly key: string; readonly value: T }): void {
    if (type === 'DELETED') {
      this.#keys.delete(key);
      this.#follower.removed(key);
    } else {
      this.#keys.add(key);
      this.#follower.changed(value);
    }
  }

  /** A text: why it was not understood. */
  #reduced(object: unknown): { readonly key: string; readonly value: T } | string {
    if (!isKubernetesObject(object)) return `an object of ${this.#collection.path} has no name`;
    try {
      return this.#reduce(object);
    } catch {
      const { namespace, name } = object.metadata;
      return `${namespace === undefined ? '' : `${namespace}/`}${name} of ${this.#collection.path} is not understood`;
    }
  }

  #skip(object: unknown, problem: string): void {
    note(this.#strange, object, problem);
    this.#tell();
  }

  #isConnected(): void {
    this.#connectionProblem = undefined;
    this.#status = undefined;
    this.#tell();
  }

  #tell(): void {
    const problem = this.#connectionProblem ?? this.#strange.values().next().value;
    if (problem === this.#told) return;
    this.#told = problem;
    this.#follower.trouble(problem, this.#status);
  }

  #query(parameters: Readonly<Record<string, string>>): string {
    const { fieldSelector } = this.#collection;
    return new URLSearchParams({ ...parameters, ...(fieldSelector === undefined ? {} : { fieldSelector }) }).toString();
  }
}

function note(strange: Map<string, string>, object: unknown, problem: string): void {
  if (strange.size < MAX_STRANGE) strange.set(nameOf(object), problem);
}

/** Empty for what has no name. */
function nameOf(object: unknown): string {
  return isKubernetesObject(object) ? `${object.metadata.namespace ?? ''}/${object.metadata.name}` : '';
}

/** A bug of who follows, told apart from a broken connection. */
class FollowerFault extends Error {}

function guarded(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    throw new FollowerFault(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function parseEvent(line: string): { readonly type: unknown; readonly object: unknown } | undefined {
  try {
    const event: unknown = JSON.parse(line);
    return isRecord(event) ? { type: event['type'], object: event['object'] } : undefined;
  } catch {
    return undefined;
  }
}

function versionOf(object: unknown): string | undefined {
  const metadata = isRecord(object) ? object['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  return typeof version === 'string' && version !== '' ? version : undefined;
}
