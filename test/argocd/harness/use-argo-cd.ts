import { afterAll, afterEach, beforeAll } from 'vitest';
import { type ArgoCd, type ArgoCdOptions, startArgoCd } from './argo-cd.ts';

const LOG_LINES = 25;

/** One Argo CD for all tests of a file. When a test fails, the ends of the logs are shown and whole logs are kept. */
export function useArgoCd(options: ArgoCdOptions = {}): () => ArgoCd {
  let argoCd: ArgoCd | undefined;
  beforeAll(async () => {
    argoCd = await startArgoCd(options);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail' || argoCd === undefined) return;
    console.error(`${task.name}\n${await argoCd.sandbox.lastLines(LOG_LINES)}`);
    console.error(`whole logs are kept in ${argoCd.sandbox.keepLogs()}`);
  });
  afterAll(async () => argoCd?.[Symbol.asyncDispose]());
  return () => {
    if (argoCd === undefined) throw new Error('Argo CD is started before the first test');
    return argoCd;
  };
}
