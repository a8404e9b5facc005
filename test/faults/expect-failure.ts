import { expect } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/error/codes.ts';
import type { PluginContainer, ResolverRun, RunOptions, TestApplication } from '../support/run-resolver.ts';

/** What Argo CD stores of a failure. */
const MAX_FAILURE_BYTES = 4096;

/**
 * A generation that must fail as Argo CD and people need it: nothing on stdout, a short text with the code, the same text
 * again, no folder of this run in it, nothing left behind. Answers the text.
 */
export async function expectFailure(
  container: PluginContainer,
  application: TestApplication,
  code: ErrorCode,
  options: RunOptions & { readonly once?: true } = {},
): Promise<string> {
  const { once, ...run } = options;
  const first = await container.generate(application, run);
  checkFailure(first, container, code);
  if (once === undefined) {
    const second = await container.generate(application, run);
    expect(second, 'the same fault again').toEqual(first);
  }
  expect(await container.leftovers()).toEqual([]);
  return first.stderr;
}

/** The rules every failure keeps. */
export function checkFailure(run: ResolverRun, container: PluginContainer, code: ErrorCode): void {
  expect(run).toMatchObject({ stdout: '', exitCode: 1, signal: null });
  expect(codesIn(run.stderr)).toContain(code);
  expect(Buffer.byteLength(run.stderr)).toBeLessThanOrEqual(MAX_FAILURE_BYTES);
  expect(run.stderr).not.toContain(container.folder);
  expect(run.stderr).not.toMatch(/image-resolver-[0-9]+-[0-9]+-|\n {4}at .*:[0-9]+:[0-9]+/);
  // oxlint-disable-next-line no-control-regex -- nothing that acts on a terminal
  expect(run.stderr).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
}

/** A generation that goes well with exactly one warning of this code, on one line. Answers the run. */
export async function expectWarning(
  container: PluginContainer,
  application: TestApplication,
  code: ErrorCode,
  options: RunOptions = {},
): Promise<ResolverRun> {
  const run = await container.generate(application, options);
  expect(run).toMatchObject({ exitCode: 0, signal: null });
  expect(run.stderr).toMatch(new RegExp(`^warning: ${code} [^\\n]+\\n$`));
  expect(run.stderr).not.toContain(container.folder);
  expect(await container.leftovers()).toEqual([]);
  return run;
}

/** The codes that head errors. */
export function codesIn(stderr: string): readonly string[] {
  const heads = stderr.split('\n').map((line) => line.split('  ')[0] ?? '');
  return heads.filter((head) => Object.hasOwn(ERROR_CODES, head));
}
