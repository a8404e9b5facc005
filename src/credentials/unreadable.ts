import { UserError } from '../error/user-error.ts';

/**
 * A credential that is bound but cannot be had.
 *
 * @param id the binding.
 * @param problem a clause; never a part of what was read or printed.
 */
export function unreadable(id: string, problem: string, fix: string): UserError {
  return new UserError('CREDENTIAL_UNREADABLE', {
    what: `the credential ${id} ${problem}`,
    where: `credential ${id}`,
    fix,
  });
}
