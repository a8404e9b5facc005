import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildTool } from '../tools/build.mjs';

let folder: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  for (const tool of ['kustomize', 'helm4', 'registry']) await buildTool(tool);
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Demo {
  readonly process: ChildProcess;
  output(): string;
}

function startDemo(): Demo {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'demo.ts')], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return { process: child, output: () => output };
}

/** Programs of the demo name their folder on the command line. */
function left(): readonly string[] {
  return execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(folder));
}

test('shows what becomes of each image before and after a push, without colours where nobody looks', async () => {
  const demo = startDemo();
  const [code] = (await once(demo.process, 'close')) as [number | null];
  const output = demo.output();
  expect({ code, error: code === 0 ? '' : output }).toEqual({ code: 0, error: '' });
  expect(output).not.toContain('\u001B');
  const lines = output.split('\n').map((line) => line.trim().replaceAll(/\s{2,}/g, ' | '));
  const image = 'registry.example.com/shop';
  for (const line of [
    `Deployment/backend | in Git | ${image}/backend:v1.0.5`,
    `came out | ${image}/backend:v1.0.6`,
    'why | semver ~1.0: best of v1.0.6, v1.0.5; v1.1.0, v2.0.0 refused by constraint ~1.0',
    'why | no policy: it passes as written',
    `Deployment/api | in Git | ${image}/api:0.0.9`,
    `came out | ${image}/api:0.1.0-rc.1`,
    `came out | ${image}/mail:1.9.4`,
    `before | ${image}/backend:v1.0.6`,
    `came out | ${image}/backend:v1.0.7`,
    `came out | ${image}/api:0.1.0`,
    '3 of 5 images moved, and Git did not change.',
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.filter((line) => /^came out \| .*web:production@sha256:[0-9a-f]{12}…$/.test(line))).toHaveLength(2);
  expect(await readdir(folder)).toEqual([]);
  expect(left()).toEqual([]);
});

test.for([
  { signal: 'SIGINT', when: 'starting a registry', code: 130 },
  { signal: 'SIGINT', when: 'pushed 8 images', code: 130 },
  { signal: 'SIGTERM', when: 'came out', code: 143 },
] as const)('leaves nothing behind after $signal at "$when"', async ({ signal, when, code }) => {
  const demo = startDemo();
  await expect.poll(() => demo.output(), { timeout: 30_000, interval: 5 }).toContain(when);
  demo.process.kill(signal);
  setTimeout(() => demo.process.kill(signal), 1).unref(); // a terminal sends it, and npm again
  expect(await once(demo.process, 'close')).toEqual([code, null]);
  expect(demo.output()).toContain(`stopped by ${signal}`);
  expect(await readdir(folder)).toEqual([]);
  expect(left()).toEqual([]);
});
