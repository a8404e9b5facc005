import { UserError } from '../error/user-error.ts';
import { parseGlob } from '../strategy/glob.ts';
import { MAX_FILTERS, MAX_PATTERN_CHARACTERS } from '../strategy/limits.ts';
import type { FilterSpec } from '../strategy/selection.ts';
import { taken, type Written, type WrittenSettings, wrongValue } from './written.ts';

const REGEXP_PREFIX = /^rege(?:xp|x):/;

/** The filters of an image. Regular expressions are compiled later ({@link file://./check-policies.ts}), globs are checked here. */
export interface Filters {
  readonly filters: readonly FilterSpec[];
  /** Where each of `filters` is written. */
  readonly filterPlaces: readonly string[];
  /** argocd-image-updater's way to pause an image: it ignores every tag. */
  readonly pausedBy?: Written;
}

/**
 * @throws {UserError} `FILTER_INVALID`.
 */
export function filtersFrom(settings: WrittenSettings): Filters {
  const ignored = settings.get('ignore-tags') ?? [];
  const pausedBy = ignored.find(({ text }) => text === '*');
  const placed = [
    ...(settings.get('allow-tags') ?? []).flatMap((written) => at(written, allowFilter(written))),
    ...(settings.get('image-tag-filter') ?? []).flatMap((written) => at(written, [bareExpression(written)])),
    ...ignored.flatMap((written) => at(written, [ignoreFilter(written)])),
  ];
  const filters = placed.map(({ filter }) => filter);
  if (filters.length > MAX_FILTERS) {
    throw new UserError('FILTER_INVALID', {
      what: `there are ${filters.length} tag filters, and ${MAX_FILTERS} is the limit`,
      where: ignored[0]?.where ?? '',
      fix: 'join several into one regular expression',
    });
  }
  return { filters, filterPlaces: placed.map(({ where }) => where), ...(pausedBy !== undefined && { pausedBy }) };
}

function at(
  { where }: Written,
  filters: readonly FilterSpec[],
): readonly { readonly filter: FilterSpec; readonly where: string }[] {
  return filters.map((filter) => ({ filter, where }));
}

/** The globs of a comma-separated value; with `regexp:` in front the whole is one expression, commas and all. */
export function splitIgnoreTags({ text, where }: Written): readonly Written[] {
  if (REGEXP_PREFIX.test(text.trim())) return [{ text: text.trim(), where }];
  const items = splitList({ text, where });
  const late = items.find((item) => REGEXP_PREFIX.test(item.text));
  if (late === undefined) return items;
  throw wrongValue('ignore-tags', late, 'stands behind a comma, and an expression must be the whole value', {
    code: 'FILTER_INVALID',
    fix: 'write one expression alone, such as regexp:^(a|b), or globs alone',
  });
}

/** The items between commas, trimmed, empty ones dropped. */
export function splitList({ text, where }: Written): readonly Written[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => ({ text: item, where }));
}

function allowFilter(written: Written): readonly FilterSpec[] {
  const text = written.text.trim();
  if (text === 'any') return [];
  if (!REGEXP_PREFIX.test(text)) {
    throw wrongValue('allow-tags', written, 'is neither regexp:<expression> nor any', {
      code: 'FILTER_INVALID',
      fix: 'write regexp: before an expression in RE2 syntax, such as regexp:^v[0-9]+$',
    });
  }
  return [{ effect: 'allow', kind: 'regexp', pattern: expressionOf('allow-tags', written, text) }];
}

function bareExpression(written: Written): FilterSpec {
  const text = written.text.trim();
  if (REGEXP_PREFIX.test(text)) {
    throw wrongValue('image-tag-filter', written, 'has a prefix, and the expression stands alone here', {
      code: 'FILTER_INVALID',
      fix: 'remove the prefix, or write allow-tags instead',
    });
  }
  return { effect: 'allow', kind: 'regexp', pattern: checkedLength('image-tag-filter', written, text) };
}

function ignoreFilter(written: Written): FilterSpec {
  const text = written.text.trim();
  if (REGEXP_PREFIX.test(text)) {
    return { effect: 'ignore', kind: 'regexp', pattern: expressionOf('ignore-tags', written, text) };
  }
  taken('ignore-tags', written, parseGlob(text), 'FILTER_INVALID');
  return { effect: 'ignore', kind: 'glob', pattern: text };
}

function expressionOf(name: 'allow-tags' | 'ignore-tags', written: Written, text: string): string {
  return checkedLength(name, written, text.replace(REGEXP_PREFIX, ''));
}

function checkedLength(
  name: 'allow-tags' | 'ignore-tags' | 'image-tag-filter',
  written: Written,
  pattern: string,
): string {
  if (pattern !== '' && pattern.length <= MAX_PATTERN_CHARACTERS) return pattern;
  const problem =
    pattern === '' ? 'has no expression' : `has an expression of more than ${MAX_PATTERN_CHARACTERS} characters`;
  throw wrongValue(name, written, problem, { code: 'FILTER_INVALID' });
}
