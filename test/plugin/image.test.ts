import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PARAMETER_NAMES } from '../../src/parameters/catalog.ts';
import { connectCmpServer } from '../support/cmp-server.ts';
import { buildTool, toolDirectory } from '../tools/build.mjs';
import { canRunContainers, startContainer, type Container, type Mount } from './container.ts';
import { layOutImage, type ImageLayout } from './image-layout.ts';

const POLL = { timeout: 30_000, interval: 20 };

describe.skipIf(!canRunContainers())('the image, read-only and unprivileged', () => {
  let folder: string;
  let image: ImageLayout;
  let running: Container | undefined;
  let volumes: { readonly plugins: string; readonly argocd: string; readonly state: string; readonly work: string };

  beforeAll(async () => {
    await buildTool('argocd');
    folder = await mkdtemp(join(tmpdir(), 'image-'));
    await chmod(folder, 0o755);
    image = await layOutImage(await folderOf('root'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    const [plugins, argocd, state, work] = ['plugins', 'argocd', 'state', 'work'].map((name) => join(folder, name));
    volumes = { plugins, argocd, state, work } as typeof volumes;
    for (const volume of Object.values(volumes)) {
      await mkdir(volume);
      await chmod(volume, 0o777);
    }
  });
  afterEach(async () => {
    await running?.remove();
    running = undefined;
    for (const volume of Object.values(volumes)) await rm(volume, { recursive: true, force: true });
  });

  async function folderOf(name: string): Promise<string> {
    await mkdir(join(folder, name));
    return join(folder, name);
  }

  /** As Argo CD's init container leaves it. */
  async function mountArgoCd(): Promise<readonly Mount[]> {
    await writeFile(join(volumes.argocd, 'argocd'), '');
    await symlink('argocd', join(volumes.argocd, 'argocd-cmp-server'));
    return [
      { from: volumes.argocd, to: '/var/run/argocd' },
      { from: join(toolDirectory('argocd'), 'argocd'), to: '/var/run/argocd/argocd' },
    ];
  }

  /** A server of our own in the place of Argo CD's. */
  async function mountServer(script: string): Promise<readonly Mount[]> {
    const file = join(volumes.argocd, 'argocd-cmp-server');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return [{ from: volumes.argocd, to: '/var/run/argocd' }];
  }

  function start(mounts: readonly Mount[], environment: Readonly<Record<string, string>> = {}): Container {
    running = startContainer({
      ...image,
      mounts: [
        ...image.mounts,
        { from: volumes.plugins, to: '/home/argocd/cmp-server/plugins', writable: true },
        { from: volumes.state, to: '/var/lib/image-resolver', writable: true },
        ...mounts,
      ],
      environment: { ...image.environment, IMAGE_RESOLVER_STATE: '/var/lib/image-resolver', ...environment },
      command: image.entrypoint,
    });
    return running;
  }

  async function serving(container: Container): Promise<string> {
    const socket = join(volumes.plugins, 'image-resolver.sock');
    let code: number | null | undefined;
    void container.ended.then((ended) => (code = ended));
    await expect.poll(() => existsSync(socket) || code !== undefined, POLL).toBe(true);
    expect(code === undefined ? 'it runs' : container.output()).toBe('it runs');
    return socket;
  }

  const pinned = {
    ARGOCD_APP_NAME: 'web',
    ARGOCD_APP_NAMESPACE: 'shop',
    ARGOCD_APP_PROJECT_NAME: 'default',
    ARGOCD_APP_PARAMETERS: JSON.stringify([
      { name: 'images', array: ['web=registry.example.com/acme/web'] },
      { name: 'image-settings', map: { 'web.pin': '2.0.1' } },
    ]),
  };

  async function writeApplication(): Promise<void> {
    await writeFile(join(volumes.work, 'kustomization.yaml'), 'resources: [pod.yaml]\nnamePrefix: shop-\n');
    await writeFile(
      join(volumes.work, 'pod.yaml'),
      'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: "registry.example.com/acme/web:2.0.0"}]}\n',
    );
  }

  test('answers a generation through the real plugin server, with the code from the baked compile cache', async () => {
    const container = start(await mountArgoCd(), { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' });
    const client = connectCmpServer(await serving(container));
    try {
      await writeApplication();
      const manifests = await client.generate({ root: volumes.work, environment: pinned });
      expect(manifests.map((text) => JSON.parse(text) as unknown)).toMatchObject([
        { metadata: { name: 'shop-web' }, spec: { containers: [{ image: 'registry.example.com/acme/web:2.0.1' }] } },
      ]);
      const announced = await client.parameters({ root: volumes.work, environment: pinned });
      // Static and dynamic ones together: each once, none missing.
      expect(announced.map(({ name }) => name).toSorted()).toEqual(PARAMETER_NAMES.toSorted());
    } finally {
      client.close();
    }
    // The server logs what the command wrote to stderr: there Node tells of its compile cache. The bundle is not even looked
    // for in it, because its code was kept whole.
    await expect.poll(() => container.output(), POLL).toContain('/opt/image-resolver/image-resolver was accepted');
    expect(container.output()).not.toContain('lib/main.cjs');
    expect(container.output()).not.toMatch(
      /no such file or directory|was rejected|read-only file system|permission denied/i,
    );
  });

  test('runs as 999 without capabilities and cannot write but to its volumes', async () => {
    const probe =
      'for place in / /opt/image-resolver /opt/image-resolver/compile-cache /home/argocd /var/run/argocd; do ' +
      '(: >"$place/probe") 2>/dev/null && echo "wrote to $place"; done; echo probed; exec sleep 600';
    const container = start(await mountServer(probe));
    await expect.poll(() => container.output(), POLL).toContain('probed');
    expect(container.output()).not.toContain('wrote to');
    expect(container.status('NoNewPrivs')).toBe('1');
    expect(container.status('CapEff')).toMatch(/^0+$/);
    const user = process.getuid?.() === 0 ? image.user : process.getuid?.();
    expect(container.status('Uid')?.split('\t')).toEqual(Array.from({ length: 4 }, () => String(user)));
  });

  test("gives the compile cache to root, so that tenants' code could not change it on a writable file system either", async () => {
    const cache = join(image.root, image.environment['NODE_COMPILE_CACHE'] ?? '');
    const entries = await readdir(cache, { recursive: true });
    expect(entries.length).toBeGreaterThan(3);
    for (const entry of ['', ...entries]) {
      const { mode, uid } = await stat(join(cache, entry));
      expect({ entry, writable: mode & 0o022, uid }).toEqual({ entry, writable: 0, uid: process.getuid?.() });
    }
  });

  test('reaps what renderers leave behind', async () => {
    // Each subshell ends before its child, which is then the child of process 1.
    const container = start(
      await mountServer('for i in 1 2 3 4 5; do (sleep 0.01 & echo "left $!"); done; (sleep 600 &); exec sleep 601'),
      { IMAGE_RESOLVER_WORKERS: '0' },
    );
    await expect.poll(() => container.output().match(/left/g)?.length, POLL).toBe(5);
    await expect
      .poll(() => container.processes().map(({ name, state }) => `${name} ${state === 'Z' ? 'zombie' : 'alive'}`), POLL)
      .toEqual(['entrypoint.sh alive', 'sleep alive', 'sleep alive']);
  });

  describe('workers', () => {
    const pids = (container: Container): readonly number[] =>
      container.processes().flatMap(({ pid, name }) => (name.startsWith('node') ? [pid] : []));

    test('render for the command that plugin.yaml names', async () => {
      await writeApplication();
      // No process could: the folder of image-resolver is not on PATH.
      const script = [
        'until [ -S /tmp/image-resolver-workers/0.sock ]; do sleep 0.05; done',
        'cd /work && PATH=/usr/local/bin:/usr/bin:/bin ARGOCD_APP_NAME=web /opt/image-resolver/image-resolver-generate',
        'echo "ended with $?"; exec sleep 600',
      ].join('\n');
      const container = start([...(await mountServer(script)), { from: volumes.work, to: '/work', writable: true }]);
      await expect.poll(() => container.output(), POLL).toContain('ended with');
      expect(container.output()).toContain('name: shop-web');
      expect(container.output()).toContain('ended with 0');
    });

    test('are two, or as many as the operator says, and one that ends is replaced', async () => {
      const container = start(await mountServer('exec sleep 600'), { IMAGE_RESOLVER_WORKERS: '1' });
      await expect.poll(() => pids(container), POLL).toHaveLength(1);
      const [first = -1] = pids(container);
      process.kill(first, 'SIGKILL');
      await expect.poll(() => pids(container).filter((pid) => pid !== first), POLL).toHaveLength(1);
      await running?.remove();
      const other = start(await mountServer('exec sleep 600'));
      await expect.poll(() => pids(other), POLL).toHaveLength(2);
    });

    test.for(['two', '-1', '17', '2 3'])('%j is no number of them', async (count) => {
      const container = start(await mountServer('exec sleep 600'), { IMAGE_RESOLVER_WORKERS: count });
      expect(await container.ended).toBe(1);
      expect(container.output()).toContain('must be a number from 0 to 16');
    });
  });

  test('ends on SIGTERM, although the plugin server only removes its socket on the first signal', async () => {
    const container = start(await mountArgoCd());
    await serving(container);
    container.signal('SIGTERM');
    expect(await container.ended).toBe(128 + constants.signals.SIGTERM);
    expect(container.processes()).toEqual([]);
  });

  test('waits for a server that ends its work first, and hands on its exit code', async () => {
    const container = start(
      await mountServer(
        'trap "echo ending; sleep 0.1; echo ended; exit 7" TERM; echo ready; while :; do sleep 0.05; done',
      ),
    );
    await expect.poll(() => container.output(), POLL).toContain('ready');
    container.signal('SIGTERM');
    expect(await container.ended).toBe(7);
    expect(container.output()).toContain('ending\nended');
  });

  test('ends when the server ends by itself, with its exit code', async () => {
    const container = start(await mountServer('exit 20'));
    expect(await container.ended).toBe(20);
  });

  test("says what to mount when Argo CD's binary is not there", async () => {
    const container = start([]);
    expect(await container.ended).toBe(1);
    expect(container.output()).toBe(
      "image-resolver: /var/run/argocd/argocd-cmp-server is not there: mount Argo CD's var-files volume at /var/run/argocd (manifests/sidecar)\n",
    );
  });

  test('has no package folder: what it runs is the bundle alone', async () => {
    const files = await readdir(image.root, { recursive: true });
    expect(files.filter((file) => file.includes('node_modules') || file.endsWith('.ts'))).toEqual([]);
  });
});
