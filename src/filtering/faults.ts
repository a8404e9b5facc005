import type { UserErrorData } from '../error/user-error.ts';
import type { Fault } from '../registry/sources.ts';

// How a policy that was not evaluated is told. The place is added by who knows it.

const SIMPLER = 'anchor the expressions (^v[0-9]+$), avoid repetitions within repetitions, or delete old tags';

/** The time passed. */
export function tooSlow(tags: number, limitMs: number): Fault {
  return refused({
    code: 'FILTER_TOO_SLOW',
    what: `selecting from ${tags} tags took longer than the ${limitMs / 1000} s that one policy may use, and was stopped`,
    where: '',
    fix: SIMPLER,
  });
}

/** The memory did not suffice. */
export function tooLarge(tags: number): Fault {
  return refused({
    code: 'FILTER_TOO_SLOW',
    what: `selecting from ${tags} tags needed more memory than one policy may use, and was stopped`,
    where: '',
    fix: SIMPLER,
  });
}

/** Too much waits already. */
export function tooMany(): Fault {
  return refused({
    code: 'FILTER_TOO_SLOW',
    what: 'too many policies of this project wait to be evaluated',
    where: '',
    fix: 'try again; when it persists, look for slow expressions in the policies of the project',
  });
}

/** Who asked has gone, or the process ends. */
export function notWaited(): Fault {
  return {
    kind: 'cancelled',
    error: {
      code: 'BUDGET_EXCEEDED',
      what: 'the time for this passed before its policy was evaluated',
      where: '',
      fix: 'try again; when it persists, look for slow expressions in the policies',
    },
  };
}

/** The policy is wrong, or too costly. */
export function refused(error: UserErrorData): Fault {
  return { kind: 'refused', error };
}
