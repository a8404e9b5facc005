import { describe, expect, test } from 'vitest';
import { nameInTree } from '../../src/render/app-root.ts';
import { resolveValueFiles } from '../../src/render/helm/value-files.ts';
import { checkout, renderOptions } from './render-checkout.ts';

const FILES = {
  'app/values.yaml': '',
  'app/b.yaml': '',
  'app/a-1.yaml': '',
  'app/envs/b.yaml': '',
  'app/envs/a.yaml': '',
  'app/envs/b/c.yaml': '',
  'app/envs/b/deep/d.yaml': '',
  'app/envs/c.yml': '',
  'app/envs/[x].yaml': '',
  'shared/s.yaml': '',
  'app/envs/linked.yaml': { link: '../../shared/s.yaml' },
  'app/envs/gone.yaml': { link: 'nowhere.yaml' },
  'app/envs/dir': { link: '../../shared' },
};

async function resolved(valueFiles: readonly string[], ignoreMissingValueFiles = false): Promise<readonly string[]> {
  const tree = await checkout(FILES);
  const { root, policy } = await renderOptions(tree, { app: 'app' });
  const files = await resolveValueFiles(root, { valueFiles, ignoreMissingValueFiles }, policy);
  return files.map(({ kind, path }) => (kind === 'url' ? path : nameInTree(root.tree, path)));
}

describe('value files', () => {
  test.for<{ name: string; valueFiles: readonly string[]; ignoreMissing?: boolean; want: readonly string[] }>([
    {
      name: 'count from the chart, and with a leading slash from the tree',
      valueFiles: ['values.yaml', './envs/a.yaml', '../shared/s.yaml', '/app/b.yaml'],
      want: ['app/values.yaml', 'app/envs/a.yaml', 'shared/s.yaml', 'app/b.yaml'],
    },
    { name: 'come once', valueFiles: ['b.yaml', './b.yaml', '/app/b.yaml'], want: ['app/b.yaml'] },
    {
      name: 'that are missing are left out when that is allowed',
      valueFiles: ['gone.yaml', 'b.yaml', 'no/*.yaml', 'envs/no*.yaml'],
      ignoreMissing: true,
      want: ['app/b.yaml'],
    },
    {
      name: 'of a pattern come in the order of their names, links as what they lead to',
      valueFiles: ['envs/*.yaml'],
      want: ['app/envs/[x].yaml', 'app/envs/a.yaml', 'app/envs/b.yaml', 'shared/s.yaml'],
    },
    {
      name: 'of ** come directory by directory at the place of its name',
      valueFiles: ['envs/**/*.yaml'],
      want: [
        'app/envs/[x].yaml',
        'app/envs/a.yaml',
        'app/envs/b/c.yaml',
        'app/envs/b/deep/d.yaml',
        'app/envs/b.yaml',
        'shared/s.yaml',
      ],
    },
    {
      name: 'named by themselves keep their place though a pattern matches them before',
      valueFiles: ['envs/[ab].yaml', 'values.yaml', 'envs/a.yaml'],
      want: ['app/envs/b.yaml', 'app/values.yaml', 'app/envs/a.yaml'],
    },
    {
      name: 'may be given by braces beside a pattern',
      valueFiles: ['envs/{a,c}.y*ml'],
      want: ['app/envs/a.yaml', 'app/envs/c.yml'],
    },
    { name: 'may be given by what a character is not', valueFiles: ['envs/[^a[].yaml'], want: ['app/envs/b.yaml'] },
    {
      name: 'may be given by a range',
      valueFiles: ['a-[0-9].yaml', 'envs/?.yaml'],
      want: ['app/a-1.yaml', 'app/envs/a.yaml', 'app/envs/b.yaml'],
    },
    { name: 'may have an escaped bracket', valueFiles: [String.raw`envs/\[?\].yaml`], want: ['app/envs/[x].yaml'] },
    {
      name: 'below ** at the end are all',
      valueFiles: ['envs/b/**'],
      want: ['app/envs/b/c.yaml', 'app/envs/b/deep/d.yaml'],
    },
    { name: 'in a directory of any name are not deeper', valueFiles: ['envs/*/*.yaml'], want: ['app/envs/b/c.yaml'] },
    {
      name: 'may be https URLs, which are no patterns',
      valueFiles: ['https://example.com/v.yaml?a=*'],
      want: ['https://example.com/v.yaml?a=*'],
    },
  ])('$name', async ({ valueFiles, ignoreMissing = false, want }) => {
    expect(await resolved(valueFiles, ignoreMissing)).toEqual(want);
  });

  test.for<{ name: string; valueFile: string; code: string }>([
    { name: 'must be there', valueFile: 'gone.yaml', code: 'FILE_MISSING' },
    { name: 'must match a pattern', valueFile: 'no*.yaml', code: 'FILE_MISSING' },
    { name: 'may not be given by an open bracket', valueFile: 'a[', code: 'PARAMETER_INVALID' },
    { name: 'may not be given by an open brace', valueFile: '*{a', code: 'PARAMETER_INVALID' },
    { name: 'may not be given by an empty class', valueFile: 'a[]', code: 'PARAMETER_INVALID' },
    { name: 'may not be given by a range the wrong way round', valueFile: '[z-a]', code: 'PARAMETER_INVALID' },
    { name: 'may not be given by an endless pattern', valueFile: '*'.repeat(513), code: 'PARAMETER_INVALID' },
  ])('$name', async ({ valueFile, code }) => {
    await expect(resolved([valueFile])).rejects.toMatchObject({ code });
  });
});
