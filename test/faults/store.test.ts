import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import type { FakeRegistry } from '../support/fake-registry.ts';
import type { PluginContainer } from '../support/run-resolver.ts';
import { expectFailure, expectWarning } from './expect-failure.ts';
import { hostEntry, oneImage, tagIn, startWithOneRepository } from './one-image.ts';

// A store that cannot be used costs its memory, never a generation.

const mountable = spawnSync('unshare', ['--mount', 'true']).status === 0;
let registry: FakeRegistry;
let container: PluginContainer;

beforeEach(async () => {
  const started = await startWithOneRepository();
  ({ registry, container } = started);
  return started.stop;
});

/** In a mount namespace of its own, so that root is held by it as well. */
const mounted = (script: string): string => `exec unshare --mount bash -c '${script} && exec "$@"' bash "$@"`;

test('a corrupt store is set aside, said once and begun anew', async () => {
  const application = await oneImage(container, registry);
  await container.generate(application);
  writeFileSync(`${container.state}/store-1.sqlite`, 'not a database, but long enough to look like one'.repeat(200));
  const run = await expectWarning(container, application, 'STORE_REBUILT');
  expect(tagIn(run.stdout)).toBe('1.0.6');
  expect(readdirSync(container.state)).toContain('store.damaged-1');
  expect(await container.generate(application)).toMatchObject({ exitCode: 0, stderr: '' });
});

test('a damaged memory of the operator configuration is no fault', async () => {
  const application = await oneImage(container, registry);
  const before = await container.generate(application);
  writeFileSync(`${container.state}/operator-configuration.json`, '{"half');
  expect(await container.generate(application)).toEqual(before);
});

test('a corrupt store and a registry that is down: an error, not a guess', async () => {
  const application = await oneImage(container, registry);
  await container.generate(application);
  writeFileSync(`${container.state}/store-1.sqlite`, 'no database'.repeat(1000));
  registry.fail(/tags/, [{ kind: 'answer', status: 500 }], 'last');
  const run = await container.generate(application);
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toMatch(/^REGISTRY_UNAVAILABLE [^]*\nwarning: STORE_REBUILT [^\n]*\n$/);
  await expectFailure(container, application, 'REGISTRY_UNAVAILABLE');
});

test.skipIf(!mountable)(
  'a state folder that is read-only, with an answer in it: the answer, and a warning',
  async () => {
    const application = await oneImage(container, registry);
    await container.generate(application);
    registry.fail(/tags/, [{ kind: 'answer', status: 500 }], 'last');
    const around = mounted(
      `mount --bind ${container.state} ${container.state} && mount -o remount,bind,ro ${container.state}`,
    );
    const run = await expectWarning(container, application, 'STORE_UNAVAILABLE', { around });
    expect(tagIn(run.stdout)).toBe('1.0.6');
  },
);

test.skipIf(!mountable)('a state folder that is read-only and empty: resolved all the same', async () => {
  await container.write('state/.keep', '');
  const around = mounted(
    `mount --bind ${container.state} ${container.state} && mount -o remount,bind,ro ${container.state}`,
  );
  const run = await expectWarning(container, await oneImage(container, registry), 'STORE_UNAVAILABLE', { around });
  expect(tagIn(run.stdout)).toBe('1.0.6');
});

test.skipIf(!mountable)('a disk that is full: resolved all the same', async () => {
  await container.write('state/.keep', '');
  const around = mounted(`mount -t tmpfs -o size=8k tmpfs ${container.state}`);
  const run = await expectWarning(container, await oneImage(container, registry), 'STORE_UNAVAILABLE', { around });
  expect(tagIn(run.stdout)).toBe('1.0.6');
});

test('a state folder that is a file: resolved all the same', async () => {
  await container.write('state', 'a file');
  const run = await expectWarning(container, await oneImage(container, registry), 'STORE_UNAVAILABLE');
  expect(tagIn(run.stdout)).toBe('1.0.6');
});

test.for([
  { name: 'a day ahead', ms: 86_400_000 },
  { name: 'a day behind', ms: -86_400_000 },
])('a store written with a clock $name: the registry is asked again, nothing waits', async ({ ms }) => {
  const application = await oneImage(container, registry);
  const before = await container.generate(application);
  registry.fail(/tags/, [{ kind: 'answer', status: 503 }], 'last');
  await container.configure({ interval: '0s', registries: { hosts: [hostEntry(registry)] } });
  await expectWarning(container, application, 'ANSWER_STALE');
  shiftTimes(ms);
  registry.heal();
  registry.content.putTags('acme/api', ['1.0.5', '1.0.6', '1.0.7']);
  await container.configure({ interval: '30s', registries: { hosts: [hostEntry(registry)] } });
  const after = await container.generate(application);
  expect(after).toMatchObject({ exitCode: 0, stderr: '' });
  expect([before, after].map(({ stdout }) => tagIn(stdout))).toEqual(['1.0.6', '1.0.7']);
});

test('a store written with a clock a day ahead and a registry that is down: last known good', async () => {
  const application = await oneImage(container, registry);
  const before = await container.generate(application);
  shiftTimes(86_400_000);
  registry.fail(/tags/, [{ kind: 'answer', status: 500 }], 'last');
  expect((await expectWarning(container, application, 'ANSWER_STALE')).stdout).toBe(before.stdout);
});

/** Moves every time in the store, as if another clock had written it. */
function shiftTimes(ms: number): void {
  using database = new DatabaseSync(`${container.state}/store-1.sqlite`);
  const columns = database
    .prepare(
      `SELECT t.name AS name, c.name AS time FROM sqlite_schema t, pragma_table_info(t.name) c
       WHERE t.type = 'table' AND (c.name LIKE '%\\_at' ESCAPE '\\' OR c.name IN ('at', 'since', 'until', 'seen_at'))`,
    )
    .all();
  expect(columns.length).toBeGreaterThan(10);
  for (const { name, time } of columns) {
    database.prepare(`UPDATE ${String(name)} SET ${String(time)} = ${String(time)} + ?`).run(ms);
  }
}

test('many generations at once: one answer, two listings at most, nothing said and nothing left', async () => {
  const runs = await Promise.all(
    Array.from({ length: 12 }, async (_, index) =>
      container.generate(await oneImage(container, registry, { name: `shop-${index % 6}` })),
    ),
  );
  expect(new Set(runs.map(({ stdout, stderr, exitCode }) => `${exitCode} ${stderr} ${stdout}`)).size).toBe(1);
  expect(tagIn(runs[0]?.stdout ?? '')).toBe('1.0.6');
  expect(registry.requestsTo('tags/list').length).toBeLessThanOrEqual(2);
  expect(await container.leftovers()).toEqual([]);
});

test('many generations at once while the registry is down: the same error for all, and few requests', async () => {
  registry.fail(/tags/, [{ kind: 'answer', status: 503 }], 'last');
  const application = await oneImage(container, registry);
  const runs = await Promise.all(Array.from({ length: 8 }, async () => container.generate(application)));
  expect(new Set(runs.map(({ stdout, stderr, exitCode }) => `${exitCode} ${stderr} ${stdout}`)).size).toBe(1);
  expect(runs[0]).toMatchObject({ exitCode: 1, stdout: '' });
  expect(registry.requests.length).toBeLessThanOrEqual(6);
});
