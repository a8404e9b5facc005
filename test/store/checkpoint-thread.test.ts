import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { CheckpointThread } from '../../src/store/checkpoint-thread.ts';
import type { CheckpointTask } from '../../src/store/checkpoint-worker.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey, Store } from '../../src/store/store.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-'));
  file = join(directory, 'store-1.sqlite');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (everyMs: number): Promise<Store> =>
  openStore({
    directory,
    isAlone: true,
    now: Date.now,
    notices: ({ what }) => expect.unreachable(what),
    checkpoints: (path) => new CheckpointThread(path, ({ message }) => expect.unreachable(message), everyMs),
  });

async function decide(store: Store, key: string): Promise<void> {
  const decision = { tag: '1.0.1' as Tag, movedAt: 1, confirmedAt: 1 };
  expect(await store.decisions.put(key as DecisionKey, decision, null)).toBeDefined();
}

/** How many decisions the file itself has, without what is in the log only. */
function inFile(): number {
  const immutable = pathToFileURL(file);
  immutable.searchParams.set('immutable', '1');
  const database = new DatabaseSync(immutable, { readOnly: true });
  try {
    return Number(database.prepare('SELECT count(*) AS n FROM decisions').get()?.['n'] ?? 0);
  } finally {
    database.close();
  }
}

test('what is committed comes into the file while the store is open, again and again', async () => {
  const store = await open(5);
  for (let count = 1; count <= 3; count++) {
    await decide(store, `key-${count}`);
    await expect.poll(inFile, { timeout: 10_000 }).toBe(count);
  }
  await store.close();
});

test('a store that is closed leaves its file alone, whole, whenever the thread was to come next', async () => {
  const store = await open(3_600_000);
  await decide(store, 'key');
  await store.close();
  expect(readdirSync(directory)).toEqual(['store-1.sqlite']);
  expect(inFile()).toBe(1);
});

test('a log that the thread does not empty is emptied by the commits', async () => {
  const store = await open(3_600_000);
  const documents = store.documents('large', (value) => value);
  const text = 'x'.repeat(100_000);
  for (let count = 0; count < 200; count++) await documents.put(`document-${count}`, text);
  expect(statSync(file).size).toBeGreaterThan(10_000_000);
  await store.close();
});

test('a file that is not there any more is not begun again', async () => {
  const task: CheckpointTask = { path: file, everyMs: 5 };
  const worker = new Worker(new URL('../../src/store/checkpoint-worker.ts', import.meta.url), { workerData: task });
  const [error] = (await once(worker, 'error')) as [Error];
  expect(error.message).toBe('unable to open database file');
  expect(existsSync(file)).toBe(false);
});
