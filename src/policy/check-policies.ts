import { UserError } from '../error/user-error.ts';
import { checkFilter } from '../strategy/filter.ts';
import type { ImagePolicy } from './image-policy.ts';
import { quoted } from './written.ts';

/**
 * Compiles the regular expressions of policies, each text once. It loads the RE2 engine, so the caller runs it for selections
 * that were never used before.
 *
 * @returns `FILTER_INVALID` for each expression that cannot be used.
 */
export async function checkPolicies(policies: readonly ImagePolicy[]): Promise<UserError[]> {
  const errors: UserError[] = [];
  const seen = new Set<string>();
  for (const policy of policies) {
    const filters = policy.choice.kind === 'select' ? policy.choice.selection.filters : [];
    for (const [index, filter] of filters.entries()) {
      if (filter.kind !== 'regexp' || seen.has(filter.pattern)) continue;
      seen.add(filter.pattern);
      const answer = await checkFilter(filter);
      if (answer.ok) continue;
      errors.push(
        new UserError('FILTER_INVALID', {
          what: `${filter.effect}-tags of ${policy.alias}: ${quoted(filter.pattern)} ${answer.problem}`,
          where: policy.filterPlaces[index] ?? policy.origin.where,
          fix: answer.fix ?? 'correct the expression',
        }),
      );
    }
  }
  return errors;
}
