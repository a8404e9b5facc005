import type { DocumentStore } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { nextTurn } from './waker.ts';

/** An embedded store writes while everybody waits. */
const WRITES_PER_TURN = 20;

/**
 * Documents in memory, written behind. Changes of one key that follow each other closely become one write, so a check that
 * finds nothing to do touches no disk. What cannot be written is said and lives on in memory.
 */
export class KeptDocuments<T> {
  readonly #documents: DocumentStore<T>;
  readonly #values: Map<string, T>;
  readonly #log: Log;
  /** Keys whose value on disk is another one. */
  readonly #changed = new Set<string>();
  readonly #onDisk: Set<string>;
  #writing: Promise<void> | undefined;
  #failing = false;

  private constructor(documents: DocumentStore<T>, values: ReadonlyMap<string, T>, log: Log) {
    this.#documents = documents;
    this.#values = new Map(values);
    this.#onDisk = new Set(values.keys());
    this.#log = log;
  }

  static async open<T>(documents: DocumentStore<T>, log: Log): Promise<KeptDocuments<T>> {
    return new KeptDocuments(documents, await documents.all(), log);
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  entries(): IterableIterator<[string, T]> {
    return this.#values.entries();
  }

  get size(): number {
    return this.#values.size;
  }

  set(key: string, value: T): void {
    this.#values.set(key, value);
    this.#change(key);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#change(key);
  }

  /** Everything that was changed so far is kept, as well as it can be. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  #change(key: string): void {
    this.#changed.add(key);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // What is still to change in this turn joins in.
    await nextTurn();
    let written = 0;
    for (const key of this.#changed) {
      this.#changed.delete(key);
      await this.#writeOne(key);
      written += 1;
      if (written % WRITES_PER_TURN === 0) await nextTurn();
    }
    this.#writing = undefined;
  }

  async #writeOne(key: string): Promise<void> {
    const value = this.#values.get(key);
    if (value === undefined && !this.#onDisk.has(key)) return;
    try {
      if (value === undefined) {
        await this.#documents.remove(key);
        this.#onDisk.delete(key);
      } else {
        this.#onDisk.add(key);
        await this.#documents.put(key, value);
      }
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        this.#log.error('refreshes-not-kept', { problem: error instanceof Error ? error.message : 'unknown' });
      this.#failing = true;
    }
  }
}
