// Runs the commands that the pages show, and compares what they print. `UPDATE_DOCS=1 vitest run test/docs/commands.test.ts`
// writes what is printed now into the pages.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { buildTool } from '../tools/build.mjs';
import { type Block, blocksOf, nameOf, pages, PROJECT, textOf } from './markdown.ts';

/** What the registry of the pages holds: what their prose says, and what a public one would never change for us. */
const PUSHED = ['1.0.0', '1.0.5', '1.0.6-rc.1', '1.0.6', '1.1.0', '2.0.0'].map((tag) => ({
  repository: 'acme/backend',
  tag,
}));

let registry: RealRegistry;
let path: string;
const folders = new Map<string, string>();

beforeAll(async () => {
  if (!existsSync(join(PROJECT, 'dist/image-resolver'))) throw new Error('run npm run build first');
  registry = await startRealRegistry();
  await registry.pushImages(PUSHED);
  path = [join(PROJECT, 'dist'), dirname(await buildTool('kustomize')), process.env['PATH']].join(':');
});
afterAll(async () => {
  await registry.stop();
  for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
});

/** A folder with the files that a page shows under their names, and a configuration that knows where the registry is. */
function folderOf(page: string): string {
  const known = folders.get(page);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  folders.set(page, folder);
  for (const block of blocksOf(page).filter(isFile)) {
    mkdirSync(dirname(join(folder, 'work', block.note)), { recursive: true });
    writeFileSync(join(folder, 'work', block.note), block.text);
  }
  mkdirSync(join(folder, 'work'), { recursive: true });
  const host = { host: 'registry.example.com', apiUrl: registry.url, insecure: true };
  const configuration = {
    apiVersion: 'image-resolver.io/v1alpha1',
    kind: 'ResolverConfiguration',
    registries: { hosts: [host] },
  };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(configuration));
  return folder;
}

function isFile(block: Block): boolean {
  return block.note.includes('.') && !block.note.includes(' ');
}

/** Standard output and standard error as a terminal shows them, with what differs from run to run made the same. */
async function run(command: string, folder: string): Promise<string> {
  const child = spawn('bash', ['-c', command], {
    cwd: join(folder, 'work'),
    env: {
      PATH: path,
      HOME: folder,
      IMAGE_RESOLVER_CONFIG: join(folder, 'config.yaml'),
      IMAGE_RESOLVER_STATE: join(folder, 'state'),
      DOCKER_CONFIG: folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((done) => {
    child.on('close', done);
  });
  return Buffer.concat(chunks)
    .toString('utf8')
    .replaceAll(join(folder, 'config.yaml'), '/etc/image-resolver/config.yaml')
    .replaceAll(registry.url, 'https://registry.example.com')
    .replaceAll(registry.host, 'registry.example.com')
    .replaceAll(/in \d+ ms/g, 'in 21 ms');
}

interface Shown {
  readonly command: string;
  readonly output: string;
}

function shownIn(block: Block): readonly Shown[] {
  return block.text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    });
}

const shown = pages().flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === 'console')
    .map((block) => ({ name: nameOf(block), block })),
);

test('some pages show commands with their output', () => {
  expect(shown.flatMap(({ block }) => shownIn(block)).length).toBeGreaterThan(10);
});

describe('what a page shows is what the command prints', () => {
  test.for(shown)('$name', async ({ block }) => {
    const folder = folderOf(block.page);
    const printed: Shown[] = [];
    for (const { command } of shownIn(block)) printed.push({ command, output: await run(command, folder) });
    if (process.env['UPDATE_DOCS'] === '1') return update(block, printed);
    expect(printed).toEqual(shownIn(block));
  });
});

function update(block: Block, printed: readonly Shown[]): void {
  const text = printed.map(({ command, output }) => `$ ${command}\n${output}`).join('');
  writeFileSync(
    join(PROJECT, block.page),
    textOf(block.page).replace(`\`\`\`console\n${block.text}\`\`\``, () => `\`\`\`console\n${text}\`\`\``),
  );
}

describe('a shell block that is not run', () => {
  const blocks = pages().flatMap((page) => blocksOf(page).filter(({ language }) => language === 'sh'));

  test.for(blocks.map((block) => ({ name: nameOf(block), block })))('$name is accepted by sh', async ({ block }) => {
    const folder = folderOf(block.page);
    writeFileSync(join(folder, 'syntax.sh'), block.text);
    expect(await run(`sh -n ${join(folder, 'syntax.sh')}`, folder)).toBe('');
  });

  test('calls image-resolver with commands and options that exist', async () => {
    const folder = folderOf('docs/command-line.md');
    const calls = blocks.flatMap(({ text }) => [...text.matchAll(/image-resolver ([a-z]+)((?: +[^ |>\n;]+)*)/g)]);
    expect(calls.length).toBeGreaterThan(3);
    for (const [, command = '', rest = ''] of calls) {
      const help = await run(`image-resolver ${command} --help`, folder);
      expect(help).toContain(`Usage: image-resolver ${command}`);
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(help).toContain(option);
    }
  });
});
