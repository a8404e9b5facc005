import type { FilePorts, FileRead } from '../operator/files.ts';

/**
 * Files as they are at this moment: what is asked again before anything else of the program runs is answered from memory. A
 * question about a hundred images is admitted at one go, and would look at the same file a hundred times.
 */
export function readAtOnce(files: FilePorts): FilePorts {
  const stamps = new Map<string, string | undefined>();
  const reads = new Map<string, FileRead>();
  const forgetSoon = (): void => {
    if (stamps.size + reads.size > 0) return;
    queueMicrotask(() => {
      stamps.clear();
      reads.clear();
    });
  };
  return {
    ...files,
    stamp(path) {
      if (stamps.has(path)) return stamps.get(path);
      forgetSoon();
      const stamp = files.stamp(path);
      stamps.set(path, stamp);
      return stamp;
    },
    read(path) {
      const known = reads.get(path);
      if (known !== undefined) return known;
      forgetSoon();
      const found = files.read(path);
      reads.set(path, found);
      return found;
    },
  };
}
