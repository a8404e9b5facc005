import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, nameInTree, resolveInTree, tooManyEntries } from '../app-root.ts';
import { MAX_TREE_ENTRIES } from '../limits.ts';

/**
 * Refuses links that lead out of the tree at or below `directory` and wherever its links to directories lead: helm enters
 * those as if they were part of the chart.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE`, `FILE_TOO_LARGE`
 */
export async function scanChartLinks(root: AppRoot, directory: string): Promise<void> {
  const seen = new Set([directory]);
  let entries = 0;
  // A set is walked in the order of its additions, those made on the way included.
  for (const next of seen) {
    for (const entry of await readdir(next, { withFileTypes: true })) {
      if (++entries > MAX_TREE_ENTRIES) throw tooManyEntries(nameInTree(root.tree, directory));
      const path = join(next, entry.name);
      if (entry.isDirectory() && entry.name !== '.git') seen.add(path);
      if (!entry.isSymbolicLink()) continue;
      const target = await linkTarget(root, path);
      if (target !== undefined && (await stat(target)).isDirectory()) seen.add(target);
    }
  }
}

async function linkTarget(root: AppRoot, link: string): Promise<string | undefined> {
  const name = nameInTree(root.tree, link);
  try {
    return await resolveInTree(root, name, { from: 'tree', what: name });
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  }
}
