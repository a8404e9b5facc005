import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

function select(...options: readonly string[]): { readonly status: number | null; readonly told: string; out: string } {
  const run = spawnSync(process.execPath, [MAIN, 'select', ...options], { input: '1.0.0\n1.0.1\n', encoding: 'utf8' });
  return { status: run.status, told: run.stderr, out: run.stdout };
}

test('an invalid constraint is wrong usage also where the strategy does not use it', () => {
  expect(select('--strategy', 'name', '--constraint', '~~')).toMatchObject({
    status: 2,
    out: '',
    told: expect.stringContaining('~~') as unknown,
  });
});

test('a valid constraint that the strategy does not use changes nothing', () => {
  expect(select('--strategy', 'name', '--constraint', '~1.0')).toEqual({ status: 0, out: '1.0.1\n', told: '' });
});

test('ignoring everything is told as that', () => {
  expect(select('--strategy', 'semver', '--ignore-tags', '*')).toEqual({
    status: 1,
    out: '',
    told: '--ignore-tags "*" ignores every tag (in a policy it pauses the image)\n',
  });
});
