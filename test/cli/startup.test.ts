// What starting costs is what is loaded and waited for. Times are for `npm run bench`; here is what they hang on.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { startFakeRegistry } from '../support/fake-registry.ts';
import { type ResolverRun, startPluginContainer } from '../support/run-resolver.ts';

interface Seen {
  /** Node's own modules, without those that the recorder needs itself (child_process, fs). */
  readonly builtins: readonly string[];
  /** Names of our files. */
  readonly files: readonly string[];
  /** Kinds of asynchronous work that had begun. */
  readonly waits: readonly string[];
}

let asked: ResolverRun;
let warm: ResolverRun;
let atSpawn: Seen;
let atEnd: Seen;

beforeAll(async () => {
  await using container = await startPluginContainer();
  const registry = await startFakeRegistry();
  await container.configure({
    interval: '1h',
    registries: { hosts: [{ host: registry.host, apiUrl: registry.url, insecure: true }] },
  });
  registry.content.putTags('acme/web', ['1.0.0', '1.0.6', '1.1.0']);
  const image = `${registry.host}/acme/web`;
  const application = await container.application(
    {
      'app/kustomization.yaml': 'resources: [pod.yaml]\n',
      'app/pod.yaml': `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: ${image}:1.0.0\n`,
    },
    { parameters: [{ name: 'images', array: [`web=${image}:~1.0`] }] },
  );
  asked = await container.generate(application);
  // What is known is fresh, so nobody notices that the registry is gone.
  await registry.close();

  const record = join(container.folder, 'loading.json');
  const hook = fileURLToPath(new URL('record-loading.cjs', import.meta.url));
  warm = await container.generate(application, {
    environment: { NODE_OPTIONS: `--require=${hook}`, LOADING_FILE: record },
  });
  ({ atSpawn, atEnd } = JSON.parse(await readFile(record, 'utf8')) as { atSpawn: Seen; atEnd: Seen });
});

test('a generation with fresh answers needs no registry', () => {
  expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(asked.stdout).toMatch(/image: .*:1\.0\.6\n/);
  expect(warm).toEqual(asked);
});

test('a generation with fresh answers loads the one file of the command and no package that is a file of its own', () => {
  expect(atEnd.files).toEqual(['image-resolver', 'main.cjs']);
});

const SLOW = new Set(
  'http https tls dns crypto zlib perf_hooks worker_threads readline inspector internal/deps/undici/undici'.split(' '),
);

test('a generation with fresh answers loads nothing that talks to networks, and none of the slow modules of Node', () => {
  expect(atEnd.builtins.filter((name) => SLOW.has(name))).toEqual([]);
});

test('the store is opened while the renderer runs, not before', () => {
  expect(atSpawn.builtins).not.toContain('sqlite');
  expect(atEnd.builtins).toContain('sqlite');
});

/** Promises, and stdout, signals and the renderer itself: no file, timer, name or connection. */
const HARMLESS = new Set(['PROMISE', 'TickObject', 'Microtask', 'PIPEWRAP', 'SIGNALWRAP', 'PROCESSWRAP']);

test('nothing is waited for before the renderer starts', () => {
  expect(atSpawn.waits.filter((kind) => !HARMLESS.has(kind))).toEqual([]);
});
