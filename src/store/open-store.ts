import { Database, type DatabaseOptions } from './database.ts';
import { ownHolder } from './holder.ts';
import { pruneWhenDue } from './prune.ts';
import { sqliteAnswers } from './sqlite-answers.ts';
import { sqliteDecisions } from './sqlite-decisions.ts';
import { sqliteDocuments } from './sqlite-documents.ts';
import { sqliteFacts } from './sqlite-facts.ts';
import { sqliteFaults } from './sqlite-faults.ts';
import { sqliteLeases } from './sqlite-leases.ts';
import { sqliteListings } from './sqlite-listings.ts';
import { sqliteOutbox } from './sqlite-outbox.ts';
import { sqlitePauses } from './sqlite-pauses.ts';
import { sqliteReceived } from './sqlite-received.ts';
import type { Store } from './store.ts';

export type StoreOptions = DatabaseOptions;

let leasesTaken = 0;

/**
 * Opens the store that all processes of a container share. It opens whatever the state of the disk: what cannot be kept
 * is held in memory, and a damaged file is set aside. Anything it can be killed in the middle of is all or nothing.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { now } = options;
  const database = new Database(options);
  // Two openings in one process are two holders too.
  const born = process.hrtime.bigint();
  // Read once: whoever stays takes many leases, and these are files to read.
  let holder: string | undefined;
  const forgetUnused = (): boolean => database.persistent && pruneWhenDue(database, now());
  return {
    decisions: sqliteDecisions(database, now),
    answers: sqliteAnswers(database, now),
    listings: sqliteListings(database, now),
    facts: sqliteFacts(database, now),
    faults: sqliteFaults(database),
    leases: sqliteLeases(database, now, () => `${(holder ??= ownHolder())} ${born}.${++leasesTaken}`),
    pauses: sqlitePauses(database, now),
    received: sqliteReceived(database, now),
    outbox: sqliteOutbox(database),
    documents: (collection, read) => sqliteDocuments(database, collection, read),
    size: () => database.size(),
    forgetUnused: async () => forgetUnused(),
    async close() {
      forgetUnused();
      await database.close();
    },
  };
}
