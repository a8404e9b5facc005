import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openWorkspace, sweepLeftovers } from '../../src/render/workspace.ts';
import { checkout, temporaryFolder } from './render-checkout.ts';

test('nothing is created before it is asked for, and nothing is left', async () => {
  const tree = await checkout({ 'app/x': 'x' });
  const temporaryDirectory = await temporaryFolder();
  const workspace = openWorkspace({ root: { tree, app: join(tree, 'app') }, inPlace: false, temporaryDirectory });
  expect(await readdir(temporaryDirectory)).toStrictEqual([]);
  const folder = await workspace.temporary();
  expect(await workspace.temporary()).toBe(folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await workspace.editable();
  await workspace.dispose();
  await workspace.dispose();
  expect(await readdir(temporaryDirectory)).toStrictEqual([]);
});

test('the copy is private: files apart, links kept and never into the original, .git left out', async () => {
  const tree = await checkout({ 'app/x': 'x', 'app/link': { link: '../shared' }, 'shared/y': 'y' });
  const { symlink } = await import('node:fs/promises');
  await symlink(join(tree, 'shared/y'), join(tree, 'app/absolute'));
  const temporaryDirectory = await temporaryFolder();
  const workspace = openWorkspace({ root: { tree, app: join(tree, 'app') }, inPlace: false, temporaryDirectory });
  const copy = await workspace.editable();
  expect(await readdir(copy.tree)).toStrictEqual(['app', 'shared']);
  expect(await readlink(join(copy.app, 'link'))).toBe('../shared');
  await writeFile(join(copy.app, 'x'), 'changed');
  await writeFile(join(copy.app, 'absolute'), 'changed');
  expect(await readFile(join(tree, 'app/x'), 'utf8')).toBe('x');
  expect(await readFile(join(tree, 'shared/y'), 'utf8')).toBe('y');
  await workspace.dispose();
});

test('in place, the tree itself may be edited', async () => {
  const tree = await checkout({ 'app/x': 'x' });
  const root = { tree, app: join(tree, 'app') };
  const workspace = openWorkspace({ root, inPlace: true, temporaryDirectory: await temporaryFolder() });
  expect(await workspace.editable()).toBe(root);
  await workspace.dispose();
  expect(await readFile(join(tree, 'app/x'), 'utf8')).toBe('x');
});

/** A process that opens a workspace and is killed with SIGKILL, while a child of its own goes on. */
async function killedPredecessor(temporaryDirectory: string): Promise<{ readonly child: number }> {
  const source = join(import.meta.dirname, '../../src/render/workspace.ts');
  const main = join(await temporaryFolder(), 'main.ts');
  await writeFile(
    main,
    `import { spawn } from 'node:child_process';
     import { openWorkspace } from ${JSON.stringify(source)};
     const workspace = openWorkspace({ root: { tree: '/', app: '/' }, inPlace: true, temporaryDirectory: ${JSON.stringify(temporaryDirectory)} });
     const folder = await workspace.temporary();
     const child = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore', env: { HOME: folder + '/home' } });
     process.stdout.write(String(child.pid) + '\\n');
     setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const child = await new Promise<number>((done) => parent.stdout.once('data', (line: Buffer) => done(Number(line))));
  onTestFinished(() => {
    try {
      process.kill(child, 'SIGKILL');
    } catch {
      // As it should be.
    }
  });
  await new Promise((done) => {
    parent.once('exit', done);
    parent.kill('SIGKILL');
  });
  return { child };
}

test('what a killed predecessor left is swept, its running children too', async () => {
  const temporaryDirectory = await temporaryFolder();
  const { child } = await killedPredecessor(temporaryDirectory);
  expect(await readdir(temporaryDirectory)).toHaveLength(1);
  await sweepLeftovers(temporaryDirectory);
  expect(await readdir(temporaryDirectory)).toStrictEqual([]);
  await vi.waitFor(async () => {
    const state = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => '0 (x) Z');
    expect(state.slice(state.lastIndexOf(')') + 2)).toMatch(/^Z/);
  });
});

test('the folder of a running generation stays, and so does what is not ours', async () => {
  const temporaryDirectory = await temporaryFolder();
  const workspace = openWorkspace({ root: { tree: '/', app: '/' }, inPlace: true, temporaryDirectory });
  const folder = await workspace.temporary();
  await mkdir(join(temporaryDirectory, 'image-resolver-notes'));
  await writeFile(join(temporaryDirectory, 'image-resolver-999999999-1-file'), '');
  await sweepLeftovers(temporaryDirectory);
  expect(await readdir(temporaryDirectory)).toHaveLength(3);
  expect((await stat(folder)).isDirectory()).toBe(true);
  await workspace.dispose();
});

test('a pid that was given again to another process does not protect a folder', async () => {
  const temporaryDirectory = await temporaryFolder();
  await mkdir(join(temporaryDirectory, `image-resolver-${process.pid}-1-abcdef`));
  await sweepLeftovers(temporaryDirectory);
  expect(await readdir(temporaryDirectory)).toStrictEqual([]);
});

test('several may sweep at once, and a directory that is not there is no fault', async () => {
  const temporaryDirectory = await temporaryFolder();
  for (let at = 0; at < 20; at++) {
    await mkdir(join(temporaryDirectory, `image-resolver-999999999-1-${at}/a/b`), { recursive: true });
  }
  await Promise.all([1, 2, 3, 4].map(() => sweepLeftovers(temporaryDirectory)));
  expect(await readdir(temporaryDirectory)).toStrictEqual([]);
  await sweepLeftovers(join(temporaryDirectory, 'none'));
});
