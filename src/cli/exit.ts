import { UserError } from '../error/user-error.ts';

/** sysexits' EX_SOFTWARE marks a bug, so that scripts can tell it from a user's mistake. */
export const EXIT: { readonly done: 0; readonly error: 1; readonly usage: 2; readonly bug: 70 } = { done: 0, error: 1, usage: 2, bug: 70 };

export function fail(error: unknown): void { process.stderr.write(String(error)); process.exitCode = EXIT.bug; void UserError; }
