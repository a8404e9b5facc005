import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder for one test, with the files it names; gone when the test ends. */
export interface OperatorFolder {
  readonly path: string;
  /** Writes a file below the folder and answers its path. */
  write(name: string, text: string, mode?: number): string;
}

/** A real folder, because stamps, modes and links are what is tested. */
export function operatorFolder(): OperatorFolder {
  const path = mkdtempSync(join(tmpdir(), 'operator-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, text, mode = 0o644) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { mode });
      return file;
    },
  };
}
