import { UserError } from '../error/user-error.ts';
import { checkPolicies } from '../policy/check-policies.ts';
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
    if (error instanceof UserError && error.code === 'FILTER_INVALID') throwAll(await checkPolicies(policies));
    throw error;
  }
}
