import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
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
