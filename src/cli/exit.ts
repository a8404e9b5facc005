import { tmpdir } from 'node:os';
import { formatFailure, formatNotice, MAX_FAILURE_BYTES, sanitiseText } from '../error/sanitise.ts';
import { type Notice, UserError } from '../error/user-error.ts';

/** What the shell learns. 70 is sysexits' EX_SOFTWARE: a script can tell a bug from a mistake. */
export const EXIT: { readonly done: 0; readonly error: 1; readonly usage: 2; readonly bug: 70 } = {
  done: 0,
  error: 1,
  usage: 2,
  bug: 70,
};

/**
 * Ends a command with an error: what a user can act on is told with code, place and cure, anything else is a bug and
 * prints its stack. `process.exitCode` is set and the process ends by itself, so that output is not cut.
 *
 * @param notices told behind the error as far as there is room: Argo CD stores and shows all of it.
 */
export function fail(error: unknown, notices: readonly Notice[] = []): void {
  const errors = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error];
  const known = errors.filter((one) => one instanceof UserError);
  const isBug = known.length < errors.length || known.length === 0;
  const text = isBug
    ? bugText(error)
    : formatFailure(
        known.map((one) => one.toData()),
        { paths: privatePaths() },
      );
  process.stderr.write(`${text}\n`);
  tell(notices, MAX_FAILURE_BYTES - Buffer.byteLength(text));
  if (isBug) process.exitCode = EXIT.bug;
  else process.exitCode = known.every(({ code }) => code === 'USAGE') ? EXIT.usage : EXIT.error;
}

function bugText(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = `this is a bug in image-resolver, please report it\n${stack}`;
  return sanitiseText(text, { secrets: [], paths: privatePaths(), maxBytes: MAX_FAILURE_BYTES });
}

/**
 * One line each on stderr; argocd-cmp-server logs them.
 *
 * @param room bytes for all of them; what does not fit is left out.
 */
export function tell(notices: readonly Notice[], room: number = Number.POSITIVE_INFINITY): void {
  let left = room;
  for (const line of new Set(notices.map(formatNotice))) {
    left -= Buffer.byteLength(line) + 1;
    if (left < 0) return;
    process.stderr.write(`${line}\n`);
  }
}

/** Random folders that would make equal faults read differently: Argo CD counts texts, and people search for them. */
function privatePaths(): readonly (readonly [string, string])[] {
  const cwd = process.cwd();
  const work = /^.*\/_cmp_server\/[0-9a-f-]{36}/.exec(cwd)?.[0];
  return [
    [`${work ?? cwd}/`, ''],
    [work ?? cwd, '.'],
    [tmpdir(), '$TMPDIR'],
  ];
}
