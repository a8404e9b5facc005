import { type Notice, UserError } from '../../error/user-error.ts';
import { MAX_RENDERING_BYTES, MAX_STDERR_BYTES } from '../limits.ts';
import { runProcess } from '../run-process.ts';

/** How helm is run for one generation. */
export interface HelmRuns {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`, for all runs together. */
  readonly deadline: number;
  /** Private and random paths, and what messages show in their place. */
  readonly paths: readonly (readonly [path: string, replacement: string])[];
}

export interface HelmResult {
  readonly ok: boolean;
  readonly text: string;
  readonly stderr: string;
  /** `exit code 1`, `SIGKILL`. */
  readonly ending: string;
}

/** Bytes of stderr that a message shows: a chart's `fail` can print anything. */
const SHOWN_STDERR_BYTES = 2048;

/** Runs helm once, in `cwd`. What it throws is {@link runProcess}'s. */
export async function runHelm(runs: HelmRuns, args: readonly string[], cwd: string): Promise<HelmResult> {
  const result = await runProcess({
    command: runs.program,
    args,
    cwd,
    env: runs.env,
    signal: runs.signal,
    timeoutMs: runs.deadline - performance.now(),
    maxStdoutBytes: MAX_RENDERING_BYTES,
    maxStderrBytes: MAX_STDERR_BYTES,
  });
  return {
    ok: result.exitCode === 0,
    text: result.stdout.toString('utf8'),
    stderr: result.stderr,
    ending: result.signal ?? `exit code ${result.exitCode}`,
  };
}

/** The error for a run that failed, with helm's own words. */
export async function helmFailed(
  runs: HelmRuns,
  result: HelmResult,
  text: { readonly verb: string; readonly where: string; readonly fix: string },
): Promise<UserError> {
  return new UserError('RENDER_FAILED', {
    what: `helm ${text.verb} ended with ${result.ending}: ${await shown(runs, result.stderr)}`,
    where: text.where,
    fix: text.fix,
  });
}

/** What helm said although it succeeded. */
export async function helmNotices(runs: HelmRuns, result: HelmResult, where: string): Promise<readonly Notice[]> {
  if (result.stderr.trim() === '') return [];
  return [{ code: 'RENDER_WARNING', what: await shown(runs, result.stderr), where }];
}

async function shown(runs: HelmRuns, stderr: string): Promise<string> {
  const { sanitiseText } = await import('../../error/sanitise.ts');
  return sanitiseText(stderr.trim(), { secrets: [], paths: runs.paths, maxBytes: SHOWN_STDERR_BYTES });
}
