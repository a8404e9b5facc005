import { readFileSync, readdirSync } from 'node:fs';
import { vi } from 'vitest';

/** Whether a process runs; a dead one that nobody has waited for yet does not. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

/** Processes whose environment or command line names a folder. */
export function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && names(name, folder))
    .map(Number)
    .filter(isRunning);
}

function names(pid: string, folder: string): boolean {
  return ['environ', 'cmdline'].some((file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

/** Waits until something is so; the test's own time is the limit. */
export async function until<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(
    async () => {
      const found = await look();
      if (found === false || found === undefined) throw new Error('not yet');
      return found;
    },
    { timeout: 30_000, interval: 10 },
  );
}
