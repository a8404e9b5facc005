import { decodeRendering } from '../decode-rendering.ts';
import { MAX_RENDERING_BYTES, MAX_STDERR_BYTES } from '../limits.ts';
import type { Rendered } from '../render-spec.ts';
import { type ProcessResult, runProcess } from '../run-process.ts';
import { type PathNames, renderFailed, warnings } from '../tool-messages.ts';

/** How helm is run for one generation. */
export interface HelmRuns {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Milliseconds that are left for all runs together. */
  readonly timeLeftMs: () => number;
  readonly paths: PathNames;
  readonly onStart?: () => void;
}

/** One run of helm. */
export interface HelmCall {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Chart or file that messages name. */
  readonly where: string;
  readonly fix: string;
}

/** Runs helm once; a failure is an answer. What it throws is {@link runProcess}'s. */
export async function runHelm(runs: HelmRuns, call: HelmCall): Promise<ProcessResult> {
  return runProcess({
    command: runs.program,
    args: call.args,
    cwd: call.cwd,
    env: runs.env,
    signal: runs.signal,
    timeoutMs: runs.timeLeftMs(),
    maxStdoutBytes: MAX_RENDERING_BYTES,
    maxStderrBytes: MAX_STDERR_BYTES,
    ...(runs.onStart && { onStart: runs.onStart }),
  });
}

/**
 * What a run printed, with its warnings.
 *
 * @throws {UserError} `RENDER_FAILED` with helm's own words when it failed.
 */
export function helmOutput(runs: HelmRuns, call: HelmCall, result: ProcessResult): Rendered {
  if (result.exitCode !== 0) throw renderFailed(result, call.where, runs.paths, call.fix);
  return {
    text: decodeRendering(result.stdout, call.where),
    notices: warnings(result.stderr, call.where, runs.paths),
  };
}
