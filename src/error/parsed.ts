/**
 * The answer of a pure parser: the value, or what is wrong with the text. It carries no place, because only the caller
 * knows where the text was written; the caller turns it into a `UserError`.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** What is wrong, as a clause: "has an upper-case letter". */ readonly problem: string;
      readonly fix?: string;
    };

/** A parsed value. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

/** A text that could not be parsed. */
export function unparsed(problem: string, fix?: string): Parsed<never> {
  return fix === undefined ? { ok: false, problem } : { ok: false, problem, fix };
}
