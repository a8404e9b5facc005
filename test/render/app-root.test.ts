import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findAppRoot, isInside, resolveInTree, scanLinks } from '../../src/render/app-root.ts';
import { checkout, errorOf, temporaryFolder, writeTree } from './render-checkout.ts';

const UUID = '0b5f1c1e-4a2e-4d0e-9c5e-3f1f0a6b7c8d';

test('below argocd-cmp-server’s work directory the tree begins there, not at a .git further down', async () => {
  const folder = await temporaryFolder();
  const tree = join(folder, '_cmp_server', UUID);
  await writeTree(tree, { 'apps/.git/HEAD': '', 'apps/web/x': '' });
  expect(findAppRoot(join(tree, 'apps/web'))).toStrictEqual({ tree, app: join(tree, 'apps/web') });
});

test('a directory of that name in the repository does not narrow the tree', async () => {
  const folder = await temporaryFolder();
  const tree = join(folder, '_cmp_server', UUID);
  await writeTree(tree, { [`a/_cmp_server/${UUID}/x`]: '' });
  expect(findAppRoot(join(tree, 'a/_cmp_server', UUID)).tree).toBe(tree);
});

test('elsewhere the tree is the Git top level, a worktree’s .git file included', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder, { '.git': 'gitdir: elsewhere\n', 'apps/web/x': '' });
  expect(findAppRoot(join(folder, 'apps/web'))).toStrictEqual({ tree: folder, app: join(folder, 'apps/web') });
});

test('without either, the tree is the directory itself', async () => {
  const folder = await temporaryFolder();
  expect(findAppRoot(folder)).toStrictEqual({ tree: folder, app: folder });
});

test('links in the directory’s own path are resolved', async () => {
  const folder = await checkout({ 'apps/web/x': '', link: { link: 'apps/web' } });
  expect(findAppRoot(join(folder, 'link')).app).toBe(join(folder, 'apps/web'));
});

test('a tree that is named must hold the directory', async () => {
  const folder = await checkout({ 'a/x': '', 'b/x': '' });
  expect(findAppRoot(join(folder, 'a'), { treeHint: join(folder, 'a') }).tree).toBe(join(folder, 'a'));
  const wrong = async (): Promise<unknown> => findAppRoot(join(folder, 'a'), { treeHint: join(folder, 'b') });
  expect((await errorOf(wrong())).code).toBe('PATH_OUTSIDE_TREE');
  expect((await errorOf((async () => findAppRoot(join(folder, 'c')))())).code).toBe('FILE_MISSING');
});

const files = {
  'app/values.yaml': '',
  'shared/values.yaml': '',
  'app/in': { link: '../shared' },
  'app/out': { link: '../../..' },
  'app/absolute': { link: '/etc' },
  'app/dangling': { link: '../../nowhere/x' },
  'app/loop': { link: 'loop' },
  'app/up-and-back': { link: '../../../../../../../../../../tmp' },
} as const;

test.for([
  { path: 'values.yaml', want: 'app/values.yaml' },
  { path: './../shared/values.yaml', want: 'shared/values.yaml' },
  { path: '/shared/values.yaml', want: 'shared/values.yaml' },
  { path: 'in/values.yaml', want: 'shared/values.yaml' },
  { path: 'missing/../values.yaml', want: 'app/values.yaml' },
  { path: '.', want: 'app' },
  { path: '/', want: '' },
])('$path is $want of the tree', async ({ path, want }) => {
  const tree = await checkout(files);
  const found = await resolveInTree({ tree, app: join(tree, 'app') }, path, { from: 'app', what: 'parameter x' });
  expect(found).toBe(want === '' ? tree : join(tree, want));
});

test.for([
  { path: '../../etc/passwd', code: 'PATH_OUTSIDE_TREE' },
  { path: '/../etc/passwd', code: 'PATH_OUTSIDE_TREE' },
  { path: 'out/etc/passwd', code: 'PATH_OUTSIDE_TREE' },
  { path: 'absolute/passwd', code: 'PATH_OUTSIDE_TREE' },
  { path: 'absolute/no-such-file', code: 'PATH_OUTSIDE_TREE' },
  { path: 'dangling', code: 'PATH_OUTSIDE_TREE' },
  { path: 'up-and-back', code: 'PATH_OUTSIDE_TREE' },
  { path: 'missing.yaml', code: 'FILE_MISSING' },
  { path: 'values.yaml/below', code: 'FILE_MISSING' },
  { path: 'loop', code: 'FILE_MISSING' },
  { path: 'a\0b', code: 'PARAMETER_INVALID' },
  { path: 'x'.repeat(5000), code: 'PARAMETER_INVALID' },
])('$path: $code', async ({ path, code }) => {
  const tree = await checkout(files);
  const error = await errorOf(
    resolveInTree({ tree, app: join(tree, 'app') }, path, { from: 'app', what: 'parameter x' }),
  );
  expect(error).toMatchObject({ code, where: 'parameter x' });
  expect(error.message + error.fix).not.toContain(tree);
});

test.for([
  { directory: '/a/b', path: '/a/b', want: true },
  { directory: '/a/b', path: '/a/b/c', want: true },
  { directory: '/a/b', path: '/a/bc', want: false },
  { directory: '/a/b', path: '/a', want: false },
  { directory: '/', path: '/a', want: true },
])('$path is inside $directory: $want', ({ directory, path, want }) => {
  expect(isInside(directory, path)).toBe(want);
});

test('a sibling whose name begins with the tree’s is outside', async () => {
  const folder = await temporaryFolder();
  await writeTree(folder, { 'tree/x': '', 'tree-of-another/secret': '' });
  const root = { tree: join(folder, 'tree'), app: join(folder, 'tree') };
  const error = await errorOf(resolveInTree(root, '../tree-of-another/secret', { from: 'app', what: 'x' }));
  expect(error.code).toBe('PATH_OUTSIDE_TREE');
});

test('links of a tree that stay in it are fine, dangling ones too; .git is not looked at', async () => {
  const tree = await checkout({
    'a/b/link': { link: '../../c' },
    'a/dangling': { link: 'nowhere' },
    '.git/hook': { link: '/etc' },
    'c/x': '',
  });
  await expect(scanLinks(tree, tree)).resolves.toBeUndefined();
});

test.for(['/etc/passwd', '../../..', '../../../nowhere', 'b/../../../x'])(
  'a link to %s is refused by name',
  async (target) => {
    const tree = await checkout({ 'a/b/x': '' });
    await mkdir(join(tree, 'a/deep'));
    await writeFile(join(tree, 'a/deep/file'), '');
    await symlink(target, join(tree, 'a/deep/link'));
    expect(await errorOf(scanLinks(join(tree, 'a'), tree))).toMatchObject({
      code: 'PATH_OUTSIDE_TREE',
      where: 'a/deep/link',
    });
  },
);
