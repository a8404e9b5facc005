import { tmpdir } from 'node:os';
import { formatFailure, formatNotice, MAX_FAILURE_BYTES, type Redactions, sanitiseText } from '../error/sanitise.ts';
import { type Notice, UserError } from '../error/user-error.ts';

/** What the shell learns. 70 is sysexits' EX_SOFTWARE: a script can tell a bug from a mistake. */
export const EXIT: { readonly done: 0; readonly error: 1; readonly usage: 2; readonly bug: 70 } = {
  done: 0,
  error: 1,
  usage: 2,
  bug: 70,
};

/** How a command ends: what it says on stderr, and the exit code. */
export interface Ending {
  /** Whole lines, or nothing. */
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * The end by an error: what a user can act on is told with code, place and cure, anything else is a bug and shows its stack.
 *
 * @param notices told behind the error as far as there is room: Argo CD stores and shows all of it.
 * @param directory where the command works; it may be a random folder, and is not shown.
 */
export function failureEnding(error: unknown, notices: readonly Notice[], directory: string): Ending {
  const paths = privatePaths(directory);
  const errors = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error];
  const known = errors.filter((one) => one instanceof UserError);
  const isBug = known.length < errors.length || known.length === 0;
  const text = isBug
    ? bugText(error, paths)
    : formatFailure(
        known.map((one) => one.toData()),
        { paths },
      );
  const isUsage = known.every(({ code }) => code === 'USAGE');
  return {
    stderr: `${text}\n${noticeLines(notices, MAX_FAILURE_BYTES - Buffer.byteLength(text))}`,
    exitCode: isBug ? EXIT.bug : isUsage ? EXIT.usage : EXIT.error,
  };
}

/** Ends this process with an error. `process.exitCode` is set and the process ends by itself, so that output is not cut. */
export function fail(error: unknown): void {
  const { stderr, exitCode } = failureEnding(error, [], process.cwd());
  process.stderr.write(stderr);
  process.exitCode = exitCode;
}

function bugText(error: unknown, paths: Redactions['paths']): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = `this is a bug in image-resolver, please report it\n${stack}`;
  return sanitiseText(text, { secrets: [], paths, maxBytes: MAX_FAILURE_BYTES });
}

/** Notices on stderr of this process. */
export function tell(notices: readonly Notice[]): void {
  process.stderr.write(noticeLines(notices));
}

/**
 * One line each; argocd-cmp-server logs them.
 *
 * @param room bytes for all of them; what does not fit is left out.
 */
export function noticeLines(notices: readonly Notice[], room: number = Number.POSITIVE_INFINITY): string {
  let text = '';
  let left = room;
  for (const line of new Set(notices.map(formatNotice))) {
    left -= Buffer.byteLength(line) + 1;
    if (left < 0) break;
    text += `${line}\n`;
  }
  return text;
}

/** Random folders that would make equal faults read differently: Argo CD counts texts, and people search for them. */
function privatePaths(directory: string): Redactions['paths'] {
  const work = /^.*\/_cmp_server\/[0-9a-f-]{36}/.exec(directory)?.[0];
  return [
    [`${work ?? directory}/`, ''],
    [work ?? directory, '.'],
    [tmpdir(), '$TMPDIR'],
  ];
}
