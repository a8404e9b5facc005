import * as v from 'valibot';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { KeptDocuments } from './kept-documents.ts';
import { refreshEntrySchema, type RefreshEntry } from './refresh-entry.ts';
import { rollOutSchema, type RollOut } from './roll-out.ts';

/** What is kept of one application. One document, so that a refresh that ended and what follows from it cannot part. */
interface KeptApplication {
  readonly refresh?: RefreshEntry;
  readonly rollOut?: RollOut;
}

const schema = v.object({ refresh: v.exactOptional(refreshEntrySchema), rollOut: v.exactOptional(rollOutSchema) });

/** The queue and what follows from it, by instance name. */
export class KeptApplications {
  readonly #documents: KeptDocuments<KeptApplication>;

  private constructor(documents: KeptDocuments<KeptApplication>) {
    this.#documents = documents;
  }

  static async open(store: Pick<Store, 'documents'>, log: Log): Promise<KeptApplications> {
    // What another version wrote otherwise is forgotten: the comparison at the start finds what is to be done.
    const read = (value: unknown): KeptApplication | undefined => {
      const kept = v.safeParse(schema, value);
      return kept.success ? kept.output : undefined;
    };
    return new KeptApplications(await KeptDocuments.open(store.documents('refreshes', read), log));
  }

  refresh(application: string): RefreshEntry | undefined {
    return this.#documents.get(application)?.refresh;
  }

  rollOut(application: string): RollOut | undefined {
    return this.#documents.get(application)?.rollOut;
  }

  setRefresh(application: string, refresh: RefreshEntry | undefined): void {
    this.#set(application, refresh, this.rollOut(application));
  }

  setRollOut(application: string, rollOut: RollOut | undefined): void {
    this.#set(application, this.refresh(application), rollOut);
  }

  *refreshes(): Iterable<readonly [string, RefreshEntry]> {
    for (const [name, { refresh }] of this.#documents.entries()) if (refresh !== undefined) yield [name, refresh];
  }

  *rollOuts(): Iterable<readonly [string, RollOut]> {
    for (const [name, { rollOut }] of this.#documents.entries()) if (rollOut !== undefined) yield [name, rollOut];
  }

  /** Everything that was set so far is kept, as well as it can be. */
  async flush(): Promise<void> {
    await this.#documents.flush();
  }

  #set(application: string, refresh: RefreshEntry | undefined, rollOut: RollOut | undefined): void {
    if (refresh === undefined && rollOut === undefined) this.#documents.delete(application);
    else this.#documents.set(application, { ...(refresh && { refresh }), ...(rollOut && { rollOut }) });
  }
}
