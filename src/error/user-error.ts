import type { ErrorCode } from './codes.ts';

/** The parts of a {@link UserError} as plain JSON: what travels between processes and into `--json` output. */
export interface UserErrorData {
  readonly code: ErrorCode;
  /** One sentence: what is wrong, with the facts that prove it. */
  readonly what: string;
  /** Where: file with line and column, document, container, parameter or setting. */
  readonly where: string;
  /** What the reader can do about it. */
  readonly fix: string;
}

/** An error a user can act on. Anything else that escapes is a bug and prints a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: ErrorCode;
  readonly where: string;
  readonly fix: string;

  constructor(code: ErrorCode, text: { what: string; where: string; fix: string }, cause?: unknown) {
    super(text.what, cause === undefined ? undefined : { cause });
    this.code = code;
    this.where = text.where;
    this.fix = text.fix;
  }

  /** The error as plain JSON, without stack and cause. */
  toData(): UserErrorData {
    return { code: this.code, what: this.message, where: this.where, fix: this.fix };
  }

  /** The error again from {@link toData}'s answer. */
  static fromData(data: UserErrorData): UserError {
    return new UserError(data.code, data);
  }
}

/** Something a user should know that did not stop the work: one line on stderr of a successful generation. */
export interface Notice {
  /** Stable, documented beside the error codes. */
  readonly code: ErrorCode;
  readonly what: string;
  readonly where?: string;
}
