import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isGone, ownHolder } from '../../src/store/holder.ts';
import { openStore } from '../../src/store/open-store.ts';

const [space = '', pid = '', start = ''] = ownHolder().split(' ');
const ended = String(spawnSync(process.execPath, ['--version']).pid);

test.for<{ name: string; holder: string; gone: boolean }>([
  { name: 'this process', holder: ownHolder(), gone: false },
  { name: 'a process that ended', holder: `${space} ${ended} ${start}`, gone: true },
  { name: 'an earlier process with the pid of one that runs', holder: `${space} ${pid} 1`, gone: true },
  { name: 'a process on another machine or in another container', holder: `x${space} ${ended} ${start}`, gone: false },
  { name: 'a process that does not know where it is', holder: `? ${ended} ${start}`, gone: false },
  { name: 'a process that does not know when it started', holder: `${space} ${ended} `, gone: false },
  { name: 'a holder that an earlier version wrote', holder: `${ended}.123456.1`, gone: false },
])('$name is provably gone: $gone', ({ holder, gone }) => {
  expect(isGone(holder)).toBe(gone);
});

test('a lease of a process that runs is left alone, and taken at once when the process was killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'store-'));
  const script = fileURLToPath(new URL('lease-holder.ts', import.meta.url));
  const child = spawn(process.execPath, [script, directory, 'n'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString()).toBe('held\n');
  const store = await openStore({ directory, now: Date.now, notices: () => expect.unreachable() });
  expect(await store.leases.acquire('n', 8_000)).toBeUndefined();

  child.kill('SIGKILL');
  await once(child, 'close');
  const taken = await store.leases.acquire('n', 8_000);
  expect(await taken?.extend?.()).toBe(true);
  expect(await store.leases.acquire('n', 8_000)).toBeUndefined();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});
