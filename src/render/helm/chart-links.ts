import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, isInside, nameInTree, resolveInTree, scanLinks } from '../app-root.ts';

/**
 * Refuses links that lead out of the tree at or below `directory` and wherever its links to directories lead: helm enters
 * those as if they were part of the chart.
 *
 * @throws {UserError} `PATH_OUTSIDE_TREE`, `FILE_TOO_LARGE`
 */
export async function scanChartLinks(root: AppRoot, directory: string): Promise<void> {
  const scanned: string[] = [];
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (scanned.some((one) => isInside(one, next ?? ''))) continue;
    await scanLinks(next, root.tree);
    scanned.push(next);
    for (const entry of await readdir(next, { recursive: true, withFileTypes: true })) {
      if (!entry.isSymbolicLink()) continue;
      const target = await linkTarget(root, join(entry.parentPath, entry.name));
      if (target !== undefined && (await stat(target)).isDirectory()) waiting.push(target);
    }
  }
}

async function linkTarget(root: AppRoot, link: string): Promise<string | undefined> {
  try {
    return await resolveInTree(root, nameInTree(root.tree, link), { from: 'tree', what: nameInTree(root.tree, link) });
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  }
}
