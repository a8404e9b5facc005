import { UserError } from '../error/user-error.ts';
import { parseConstraint } from '../image/constraint.ts';
import { checkFilter } from '../strategy/filter.ts';
import { filtersFrom, splitIgnoreTags } from './filters.ts';
import type { Platform } from '../image/platform.ts';
import type { Selection } from '../strategy/selection.ts';
import type { SettingName } from './settings.ts';
import { chooseStrategy, STRATEGY_NAMES, unknownStrategy } from './strategy-choice.ts';
import { taken, type Written } from './written.ts';

const PLATFORMS: readonly Platform[] = [{ os: 'linux', architecture: 'amd64' }];

/**
 * The selection that options of the command line describe.
 *
 * @throws {UserError} `USAGE` for anything that a policy could not have either, and for what selects no tag.
 */
export async function selectionFromSettings(options: {
  readonly strategy: string;
  readonly constraint?: string;
  readonly allowTags: readonly string[];
  readonly ignoreTags: readonly string[];
}): Promise<Selection> {
  const option = (name: string, text: string): Written => ({ text, where: `option --${name}` });
  try {
    const settings = new Map<SettingName, readonly Written[]>([
      ['allow-tags', options.allowTags.map((text) => option('allow-tags', text))],
      ['ignore-tags', options.ignoreTags.flatMap((text) => splitIgnoreTags(option('ignore-tags', text)))],
    ]);
    const { filters } = filtersFrom(settings);
    checkStrategy(option('strategy', options.strategy));
    const { constraint } = options;
    if (constraint !== undefined) {
      // Also where the strategy does not use it: a pipeline would otherwise go on with what nobody asked for.
      taken('constraint', option('constraint', constraint), parseConstraint(constraint), 'CONSTRAINT_INVALID');
    }
    const { strategy } = chooseStrategy({
      strategy: option('strategy', options.strategy),
      constraint: constraint === undefined ? undefined : option('constraint', constraint),
      filters,
      where: 'options',
    });
    if (strategy === 'none' || strategy.kind === 'digest') {
      throw selectsNothing(options.strategy);
    }
    for (const filter of filters) {
      const answer = await checkFilter(filter);
      if (!answer.ok) {
        throw usage(
          `the filter ${JSON.stringify(filter.pattern)} ${answer.problem}`,
          `option --${filter.effect}-tags`,
          answer.fix ?? 'correct it',
        );
      }
    }
    return { strategy, filters, platforms: PLATFORMS };
  } catch (error) {
    if (!(error instanceof UserError) || error.code === 'USAGE') throw error;
    throw usage(error.message, error.where, error.fix, error);
  }
}

/** Those that take a tag out of a list. */
const USABLE = [...STRATEGY_NAMES].filter(([, kind]) => kind !== 'none' && kind !== 'digest').map(([name]) => name);

function checkStrategy(written: Written): void {
  const name = written.text.trim().toLowerCase();
  if (USABLE.includes(name)) return;
  throw STRATEGY_NAMES.has(name) ? selectsNothing(name) : unknownStrategy(written, USABLE);
}

function selectsNothing(strategy: string): UserError {
  return usage(`the strategy ${strategy} selects no tag`, 'option --strategy', `write one of ${USABLE.join(', ')}`);
}

function usage(what: string, where: string, fix: string, cause?: unknown): UserError {
  return new UserError('USAGE', { what, where, fix }, cause);
}
