import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const dist = resolve(import.meta.dirname, '../../dist');

/** A Node older than the bundle needs, if this machine has one besides those of npm. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((program) => {
    try {
      return Number(execFileSync(program, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' })) < 24;
    } catch {
      return false;
    }
  });

describe('dist/image-resolver', () => {
  let folder: string;
  let program: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    await cp(dist, join(folder, 'bundle'), { recursive: true });
    program = join(folder, 'bundle/image-resolver');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  function run(node: string, args: readonly string[], input = ''): Promise<{ readonly stdout: string }> {
    const started = promisify(execFile)(program, args, {
      cwd: folder,
      env: { PATH: `${dirname(node)}:/usr/bin:/bin`, HOME: folder },
    });
    started.child.stdin?.on('error', () => undefined).end(input);
    return started;
  }

  test('runs where there are no packages', async () => {
    const { stdout } = await run(process.execPath, ['select', '--constraint', '~1.0'], 'v1.0.5\nv1.0.6\nv1.1.0\n');
    expect(stdout).toBe('v1.0.6\n');
  });

  test('evaluates patterns in a thread where there are no packages', async () => {
    const thread = new Worker(join(folder, 'bundle/lib/filter-worker.cjs'), { env: {} });
    const next = async (): Promise<unknown> => ((await once(thread, 'message')) as readonly unknown[])[0];
    expect(await next()).toEqual({ kind: 'ready' });
    const filters = [{ effect: 'allow', kind: 'regexp', pattern: '^v1' }];
    const selection = { strategy: { kind: 'semver', constraint: '*' }, filters, platforms: [] };
    thread.postMessage({ selection, tags: 'v1.0.5\nv1.0.6\nv2.0.0', count: 3, told: 0 }, []);
    expect(await next()).toMatchObject({ kind: 'selected', places: new Uint32Array([1, 0]) });
    await thread.terminate();
  });

  test('runs the code that a warm-up kept, and the bundle itself where that cannot be used', async () => {
    const cache = join(folder, 'compile-cache');
    const select = async (more: Readonly<Record<string, string>> = {}): Promise<{ readonly keptCodeUsed: boolean }> => {
      const started = promisify(execFile)(program, ['select', '--constraint', '~1.0'], {
        cwd: folder,
        env: {
          PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
          NODE_COMPILE_CACHE: cache,
          NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
          ...more,
        },
      });
      started.child.stdin?.end('v1.0.5\nv1.0.6\n');
      const { stdout, stderr } = await started;
      expect(stdout).toBe('v1.0.6\n');
      // Node tells of every file that it compiles or has in its own cache.
      expect(stderr).toContain('commander.cjs');
      return { keptCodeUsed: !stderr.includes('lib/main.cjs') };
    };
    const kept = async (): Promise<readonly string[]> =>
      (await readdir(cache)).filter((name) => name.endsWith('.code'));

    expect(await select()).toEqual({ keptCodeUsed: false });
    expect(await kept()).toEqual([]);
    await select({ IMAGE_RESOLVER_WARM_UP: '1' });
    expect(await kept()).toHaveLength(1);
    expect(await select()).toEqual({ keptCodeUsed: true });

    const [name = ''] = await kept();
    const code = await readFile(join(cache, name));
    for (const damaged of [code.subarray(0, code.length / 2), Buffer.from('no code'), Buffer.alloc(0)]) {
      await writeFile(join(cache, name), damaged);
      expect(await select()).toEqual({ keptCodeUsed: false });
    }
    // Of the same length, but of another bundle.
    await writeFile(join(cache, name), code);
    const launcher = await readFile(program, 'utf8');
    await writeFile(program, launcher.replace(/image-resolver-[0-9a-f]{16}-/, 'image-resolver-0000000000000000-'));
    expect(await select()).toEqual({ keptCodeUsed: false });
    await writeFile(program, launcher);
  });

  test.runIf(oldNode !== undefined)('says which Node it needs under an old one', async () => {
    await expect(run(oldNode ?? '', ['--version'])).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^image-resolver needs Node 24 or later on PATH, and this is v\d+\.\d+\.\d+\n$/,
      ) as string,
    });
  });
});
