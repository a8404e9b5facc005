import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Notice } from '../error/user-error.ts';
import { makeDirectory } from '../operator/files.ts';
import { copyReadable, merge, replaceAll } from './copy.ts';
import { generationPath, makeFile, newestGeneration, setAside } from './database-file.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './schema.ts';
import { isBusy, isSystemError, reasonOf, troubleOf } from './sqlite-error.ts';

/** Being overtaken this often means that something is broken. */
const MAX_ATTEMPTS = 20;
/** How long a statement waits for another process's write, in milliseconds. Writes take well under one each. */
const BUSY_TIMEOUT_MS = 3_000;
/** When what had to be held in memory is tried to be put back first; twice as long after each time it came to that. */
const PUT_BACK_AFTER_MS = 60_000;
const LONGEST_PUT_BACK_MS = 3_600_000;
/** Pages in the log at which a commit empties it all the same: 16 MB, when who should does not get on. */
const PAGES_BEHIND = 4_000;

export type Row = Readonly<Record<string, SQLOutputValue>>;
export type Value = SQLInputValue;

interface Connection {
  readonly database: DatabaseSync;
  readonly statements: Map<string, StatementSync>;
  /** Undefined: in memory. */
  readonly generation?: number;
  /** In memory, and begun with everything that was in the file. */
  readonly heldAll?: boolean;
}

/** What memory begins with. */
interface Origin {
  readonly database: DatabaseSync;
  /** What is on disk is seen in it, also what was written last. */
  readonly isWhole: boolean;
}

export interface DatabaseOptions {
  /** Made when it is not there. A local file system: SQLite's write-ahead log needs shared memory, so no NFS. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told once when the store is set aside or cannot be used; the work goes on either way. */
  readonly notices: (notice: Notice) => void;
  /** No other process writes to it (the controller): what had to be held in memory is put back when the disk can be used again. */
  readonly isAlone?: boolean;
  /** Moves what is in a database's log into its file, apart from the commits; by default some commits wait for that. */
  readonly checkpoints?: (path: string) => Checkpoints;
}

/** What moves the log of one database into its file. */
export interface Checkpoints {
  /** Comes back when its connection is closed. */
  end(): Promise<void>;
}

/**
 * The store's database with its troubles handled: a damaged file is set aside and begun anew, and one that cannot be
 * used (read-only, full disk, newer program, locked for long) is left alone and a copy in memory used from then on. Each
 * is said once. What was asked for is then tried again, so callers see either an answer or a bug.
 */
export class Database {
  readonly #directory: string;
  readonly #notices: (notice: Notice) => void;
  readonly #isAlone: boolean;
  readonly #now: () => number;
  readonly #beginCheckpoints: DatabaseOptions['checkpoints'];
  #connection: Connection;
  #checkpoints: Checkpoints | undefined;
  #inTransaction = false;
  #triedAt = 0;
  #putBackAfterMs = PUT_BACK_AFTER_MS;

  constructor(options: DatabaseOptions) {
    this.#directory = options.directory;
    this.#notices = options.notices;
    this.#isAlone = options.isAlone === true;
    this.#now = options.now;
    this.#beginCheckpoints = options.checkpoints;
    this.#connection = this.#open();
    this.#checkpoints = this.#checkpointsOf(this.#connection);
  }

  /** Whether what is written outlives this process. */
  get persistent(): boolean {
    return this.#connection.generation !== undefined;
  }

  /** Bytes of what is on disk, by SQLite's own count; undefined in memory. */
  size(): number | undefined {
    this.#putBackWhenDue();
    if (!this.persistent) return undefined;
    const row = this.get('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
    return Number(row?.['bytes'] ?? 0);
  }

  get(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#guarded(() => this.#prepare(sql).get(...values));
  }

  all(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#guarded(() => this.#prepare(sql).all(...values));
  }

  /** @returns the number of changed rows. */
  change(sql: string, ...values: readonly Value[]): number {
    return this.#guarded(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /** Runs `work` as one transaction; it may run twice (the first time on a file that turned out unusable). */
  transaction<T>(work: () => T): T {
    return this.#guarded(() => {
      const { database } = this.#connection;
      // IMMEDIATE: a transaction that reads first and writes later could not wait for another writer.
      database.exec('BEGIN IMMEDIATE');
      this.#inTransaction = true;
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      } finally {
        this.#inTransaction = false;
      }
    });
  }

  async close(): Promise<void> {
    if (this.#isAlone && !this.persistent) this.#putBack();
    // The last to close leaves no log behind, which is to be this one.
    await this.#checkpoints?.end();
    if (this.#connection.database.isOpen) this.#connection.database.close();
  }

  /** Once damaged, once unusable: after that a failure is a bug. */
  #guarded<T>(work: () => T): T {
    if (this.#inTransaction) return work();
    this.#putBackWhenDue();
    for (let attempt = 1; ; attempt++) {
      try {
        return work();
      } catch (error) {
        if (attempt > 2 || !this.#recovered(error)) throw error;
      }
    }
  }

  #recovered(error: unknown): boolean {
    const { database, generation } = this.#connection;
    const trouble = troubleOf(error);
    if (trouble === undefined || generation === undefined) return false;
    if (trouble === 'damaged') {
      closeQuietly(database);
      this.#use(this.#rebuild(generation));
    } else {
      this.#use(this.#inMemory(reasonOf(error), { database, isWhole: true }));
    }
    return true;
  }

  #use(connection: Connection): void {
    void this.#checkpoints?.end();
    this.#connection = connection;
    this.#checkpoints = this.#checkpointsOf(connection);
  }

  #checkpointsOf({ database, generation }: Connection): Checkpoints | undefined {
    if (this.#beginCheckpoints === undefined || generation === undefined) return undefined;
    database.exec(`PRAGMA wal_autocheckpoint = ${PAGES_BEHIND}`);
    return this.#beginCheckpoints(generationPath(this.#directory, generation));
  }

  #putBackWhenDue(): void {
    if (!this.#isAlone || this.persistent) return;
    const now = this.#now();
    if (Math.abs(now - this.#triedAt) < this.#putBackAfterMs) return;
    this.#triedAt = now;
    this.#putBack();
  }

  /**
   * Makes the file what is in memory, all or nothing; as long as that fails, memory it is. Memory that never held what is in
   * the file is added to it.
   */
  #putBack(): void {
    const { database: memory, heldAll } = this.#connection;
    let connection: Connection | undefined;
    try {
      makeDirectory(this.#directory);
      const { generation, isThere } = newestGeneration(this.#directory);
      connection = this.#openGeneration(generation);
      if (heldAll === true || !isThere) replaceAll(memory, connection.database);
      else merge(memory, connection.database, this.#now());
    } catch (error) {
      if (connection !== undefined) closeQuietly(connection.database);
      if (isSystemError(error) || error instanceof NewerSchemaError) return;
      throw error;
    }
    this.#use(connection);
    this.#putBackAfterMs = Math.min(this.#putBackAfterMs * 2, LONGEST_PUT_BACK_MS);
    closeQuietly(memory);
  }

  #prepare(sql: string): StatementSync {
    const { database, statements } = this.#connection;
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }

  #open(): Connection {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      let newest: ReturnType<typeof newestGeneration>;
      try {
        makeDirectory(this.#directory);
        newest = newestGeneration(this.#directory);
      } catch (error) {
        return this.#inMemory(reasonOf(error));
      }
      const { generation } = newest;
      try {
        const connection = newest.isThere ? this.#openExisting(generation) : this.#openGeneration(generation);
        if (connection !== undefined) return connection;
      } catch (error) {
        if (error instanceof NewerSchemaError) return this.#inMemory('it was written by a newer version');
        if (troubleOf(error) === 'damaged') return this.#rebuild(generation);
        if (isSystemError(error)) return this.#inMemory(reasonOf(error), openToRead(this.#directory, generation));
        throw error;
      }
    }
    return this.#inMemory('other processes replace it all the time');
  }

  /** Undefined when another process has set this generation aside meanwhile: opening would begin a second one of its name. */
  #openExisting(generation: number): Connection | undefined {
    if (!existsSync(generationPath(this.#directory, generation))) return undefined;
    const connection = this.#openGeneration(generation);
    if (newestGeneration(this.#directory).generation === generation) return connection;
    closeQuietly(connection.database);
    return undefined;
  }

  #openGeneration(generation: number): Connection {
    const path = generationPath(this.#directory, generation);
    makeFile(path);
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      const version = schemaVersion(database);
      if (version > SCHEMA_VERSION) throw new NewerSchemaError();
      if (version === 0) switchToWal(database);
      // NORMAL: what was committed survives the death of the process at any moment. The last commits before a power cut
      // can be lost (never mixed up), which costs a new look at the registry; FULL would cost every generation a flush.
      database.exec('PRAGMA synchronous = NORMAL');
      migrate(database);
      return { database, statements: new Map(), generation };
    } catch (error) {
      closeQuietly(database);
      throw error;
    }
  }

  /** The successor of a damaged generation. Opened before the old one is renamed, so that at no moment there is none. */
  #rebuild(damaged: number): Connection {
    const next = Math.max(newestGeneration(this.#directory).generation, damaged + 1);
    let connection: Connection;
    try {
      connection = this.#openGeneration(next);
    } catch (error) {
      if (isSystemError(error) || error instanceof NewerSchemaError) return this.#inMemory(reasonOf(error));
      throw error;
    }
    setAside(this.#directory, damaged);
    this.#notices({
      code: 'STORE_REBUILT',
      what: `the store was damaged; it was set aside as store.damaged-${damaged} and begun anew`,
    });
    return connection;
  }

  #inMemory(reason: string, from?: Origin): Connection {
    this.#notices({
      code: 'STORE_UNAVAILABLE',
      what: `the store cannot be used (${reason}); this process works without keeping its answers`,
    });
    this.#triedAt = this.#now();
    const database = new DatabaseSync(':memory:');
    migrate(database);
    if (from === undefined) return { database, statements: new Map(), heldAll: false };
    const copied = copyReadable(from.database, database);
    closeQuietly(from.database);
    return { database, statements: new Map(), heldAll: copied && from.isWhole };
  }
}

class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** Changing the mode does not wait for other connections by itself, and many processes may be the first. */
function switchToWal(database: DatabaseSync): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 1; ; attempt++) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || attempt >= 200) throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

/** Opens a file that cannot be written. Without its shared memory only what was moved into the main file is seen. */
function openToRead(directory: string, generation: number): Origin | undefined {
  const path = generationPath(directory, generation);
  const immutable = pathToFileURL(path);
  immutable.searchParams.set('immutable', '1');
  for (const from of [path, immutable]) {
    try {
      const database = new DatabaseSync(from, { readOnly: true });
      if (schemaVersion(database) === SCHEMA_VERSION) return { database, isWhole: from === path };
      database.close();
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
  return undefined;
}

function closeQuietly(database: DatabaseSync): void {
  try {
    if (database.isOpen) database.close();
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
