import type { ErrorCode } from '../error/codes.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import type { Resolution } from '../resolve/resolver.ts';

/** Throws one error as it is, and several together, so that a person sees all of them at once. */
export function throwAll(errors: readonly UserError[]): void {
  const [first] = errors;
  if (first === undefined) return;
  throw errors.length === 1 ? first : new AggregateError(errors, `${errors.length} errors`);
}

/** Throws what made resolutions fail. */
export function throwErrorsOf(resolutions: readonly Resolution[]): void {
  throwAll(resolutions.flatMap((one) => ('error' in one ? [UserError.fromData(one.error)] : [])));
}

/**
 * Compiling regular expressions costs more than the rest together, so it is left to who evaluates them; but only here is
 * known where an invalid one was written.
 */
export async function placingFilterErrors<T>(policies: readonly ImagePolicy[], work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILTER_INVALID') {
      const { checkPolicies } = await import('../policy/check-policies.ts');
      throwAll(await checkPolicies(policies));
    }
    throw error;
  }
}

/**
 * An application that is observed as a whole is never worse off for it: what its policies do wrong becomes notices. Bugs
 * still fail.
 *
 * @param observed whether it is; else errors stay errors.
 * @param instead the answer without policies.
 */
export async function noticing<T>(
  observed: boolean,
  work: () => Promise<T>,
  instead: (notices: readonly Notice[]) => T,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const errors = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error];
    const known = errors.filter((one) => one instanceof UserError);
    if (!observed || known.length < errors.length || known.some(({ code }) => FATAL.has(code))) throw error;
    return instead(known.map(({ code, message, where }) => ({ code, what: message, where })));
  }
}

/** These are not about policies. */
const FATAL: ReadonlySet<ErrorCode> = new Set(['BUDGET_EXCEEDED', 'CANCELLED', 'OPERATOR_CONFIG_INVALID']);
