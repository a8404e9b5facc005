import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { pod } from './editing.ts';

const PROGRAM = fileURLToPath(new URL('edit-stdin.ts', import.meta.url));
/** Far above what any of these takes; it ends what hangs. */
const HANGS_AFTER_MS = 50_000;
const MEMORY_MIB = 600;

async function run(input: string): Promise<{ readonly exitCode: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [`--max-old-space-size=${String(MEMORY_MIB)}`, PROGRAM], {
    timeout: HANGS_AFTER_MS,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [exitCode, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { exitCode, output: output.trim() || errors.slice(0, 400) };
}

const inPod = (spec: string): string => `apiVersion: v1\nkind: Pod\nspec:\n${spec}`;
const laughs = (levels: number): string =>
  Array.from(
    { length: levels },
    (_, level) => `  l${String(level + 1)}: &l${String(level + 1)} [${`*l${String(level)},`.repeat(10)}]\n`,
  ).join('');
const numbered = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

test.for([
  { name: 'a hundred thousand brackets', input: pod('['.repeat(100_000)), want: 'MANIFEST_TOO_DEEP' },
  { name: 'a hundred thousand brackets in JSON', input: `{"image":${'['.repeat(100_000)}`, want: 'MANIFEST_TOO_DEEP' },
  {
    name: 'maps a thousand deep',
    input: inPod(numbered(1_000, (level) => `${' '.repeat(level + 1)}spec:\n`) + 'image'),
    want: 'MANIFEST_TOO_DEEP',
  },
  { name: 'keys a thousand deep on one line', input: pod('? '.repeat(1_000)), want: 'MANIFEST_TOO_DEEP' },
  { name: '10,001 documents', input: '---\na: 1\n'.repeat(10_001), want: 'RENDER_TOO_LARGE' },
  { name: '45 MB of lines that may be images', input: 'image: 1\na: 1\n'.repeat(3_000_000), want: 'RENDER_TOO_LARGE' },
  { name: 'ten thousand documents with images', input: `---\n${pod('nginx:1')}`.repeat(9_999), want: '9999 images' },
  {
    name: 'aliases of aliases of aliases',
    input: inPod(`  l0: &l0 [image]\n${laughs(30)}  containers:\n  - image: *l30\n`),
    want: '0 images',
  },
  {
    name: 'lists of lists of one container',
    input: inPod(`  x: &a {image: "a:1"}\n  containers: [${'*a,'.repeat(400_000)}]\n`),
    want: 'MANIFEST_INVALID',
  },
  {
    name: 'a container that stands in more places than a number holds',
    input: inPod(`  l0: &l0 [{image: "a:1"}]\n${laughs(400)}  containers: *l0\n`),
    want: 'ANCHOR_SHARED',
  },
  {
    name: 'a chain of merges',
    input: inPod(
      `  m0: &m0 {image: "a:1"}\n${numbered(50_000, (n) => `  m${String(n + 1)}: &m${String(n + 1)} {<<: *m${String(n)}}\n`)}  containers: [*m50000]\n`,
    ),
    want: 'ANCHOR_SHARED',
  },
  {
    name: 'thousands of anchors',
    input: inPod(`${numbered(50_000, (n) => `  a${String(n)}: &a${String(n)} b\n`)}  containers:\n  - image: *a7\n`),
    want: '1 images',
  },
  {
    name: 'an alias within itself',
    input: inPod('  containers: &c\n  - image: a:1\n    x: *c\n'),
    want: 'MANIFEST_INVALID',
  },
  {
    name: 'a hundred thousand keys in one map',
    input: inPod(`  containers:\n  - image: a:1\n    name: *x\n${numbered(100_000, (n) => `    k${String(n)}: v\n`)}`),
    want: 'MANIFEST_INVALID',
  },
  {
    name: 'a hundred thousand containers',
    input: inPod(`  containers:\n${'  - image: a:1\n'.repeat(100_000)}`),
    want: '100000 images',
  },
  { name: 'a million comments', input: pod(`\n${'#\n'.repeat(1_000_000)}      a:1`), want: 'RENDER_TOO_LARGE' },
  {
    name: 'a million blank lines in a block scalar',
    input: pod(`>-\n${'\n'.repeat(1_000_000)}      a:1`),
    want: '1 images',
  },
  { name: 'a line of five million blanks', input: pod(`${' '.repeat(5_000_000)}a:1`), want: '1 images' },
  { name: 'a tag of five million characters', input: pod(`a:${'x'.repeat(5_000_000)}`), want: '1 images' },
  { name: 'half a million quotes', input: pod(`[${'"a","'.repeat(250_000)}`), want: 'RENDER_TOO_LARGE' },
  {
    name: 'keys of the prototype',
    input: inPod(
      '  __proto__: {image: "a:1"}\n  constructor: {image: x}\n  containers:\n  - __proto__: {image: "a:1"}\n',
    ),
    want: '0 images',
  },
  { name: 'unfinished escapes', input: pod(String.raw`"\x`), want: 'MANIFEST_INVALID' },
  {
    name: 'every control character',
    input: pod(String.fromCodePoint(...Array.from({ length: 32 }, (_, code) => code))),
    want: 'MANIFEST_INVALID',
  },
])('$name: an answer or an error, in bounded memory', { timeout: 120_000 }, async ({ input, want }) => {
  const { exitCode, output } = await run(input);
  expect(output).toBe(want);
  expect(exitCode).toBe(want.endsWith(' images') ? 0 : 1);
});
