import { UserError } from '../error/user-error.ts';
import { checkFilter } from '../strategy/filter.ts';
import { filtersFrom, splitIgnoreTags } from './filters.ts';
import type { Platform } from '../image/platform.ts';
import type { Selection } from '../strategy/selection.ts';
import type { SettingName } from './settings.ts';
import { chooseStrategy } from './strategy-choice.ts';
import type { Written } from './written.ts';

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
    const { constraint } = options;
    const { strategy } = chooseStrategy({
      strategy: option('strategy', options.strategy),
      constraint: constraint === undefined ? undefined : option('constraint', constraint),
      filters,
      where: 'options',
    });
    if (strategy === 'none' || strategy.kind === 'digest') {
      throw usage(`the strategy ${options.strategy} selects no tag`, 'option --strategy', 'choose another one');
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

function usage(what: string, where: string, fix: string, cause?: unknown): UserError {
  return new UserError('USAGE', { what, where, fix }, cause);
}
