import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey } from '../../src/store/store.ts';

// Real full and read-only disks: a small tmpfs in a mount namespace of its own where that is allowed, and everywhere a limit
// on file size, which SQLite meets as a full disk.

const WRITER = fileURLToPath(new URL('writer.ts', import.meta.url));
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'store-'));
  const store = await openStore({
    directory: join(directory, 'kept'),
    now: Date.now,
    notices: () => expect.unreachable(),
  });
  await store.decisions.put('kept' as DecisionKey, { tag: '1.0.5' as Tag, movedAt: 1, confirmedAt: 2 }, null);
  await store.close();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function inShell(script: string): {
  readonly status: number | null;
  readonly out: readonly string[];
  readonly errors: string;
} {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath, WRITER, DIRECTORY: directory },
    timeout: 50_000,
  });
  return { status, out: stdout.split('\n').filter((line) => line !== ''), errors: stderr };
}

const mountable = spawnSync('unshare', ['--mount', 'true']).status === 0 && existsSync('/proc/self/ns/mnt');

test('writing over the limit goes on in memory, said once, with what was there before', () => {
  const { out, errors } = inShell('ulimit -f 400; trap "" XFSZ; "$NODE" "$WRITER" "$DIRECTORY/kept" 3000');
  expect(errors).toBe('');
  expect(out).toEqual(['kept 1.0.5', 'notice STORE_UNAVAILABLE', 'kept 1.0.5', 'written 3000 of 3000']);
});

test.skipIf(!mountable)('a full disk is worked beside, in memory, with what was there before', () => {
  const { out, errors } = inShell(
    `unshare --mount bash -c '
      mkdir "$DIRECTORY/full" && mount -t tmpfs -o size=1m tmpfs "$DIRECTORY/full"
      cp "$DIRECTORY"/kept/* "$DIRECTORY/full"
      dd if=/dev/zero of="$DIRECTORY/full/filler" bs=1k count=2000 status=none 2>/dev/null
      "$NODE" "$WRITER" "$DIRECTORY/full" 3000'`,
  );
  expect(errors).toBe('');
  expect(out.filter((line) => line.startsWith('notice'))).toEqual(['notice STORE_UNAVAILABLE']);
  expect(out.filter((line) => !line.startsWith('notice'))).toEqual([
    'kept 1.0.5',
    'kept 1.0.5',
    'written 3000 of 3000',
  ]);
});

test.skipIf(!mountable)('a read-only disk is read, and written in memory', () => {
  cpSync(join(directory, 'kept'), join(directory, 'ro'), { recursive: true });
  const { out, errors } = inShell(
    `unshare --mount bash -c '
      mount --bind "$DIRECTORY/ro" "$DIRECTORY/ro" && mount -o remount,ro,bind "$DIRECTORY/ro"
      "$NODE" "$WRITER" "$DIRECTORY/ro" 10'`,
  );
  expect(errors).toBe('');
  expect(out).toEqual(['notice STORE_UNAVAILABLE', 'kept 1.0.5', 'kept 1.0.5', 'written 10 of 10']);
});

test.skipIf(!mountable)('a read-only disk with nothing on it is memory from the start', () => {
  const { out, errors } = inShell(
    `unshare --mount bash -c '
      mkdir "$DIRECTORY/ro" && mount --bind "$DIRECTORY/ro" "$DIRECTORY/ro" && mount -o remount,ro,bind "$DIRECTORY/ro"
      "$NODE" "$WRITER" "$DIRECTORY/ro/state" 10'`,
  );
  expect(errors).toBe('');
  expect(out).toEqual(['notice STORE_UNAVAILABLE', 'kept undefined', 'kept undefined', 'written 10 of 10']);
});
