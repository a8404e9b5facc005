import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  deployment,
  hostEntry,
  images,
  oneImage,
  standInForKustomize,
  startWithOneRepository,
} from '../faults/one-image.ts';
import { processesOf, until } from '../faults/processes.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';
import type { PluginContainer, ResolverRun, RunningResolver } from '../support/run-resolver.ts';

// image-resolver-generate, which plugin.yaml names, with real workers.

let registry: FakeRegistry;
let container: PluginContainer;

beforeEach(async () => {
  const started = await startWithOneRepository();
  ({ registry, container } = started);
  return started.stop;
});

/** A renderer of this name that says that it runs, and ends when the file `go` is there. */
async function waitingRenderer(): ReturnType<typeof standInForKustomize> {
  const { folder } = container;
  const script = `#!/bin/bash\ntouch "${folder}/begun"\nwhile [ ! -e "${folder}/go" ]; do sleep 0.02; done\ncat app/api.yaml\n`;
  return standInForKustomize(container, registry, script);
}

const hasBegun = (): boolean => existsSync(join(container.folder, 'begun'));

const byClient = { byClient: true } as const;

/** Where no process may render, only a worker can have. */
async function noProcess(): Promise<{ readonly toolsFirst: readonly string[] }> {
  return { toolsFirst: [dirname(await container.write('no-process/image-resolver', '#!/bin/sh\nexit 9\n', 0o755))] };
}

describe('with a worker', () => {
  let worker: RunningResolver;
  beforeEach(async () => {
    worker = await container.startWorker();
  });

  test('renders as a process does: manifests, warnings, exit code', async () => {
    const application = await oneImage(container, registry, { settings: { 'api.ignore-tags': '*' } });
    const byProcess = await container.generate(application);
    expect(byProcess).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('IMAGE_PAUSED') as string });
    expect(await container.generate(application, { ...byClient, ...(await noProcess()) })).toEqual(byProcess);
    expect(worker.said).toEqual({ stdout: '', stderr: '' });
  });

  test('fails as a process does: the same text without private folders, and nothing on stdout', async () => {
    const application = await oneImage(container, registry, { settings: { 'api.update-strategy': 'nearest' } });
    const missing = await container.application({ 'app/kustomization.yaml': 'resources: [missing.yaml]\n' });
    for (const one of [application, missing]) {
      const byProcess = await container.generate(one, { inPlace: true });
      expect(byProcess).toMatchObject({ stdout: '' });
      expect(await container.generate(one, { ...byClient, ...(await noProcess()) })).toEqual(byProcess);
    }
  });

  test('each generation has the variables of its own client, and no other', async () => {
    const elsewhere = { IMAGE_RESOLVER_CONFIG: await container.write('etc/other.yaml', 'not: a configuration') };
    const application = await oneImage(container, registry);
    const options = { ...byClient, ...(await noProcess()) };
    const other = await container.generate(application, { ...options, environment: elsewhere });
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('etc/other.yaml') as string });
    expect(await container.generate(application, options)).toMatchObject({ exitCode: 0, stderr: '' });
    const odd = { ARGOCD_ENV_LINES: 'a\nb', ARGOCD_ENV_ODD: 'ä=\u{1f600}"\\' };
    expect(await container.generate(application, { ...options, environment: odd })).toMatchObject({ exitCode: 0 });
  });

  test('takes as many variables as a process can have', async () => {
    // 1.6 MB, and each of these characters is six in the client's JSON.
    const names = Array.from({ length: 13 }, (_, index) => `ARGOCD_ENV_LONG_${index}`);
    const environment = Object.fromEntries(names.map((name) => [name, '<'.repeat(125_000)]));
    const application = await oneImage(container, registry);
    const run = await container.generate(application, { ...byClient, ...(await noProcess()), environment });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('leaves nothing behind, however many there are: no file, descriptor, thread or process', async () => {
    // Each generation asks the registry again, with an expression and a credential program.
    const helper = await container.write('login', '#!/bin/sh\necho user:password\n', 0o755);
    await container.configure({
      interval: '0s',
      minimumInterval: '0s',
      registries: { hosts: [hostEntry(registry, { credentials: `ext:${helper}` })] },
    });
    const options = { ...byClient, ...(await noProcess()) };
    const good = await container.application(
      {
        'app/kustomization.yaml': 'resources: [api.yaml]\n',
        'app/api.yaml': deployment(`${registry.host}/acme/api:1.0.0`),
      },
      {
        parameters: [
          images(`api=${registry.host}/acme/api:~1.0`),
          { name: 'image-settings', map: { 'api.allow-tags': 'regexp:^1[.]' } },
        ],
      },
    );
    const bad = await container.application({ 'app/kustomization.yaml': 'resources: [missing.yaml]\n' });
    const round = async (): Promise<void> => {
      expect(await container.generate(good, options)).toMatchObject({ exitCode: 0 });
      expect(await container.generate(bad, options)).toMatchObject({ exitCode: 1 });
    };
    const held = (): readonly number[] =>
      ['fd', 'task'].map((kind) => readdirSync(`/proc/${worker.pid}/${kind}`).length);
    await round();
    await until(() => processesOf(container.folder).length === 1);
    const [descriptors = 0, threads = 0] = held();
    const asked = registry.requests.length;
    for (let index = 0; index < 10; index++) await round();
    expect(registry.requests.length).toBeGreaterThanOrEqual(asked + 10);
    await expect.poll(() => held()[0]).toBeLessThanOrEqual(descriptors);
    expect(held()[1]).toBeLessThanOrEqual(threads);
    expect(await container.leftovers()).toEqual([]);
    expect(processesOf(container.folder)).toEqual([worker.pid]);
  });

  test('while it is busy, another generation is a process of its own', async () => {
    const { application, toolsFirst } = await waitingRenderer();
    const first = container.startGenerate(application, { ...byClient, toolsFirst });
    await until(hasBegun);
    const second = await container.generate(await oneImage(container, registry), byClient);
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('acme/api:1.0.6') as string });
    await container.write('go', '');
    expect(await first.ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('acme/api:1.0.6') as string,
    });
  });

  test('two workers render two at once, and a third generation is a process', async () => {
    await container.startWorker();
    const { application, toolsFirst } = await waitingRenderer();
    const one = container.startGenerate(application, {
      ...byClient,
      toolsFirst: [...toolsFirst, ...(await noProcess()).toolsFirst],
    });
    await until(hasBegun);
    const options = { ...byClient, ...(await noProcess()) };
    expect(await container.generate(await oneImage(container, registry), options)).toMatchObject({ exitCode: 0 });
    await container.write('go', '');
    expect(await one.ended).toMatchObject({ exitCode: 0 });
  });

  test.for(['SIGKILL', 'SIGTERM'] as const)(
    '%s to the client ends its renderer, and the worker goes on',
    async (signal) => {
      const { application, toolsFirst } = await waitingRenderer();
      const client = container.startGenerate(application, { ...byClient, toolsFirst });
      await until(hasBegun);
      client.kill(signal);
      await client.ended;
      await until(async () => processesOf(container.folder).length === 1 && (await container.leftovers()).length === 0);
      const next = await container.generate(await oneImage(container, registry), {
        ...byClient,
        ...(await noProcess()),
      });
      expect(next).toMatchObject({ exitCode: 0, stderr: '' });
    },
  );

  test('a worker that is killed in the middle is an error; the next generation is a process', async () => {
    const { application, toolsFirst } = await waitingRenderer();
    const client = container.startGenerate(application, { ...byClient, toolsFirst });
    await until(hasBegun);
    worker.kill('SIGKILL');
    expect(await client.ended).toEqual<ResolverRun>({
      stdout: '',
      stderr: expect.stringMatching(
        /^WORKER_ENDED  the worker .*\n  at   the plugin container\n  fix  .*\n$/,
      ) as string,
      exitCode: 1,
      signal: null,
    });
    const next = await container.generate(await oneImage(container, registry), byClient);
    expect(next).toMatchObject({ exitCode: 0, stderr: '' });
    // What it left is swept as that of any process that was killed.
    await until(async () => (await container.leftovers()).length === 0 && processesOf(container.folder).length === 0);
  });

  test('told to stop in the middle, a worker ends its generation first', async () => {
    const { application, toolsFirst } = await waitingRenderer();
    const client = container.startGenerate(application, { ...byClient, toolsFirst });
    await until(hasBegun);
    worker.kill('SIGTERM');
    await container.write('go', '');
    expect(await client.ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('acme/api:1.0.6') as string,
    });
    expect(await worker.ended).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('told to stop, a worker ends, whatever a credential program left open', async () => {
    const { folder } = container;
    const helper = await container.write(
      'login',
      `#!/bin/sh\nsetsid sleep 60 & echo $! > "${folder}/daemon"\necho user:password\n`,
      0o755,
    );
    await container.configure({ registries: { hosts: [hostEntry(registry, { credentials: `ext:${helper}` })] } });
    const client = container.startGenerate(await oneImage(container, registry), byClient);
    await until(() => existsSync(join(folder, 'daemon')));
    client.kill('SIGKILL');
    await client.ended;
    worker.kill('SIGTERM');
    try {
      expect(await worker.ended).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await container.leftovers()).toEqual([]);
    } finally {
      process.kill(Number(readFileSync(join(folder, 'daemon'), 'utf8')));
    }
  }, 8_000);

  test('a worker that does not react is passed over', async () => {
    worker.kill('SIGSTOP');
    const run = await container.generate(await oneImage(container, registry), byClient);
    worker.kill('SIGCONT');
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('what cannot be written is an error', async () => {
    const run = await container.generate(await oneImage(container, registry), {
      ...byClient,
      around: 'exec "$@" >/dev/full',
    });
    expect(run).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^OUTPUT_UNWRITABLE  .*no space/) as string,
    });
  });

  test('a renderer that prints nothing is no success here either', async () => {
    const tool = await container.write('empty/kustomize', '#!/bin/sh\n', 0o755);
    const application = await container.application({ 'app/kustomization.yaml': 'resources: []\n' });
    const run = await container.generate(application, { ...byClient, toolsFirst: [dirname(tool)] });
    expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('RENDER_EMPTY') as string });
  });
});

test('the client is formatted as Go is, and go vet finds nothing', () => {
  const cwd = join(import.meta.dirname, '../../plugin/client');
  const run = (command: string, ...args: readonly string[]): string =>
    execFileSync(command, args, { cwd, encoding: 'utf8' });
  expect(run('gofmt', '-l', '.')).toBe('');
  expect(run('go', 'vet', '.')).toBe('');
});

describe('without a worker', () => {
  test('a generation is a process', async () => {
    const run = await container.generate(await oneImage(container, registry), byClient);
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('acme/api:1.0.6') as string, stderr: '' });
  });

  test('the socket of a worker that is gone is passed over', async () => {
    await container.write('tmp/image-resolver-workers/0.sock', '');
    const run = await container.generate(await oneImage(container, registry), byClient);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('it says so when the program is not on PATH', async () => {
    const run = await container.generate(await oneImage(container, registry), {
      ...byClient,
      environment: { PATH: join(container.folder, 'empty') },
    });
    expect(run).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('must be on PATH') as string,
    });
  });
});
