import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { type ProcessOptions, runProcess } from '../../src/render/run-process.ts';
import { errorOf, temporaryFolder } from './render-checkout.ts';

/** A real program: a shell script of its own. */
async function program(script: string): Promise<ProcessOptions & { readonly folder: string }> {
  const folder = await temporaryFolder();
  const command = join(folder, 'tool');
  await writeFile(command, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return {
    folder,
    command,
    args: [],
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    signal: new AbortController().signal,
    timeoutMs: 30_000,
    maxStdoutBytes: 1_000_000,
    maxStderrBytes: 10_000,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The pids that a script wrote to `pids`, one a line, once there are `count`. */
async function pidsIn(folder: string, count: number): Promise<readonly number[]> {
  return vi.waitFor(async () => {
    const lines = (await readFile(join(folder, 'pids'), 'utf8')).trim().split('\n');
    if (lines.length < count) throw new Error('not yet');
    return lines.map(Number);
  });
}

/** Killed processes whose parent is gone stay as zombies until init reaps them; those count as dead. */
async function expectDead(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    const state = async (): Promise<string> => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
    };
    // A process that was killed is gone when it is next scheduled, which on a busy machine takes a moment.
    await expect.poll(state, { message: `process ${pid}`, timeout: 10_000 }).toMatch(/^Z?$/);
  }
}

test('output, errors and exit code come as they are; stdin is empty', async () => {
  const result = await runProcess(await program(`cat; printf 'a\\377b'; echo oops >&2; exit 3`));
  expect(result).toStrictEqual({ stdout: Buffer.from([97, 255, 98]), stderr: 'oops\n', exitCode: 3, signal: null });
});

test('input reaches stdin, also when the program does not read it', async () => {
  expect((await runProcess({ ...(await program('cat')), input: 'x'.repeat(200_000) })).stdout).toHaveLength(200_000);
  expect((await runProcess({ ...(await program('exit 0')), input: 'x'.repeat(2_000_000) })).exitCode).toBe(0);
});

test('arguments are no shell text, and nothing of the environment is inherited', async () => {
  const options = { ...(await program('printf "%s|" "$@"; env')), args: ['$(id)', '; id', '--x=y z'] };
  vi.stubEnv('SECRET_OF_THE_PLUGIN', 'hunter22');
  const text = (await runProcess(options)).stdout.toString();
  expect(text).toMatch(/^\$\(id\)\|; id\|--x=y z\|/);
  expect(text).not.toContain('hunter22');
});

test('a death by signal is told', async () => {
  expect(await runProcess(await program('kill -9 $$'))).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
});

test('a program that hangs is killed with all its children, also when they ignore SIGTERM', async () => {
  const script = `trap '' TERM; (trap '' TERM; echo $$ >> pids; while :; do sleep 60; done) & echo $! >> pids; while :; do sleep 60; done`;
  const options = await program(script);
  const error = await errorOf(runProcess({ ...options, timeoutMs: 500 }));
  expect(error.code).toBe('RENDER_TIMEOUT');
  await expectDead(await pidsIn(options.folder, 2));
});

test('a background child that keeps stdout open does not hold the result, and does not live on', async () => {
  const options = await program('echo done; sleep 1000 & echo $! > pids');
  expect((await runProcess(options)).stdout.toString()).toBe('done\n');
  await expectDead(await pidsIn(options.folder, 1));
});

test('aborting kills the whole group and gives the reason', async () => {
  const options = await program('sleep 1000 & echo $! >> pids; echo $$ >> pids; wait');
  const controller = new AbortController();
  const running = errorOf(runProcess({ ...options, signal: controller.signal }));
  const pids = await pidsIn(options.folder, 2);
  controller.abort(new UserError('BUDGET_EXCEEDED', { what: 'the budget passed', where: 'x', fix: 'y' }));
  expect((await running).code).toBe('BUDGET_EXCEEDED');
  await expectDead(pids);
});

test('aborted before it began, nothing starts', async () => {
  const options = await program('touch started');
  const error = await errorOf(runProcess({ ...options, signal: AbortSignal.abort() }));
  expect(error.code).toBe('CANCELLED');
  await expect(readFile(join(options.folder, 'started'))).rejects.toThrow('ENOENT');
});

test('endless output is cut off and the program killed', async () => {
  const options = await program('echo $$ > pids; exec yes');
  const error = await errorOf(runProcess({ ...options, maxStdoutBytes: 100_000 }));
  expect(error.code).toBe('RENDER_TOO_LARGE');
  await expectDead(await pidsIn(options.folder, 1));
});

test('of a flood on stderr the beginning and the end are kept', async () => {
  const { stderr } = await runProcess(await program('echo first >&2; yes | head -c 3000000 >&2; echo last >&2'));
  expect(stderr.length).toBeLessThan(10_100);
  expect(stderr).toMatch(/^first\n/);
  expect(stderr).toMatch(/\[\d+ bytes left out\]/);
  expect(stderr).toMatch(/last\n$/);
});

test.for([
  { name: 'that is not installed', change: { command: 'no-such-renderer' }, code: 'RENDERER_MISSING' },
  { name: 'that is not executable', change: { command: import.meta.filename }, code: 'RENDERER_MISSING' },
  { name: 'in a directory that is gone', change: { cwd: '/nonexistent' }, code: 'RENDER_FAILED' },
  { name: 'with a NUL byte in an argument', change: { args: ['a\0b'] }, code: 'PARAMETER_INVALID' },
  {
    name: 'with an argument beyond the kernel’s limit',
    change: { args: ['x'.repeat(200_000)] },
    code: 'PARAMETER_INVALID',
  },
])('a program $name: $code', async ({ change, code }) => {
  const error = await errorOf(runProcess({ ...(await program('exit 0')), ...change }));
  expect(error.code).toBe(code);
  expect(error.fix).not.toBe('');
});

test('children die with this process, when it ends by itself in the middle', async () => {
  const { folder } = await program('');
  const source = join(import.meta.dirname, '../../src/render/run-process.ts');
  await writeFile(
    join(folder, 'main.ts'),
    `import { runProcess } from ${JSON.stringify(source)};
     void runProcess({ command: '/bin/sh', args: ['-c', 'echo $$ > pids; sleep 1000'], cwd: ${JSON.stringify(folder)}, env: { PATH: process.env.PATH },
       signal: new AbortController().signal, timeoutMs: 60000, maxStdoutBytes: 10, maxStderrBytes: 10 });
     process.stdin.on('data', () => process.exit(0));`,
  );
  const parent = spawn(process.execPath, [join(folder, 'main.ts')], { stdio: ['pipe', 'inherit', 'inherit'] });
  const pids = await pidsIn(folder, 1);
  expect(pids.every((pid) => isAlive(pid))).toBe(true);
  parent.stdin.write('end\n');
  await once(parent, 'exit');
  await vi.waitFor(() => expectDead(pids));
});
