import { UserError } from '../error/user-error.ts';
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
