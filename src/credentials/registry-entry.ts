import type { Repository } from '../image/reference.ts';
import { matchesAny } from '../operator/glob.ts';
import type { RegistryHost } from '../operator/operator-configuration.ts';
import { coversRepository } from '../operator/repository-prefix.ts';

/** Entries for a repository, the longest prefix first, and in the order of writing where prefixes are equal. */
export function entriesFor(hosts: readonly RegistryHost[], repository: Repository): readonly RegistryHost[] {
  return hosts
    .filter((entry) => coversRepository({ host: entry.host, path: pathOf(entry) }, repository))
    .sort((a, b) => pathOf(b).length - pathOf(a).length);
}

function pathOf(entry: RegistryHost): string {
  return entry.prefix?.replace(/\/$/, '') ?? '';
}

/**
 * Whether an entry is for a caller. Without `projects` it is for everybody; with them, a caller that has no project is no
 * match, not even for `*`: who says nothing gets only what is open to all.
 */
export function isOpenTo(entry: RegistryHost, project: string | undefined): boolean {
  return entry.projects === undefined || (project !== undefined && matchesAny(entry.projects, project));
}
