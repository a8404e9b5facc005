import { join } from 'node:path';
import { type FilePorts, makeDirectory } from './files.ts';

/** The last text of a file that was valid, and what it was parsed to. The text itself is kept, so that "unchanged" is a comparison and not a belief in time stamps. */
export interface RememberedFile {
  readonly text: string;
  /** Plain JSON. */
  readonly value: unknown;
}

/** The last valid files by path: what a new process needs neither to parse an unchanged file again nor to obey a broken change. */
export type ConfigurationMemory = ReadonlyMap<string, RememberedFile>;

const FILE = 'operator-configuration.json';
/** Another release may parse the same text differently. */
const VERSION = `1 ${process.env['IMAGE_RESOLVER_VERSION'] ?? ''}`;

/** What the state directory remembers; nothing when there is nothing, or nothing that can be trusted. */
export function recallConfiguration(stateDirectory: string, files: FilePorts): ConfigurationMemory {
  const found = files.readPrivate(join(stateDirectory, FILE));
  if (found.kind !== 'read') return new Map();
  try {
    const kept = JSON.parse(found.text) as { readonly version: unknown; readonly files: [string, RememberedFile][] };
    return kept.version === VERSION ? new Map(kept.files) : new Map();
  } catch {
    return new Map(); // damaged: as if there were none
  }
}

/** Keeps it, when the directory can be written to; it is an aid only. */
export function rememberConfiguration(stateDirectory: string, memory: ConfigurationMemory, files: FilePorts): void {
  try {
    makeDirectory(stateDirectory);
  } catch {
    return;
  }
  files.replacePrivate(join(stateDirectory, FILE), JSON.stringify({ version: VERSION, files: [...memory] }));
}
