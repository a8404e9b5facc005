import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childEnvironment } from '../../src/render/child-environment.ts';
import { RemoteBases } from '../../src/render/kustomize/remote-bases.ts';
import {
  checkout,
  DEPLOYMENT,
  errorOf,
  renderApplication,
  run,
  temporaryFolder,
  type Wish,
  writeTree,
} from './render-checkout.ts';

/** A host `git.example.com` that git reaches by an ssh which runs the server's side here. `log` has a line for each connection. */
async function gitHost(files: Readonly<Record<string, string>>): Promise<{ wish: Wish; log: string; sha: string }> {
  const folder = await temporaryFolder();
  const repository = join(folder, 'acme/bases.git');
  await writeTree(repository, files);
  const git = async (...args: string[]): Promise<string> =>
    (
      await run('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args])
    ).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('commit', '--quiet', '--message=first');
  await git('tag', '--annotate', '--message=v1', 'v1.0.0');
  await git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  const sha = await git('rev-parse', 'HEAD');
  const log = join(folder, 'log');
  await writeFile(log, '');
  const ssh = join(folder, 'ssh');
  // Called as `ssh [-o …] <host> "git-upload-pack '<path>'"`.
  const script = `#!/bin/sh\nfor last; do :; done\necho "$last" >> '${log}'\ncd '${folder}' && exec sh -c "$last"\n`;
  await writeFile(ssh, script, { mode: 0o755 });
  const wish = {
    policy: { gitCredentials: true },
    parentEnvironment: { PATH: process.env['PATH'], GIT_SSH_COMMAND: ssh, GIT_SSH_VARIANT: 'ssh' },
  };
  return { wish, log, sha };
}

const BASE = { 'web/kustomization.yaml': 'resources: [d.yaml]\n', 'web/d.yaml': DEPLOYMENT };

test.for([
  { name: 'by scp-like address', base: () => 'git@git.example.com:acme/bases.git/web' },
  { name: 'by branch', base: () => 'git@git.example.com:acme/bases.git//web?ref=main' },
  { name: 'by annotated tag', base: () => 'git@git.example.com:acme/bases.git//web?ref=v1.0.0' },
  { name: 'by full ref', base: () => 'git@git.example.com:acme/bases.git//web?ref=refs/heads/main' },
  { name: 'by commit', base: (sha: string) => `git@git.example.com:acme/bases.git//web?ref=${sha}` },
])('a remote base $name is fetched once and rendered', async ({ base }) => {
  const { wish, log, sha } = await gitHost(BASE);
  const root = await checkout({ 'app/kustomization.yaml': `resources: ["${base(sha)}"]\nnamePrefix: my-\n` });
  const { text } = await renderApplication(join(root, 'app'), wish);
  expect(text).toContain('name: my-web');
  expect((await readFile(log, 'utf8')).trim().split('\n')).toHaveLength(1);
});

test('two refs of one repository are told apart', async () => {
  const { wish, sha } = await gitHost(BASE);
  const root = await checkout({
    'app/kustomization.yaml': 'resources: [one, two]\n',
    'app/one/kustomization.yaml': 'namePrefix: one-\nresources: ["git@git.example.com:acme/bases.git//web"]\n',
    'app/two/kustomization.yaml': `namePrefix: two-\nresources: ["git@git.example.com:acme/bases.git//web?ref=${sha}"]\n`,
  });
  const { text } = await renderApplication(join(root, 'app'), wish);
  expect(text).toContain('name: one-web');
  expect(text).toContain('name: two-web');
});

test.for([
  {
    name: 'a URL of the neighbour',
    base: 'configMapGenerator: [{name: c, files: ["x=http://127.0.0.1/x"]}]',
    code: 'SOURCE_REFUSED',
  },
  { name: 'a local repository', base: 'resources: ["file:///etc"]', code: 'SOURCE_REFUSED' },
  { name: 'a path out of it', base: 'resources: [../../../../../etc]', code: 'PATH_OUTSIDE_TREE' },
])('a remote base that names $name is refused', async ({ base, code }) => {
  const { wish } = await gitHost({ 'web/kustomization.yaml': `${base}\n` });
  const root = await checkout({ 'app/kustomization.yaml': 'resources: ["git@git.example.com:acme/bases.git//web"]\n' });
  expect((await errorOf(renderApplication(join(root, 'app'), wish))).code).toBe(code);
});

test('a remote component of a parameter is fetched and checked too', async () => {
  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: from-afar-\n';
  const { wish } = await gitHost({ 'c/kustomization.yaml': component });
  const root = await checkout({ 'app/kustomization.yaml': 'resources: [d.yaml]\n', 'app/d.yaml': DEPLOYMENT });
  const components = ['git@git.example.com:acme/bases.git//c?ref=main'];
  const { text } = await renderApplication(join(root, 'app'), { ...wish, kustomize: { components } });
  expect(text).toContain('name: from-afar-web');
});

test('a remote base with submodules is refused, unless it does without them', async () => {
  const { wish } = await gitHost({ ...BASE, '.gitmodules': '[submodule "x"]\npath = x\nurl = ../x.git\n' });
  const base = 'git@git.example.com:acme/bases.git//web';
  const root = await checkout({ 'app/kustomization.yaml': `resources: ["${base}"]\n` });
  expect(await errorOf(renderApplication(join(root, 'app'), wish))).toMatchObject({ code: 'SOURCE_REFUSED' });
  const without = await checkout({ 'app/kustomization.yaml': `resources: ["${base}?submodules=false"]\n` });
  expect((await renderApplication(join(without, 'app'), wish)).text).toContain('name: web');
});

test.for([
  'git@git.example.com:acme/bases.git//web?ref=--upload-pack=touch%20MARK',
  'git@git.example.com:acme/bases.git//web?ref=%2d-upload-pack=touch%20MARK',
  'git@git.example.com:acme/bases.git//web?version=--upload-pack=touch+MARK',
  'https://git.example.com/acme/bases.yaml?ref=--upload-pack=touch%20MARK',
])('a ref that git would take for an option is refused: %s', async (written) => {
  const { wish, log } = await gitHost(BASE);
  const root = await checkout({ 'app/kustomization.yaml': `resources: ["${written}"]\n` });
  expect((await errorOf(renderApplication(join(root, 'app'), wish))).code).toBe('SOURCE_REFUSED');
  expect(await readFile(log, 'utf8')).toBe('');
});

test('without the operator’s leave, git has no credentials', async () => {
  const { wish, log } = await gitHost(BASE);
  const root = await checkout({ 'app/kustomization.yaml': 'resources: ["git@git.example.com:acme/bases.git//web"]\n' });
  const error = await errorOf(renderApplication(join(root, 'app'), { ...wish, policy: { gitCredentials: false } }));
  expect(error).toMatchObject({ code: 'RENDER_FAILED', where: 'app/kustomization.yaml resources[0]' });
  expect(await readFile(log, 'utf8')).toBe('');
});

test('a host the operator does not list is not asked', async () => {
  const { wish, log } = await gitHost(BASE);
  const root = await checkout({ 'app/kustomization.yaml': 'resources: ["git@git.example.com:acme/bases.git//web"]\n' });
  const policy = { gitCredentials: true, remoteHosts: ['github.com', '*.example.org'] };
  const error = await errorOf(renderApplication(join(root, 'app'), { ...wish, policy }));
  expect(error.code).toBe('SOURCE_REFUSED');
  expect(error.message).toContain('git.example.com');
  expect(await readFile(log, 'utf8')).toBe('');
});

test('a failure in a remote base gives the same text each time', async () => {
  const { wish } = await gitHost({ 'web/kustomization.yaml': 'resources: [d.yaml]\n', 'web/d.yaml': 'kind: Pod\n' });
  const root = await checkout({ 'app/kustomization.yaml': 'resources: ["git@git.example.com:acme/bases.git//web"]\n' });
  const first = await errorOf(renderApplication(join(root, 'app'), wish));
  const second = await errorOf(renderApplication(join(root, 'app'), wish));
  expect(first.message).toContain('missing metadata.name');
  expect(first.toData()).toStrictEqual(second.toData());
});

test('kustomize’s own git reaches nobody but the mirrors', async () => {
  const { wish, log } = await gitHost(BASE);
  const bases = new RemoteBases('/nonexistent', () => Promise.reject(new Error('not needed')));
  const env = childEnvironment({
    parent: wish.parentEnvironment ?? {},
    temporary: '/tmp/w',
    gitCredentials: true,
    gitConfig: bases.gitConfig(),
  });
  for (const url of ['git@git.example.com:acme/bases.git', 'https://git.example.com/acme/bases', 'file:///tmp']) {
    await expect(run('git', ['ls-remote', url], { env })).rejects.toMatchObject({
      stderr: expect.stringContaining('not allowed') as string,
    });
  }
  expect(await readFile(log, 'utf8')).toBe('');
});
