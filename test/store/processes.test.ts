import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey } from '../../src/store/store.ts';

const HAMMER = fileURLToPath(new URL('hammer.ts', import.meta.url));
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Run {
  readonly id: string;
  readonly killed: boolean;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs one real process; `killAfter` lines, if given, it gets SIGKILL. */
function hammer(id: string, rounds: number, killAfter?: number): Promise<Run> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [HAMMER, directory, id, String(rounds)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (killAfter !== undefined && out.split('\n').length > killAfter) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('close', (_, signal) => {
      const lines = out.split('\n').slice(0, -1);
      done({ id, killed: signal === 'SIGKILL', lines, errors });
    });
  });
}

const lastOf = (run: Run, word: string): number =>
  Math.max(0, ...run.lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.split(' ')[1])));

test('twenty processes at once, half of them killed, lose no committed decision', { timeout: 120_000 }, async () => {
  const runs = await Promise.all(
    Array.from({ length: 20 }, (_, n) => hammer(`p${n}`, 20, n % 2 === 0 ? 3 + n : undefined)),
  );
  for (const run of runs) {
    expect(run.errors).toBe('');
    expect(run.lines.filter((line) => line.startsWith('notice'))).toEqual([]);
    expect(run.killed || run.lines.at(-1) === 'done').toBe(true);
  }
  expect(runs.filter(({ killed }) => killed).length).toBeGreaterThan(5);

  const store = await openStore({ directory, now: Date.now, notices: () => expect.unreachable() });
  const tagOf = async (key: string): Promise<number> =>
    Number((await store.decisions.get(key as DecisionKey))?.value.tag);
  for (const run of runs) {
    // A killed process may have committed one more than it could tell.
    const told = lastOf(run, 'own');
    expect([told, told + 1]).toContain((await tagOf(`own ${run.id}`)) || 0);
    expect((await store.answers.last(`app-${run.id}`)).size).toBeLessThanOrEqual(1);
  }
  // Compare-and-set: every number was given once, so none was overwritten unseen.
  const shared = runs.flatMap((run) => run.lines.filter((line) => line.startsWith('shared ')));
  expect(new Set(shared).size).toBe(shared.length);
  expect(await tagOf('shared')).toBeGreaterThanOrEqual(Math.max(...runs.map((run) => lastOf(run, 'shared'))));
  await store.close();

  expect(readdirSync(directory)).toEqual(['store-1.sqlite']);
  const database = new DatabaseSync(join(directory, 'store-1.sqlite'));
  expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
  database.close();
});

test('processes that find a damaged store at once agree on one successor', { timeout: 60_000 }, async () => {
  writeFileSync(join(directory, 'store-1.sqlite'), 'garbage'.repeat(9_999));
  const runs = await Promise.all(Array.from({ length: 8 }, (_, n) => hammer(`p${n}`, 5)));
  for (const run of runs) expect([run.errors, run.lines.at(-1)]).toEqual(['', 'done']);
  const shared = runs.flatMap((run) => run.lines.filter((line) => line.startsWith('shared ')));
  expect(new Set(shared).size).toBe(40);
  expect(readdirSync(directory)).toEqual(['store-2.sqlite', 'store.damaged-1']);
});
