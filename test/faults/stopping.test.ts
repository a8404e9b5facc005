import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import type { FakeRegistry } from '../support/fake-registry.ts';
import type { PluginContainer } from '../support/run-resolver.ts';
import { checkFailure, expectFailure } from './expect-failure.ts';
import { hostEntry, oneImage, standInForKustomize, startWithOneRepository, tagIn } from './one-image.ts';
import { processesOf, until } from './processes.ts';

// The budget passes, somebody says stop, or the process is simply gone.

let registry: FakeRegistry;
let container: PluginContainer;

beforeEach(async () => {
  const started = await startWithOneRepository();
  ({ registry, container } = started);
  return started.stop;
});

/** A kustomize that hangs with a child, both deaf to SIGTERM, after it wrote `hanging` into the container's folder. */
async function hanging(): ReturnType<typeof standInForKustomize> {
  const script = `#!/bin/bash\ntrap '' TERM\n(trap '' TERM; sleep 1000) &\ntouch "${container.folder}/hanging"\nsleep 1000\n`;
  return standInForKustomize(container, registry, script);
}

const isHanging = (): boolean => existsSync(`${container.folder}/hanging`);

test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s while a renderer hangs: an error, no process and no file left',
  async (signal) => {
    const { application, toolsFirst } = await hanging();
    const running = container.startGenerate(application, { toolsFirst });
    await until(isHanging);
    running.kill(signal);
    const run = await running.ended;
    checkFailure(run, container, 'CANCELLED');
    expect(run.stderr).toContain(signal);
    expect(await container.leftovers()).toEqual([]);
    expect(await until(() => processesOf(container.folder).length === 0)).toBe(true);
  },
);

test('SIGTERM while a registry is silent: an error, and nothing left', async () => {
  registry.fail(/tags/, [{ kind: 'silence' }], 'last');
  const running = container.startGenerate(await oneImage(container, registry));
  await until(() => registry.requests.length > 0);
  running.kill('SIGTERM');
  checkFailure(await running.ended, container, 'CANCELLED');
  expect(await container.leftovers()).toEqual([]);
});

test('SIGKILL while a renderer hangs: the next start sweeps folder and processes', async () => {
  const { application, toolsFirst } = await hanging();
  const running = container.startGenerate(application, { toolsFirst });
  await until(isHanging);
  running.kill('SIGKILL');
  expect(await running.ended).toMatchObject({ stdout: '', signal: 'SIGKILL' });
  expect(await container.leftovers()).toHaveLength(1);
  expect(processesOf(container.folder).length).toBeGreaterThan(0);

  const next = await container.generate(application);
  expect(next).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(next.stdout)).toBe('1.0.6');
  expect(await container.leftovers()).toEqual([]);
  expect(await until(() => processesOf(container.folder).length === 0)).toBe(true);
});

test('a generation that is under way is not swept by another', async () => {
  const { application, toolsFirst } = await hanging();
  const running = container.startGenerate(application, { toolsFirst });
  await until(isHanging);
  const before = await container.leftovers();
  expect(await container.generate(application)).toMatchObject({ exitCode: 0 });
  expect(await container.leftovers()).toEqual(before);
  running.kill('SIGTERM');
  await running.ended;
});

test('SIGKILL while a registry is asked: the next start finds a sound store and an answer', async () => {
  const application = await oneImage(container, registry);
  registry.fail(/tags/, [{ kind: 'silence' }]);
  const running = container.startGenerate(application);
  await until(() => registry.requests.length > 0);
  running.kill('SIGKILL');
  await running.ended;
  const next = await container.generate(application);
  expect(next).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(next.stdout)).toBe('1.0.6');
  using database = new DatabaseSync(`${container.state}/store-1.sqlite`, { readOnly: true });
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
});

test('the budget passes while a registry is silent: the error says which one', async () => {
  await container.configure({ budget: '2s', registries: { hosts: [hostEntry(registry)] } });
  registry.fail(/tags/, [{ kind: 'silence' }], 'last');
  const stderr = await expectFailure(container, await oneImage(container, registry), 'BUDGET_EXCEEDED', { once: true });
  expect(stderr).toContain(`while ${registry.host} was asked about ${registry.host}/acme/api`);
});

test('a program of the operator that hangs for a credential is ended, with what it started', async () => {
  const script = await container.write('etc/credential', '#!/bin/bash\nsleep 1000 & sleep 1000\n', 0o755);
  await container.configure({
    credentialHelpers: { timeout: '1s', environment: ['PATH', 'HOME'] },
    registries: { hosts: [hostEntry(registry, { credentials: `ext:${script}` })] },
  });
  const run = await container.generate(await oneImage(container, registry));
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toContain('CREDENTIAL_UNREADABLE');
  expect(run.stderr).toContain('did not end within 1 s');
  expect(await container.leftovers()).toEqual([]);
  expect(await until(() => processesOf(container.folder).length === 0)).toBe(true);
});
