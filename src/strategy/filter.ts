import { parsed, unparsed, type Parsed } from '../error/parsed.ts';
import type { FilterSpec } from './selection.ts';
import { parseGlob } from './glob.ts';
import { MAX_PATTERN_CHARACTERS } from './limits.ts';

/** A filter that is ready to be used. */
export interface Filter {
  /** For messages: `ignore-tags "*-rc*"`. */
  readonly label: string;
  /** Whether a tag stays. */
  keeps(tag: string): boolean;
}

/** Whether a filter can be used, for the place where it is written. Its value is the filter again. */
export async function checkFilter(spec: FilterSpec): Promise<Parsed<FilterSpec>> {
  const filter = await compileFilter(spec);
  return filter.ok ? parsed(spec) : filter;
}

/** A filter made ready. Regular expressions are RE2's and take time linear in the tag. */
export async function compileFilter(spec: FilterSpec): Promise<Parsed<Filter>> {
  const matcher = spec.kind === 'glob' ? parseGlob(spec.pattern) : await parseRegexp(spec.pattern);
  if (!matcher.ok) return matcher;
  const { matches } = matcher.value;
  const setting = spec.effect === 'allow' ? 'allow-tags' : 'ignore-tags';
  return parsed({
    label: `${setting} ${JSON.stringify(spec.kind === 'regexp' ? `regexp:${spec.pattern}` : spec.pattern)}`,
    keeps: spec.effect === 'allow' ? matches : (tag) => !matches(tag),
  });
}

async function parseRegexp(pattern: string): Promise<Parsed<{ readonly matches: (text: string) => boolean }>> {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return unparsed(`is longer than ${MAX_PATTERN_CHARACTERS} characters`);
  // Loaded when there is a regular expression only: most policies have none, and `generate` starts for every generation.
  const { RE2JS, RE2JSException } = await import('re2js');
  try {
    const expression = RE2JS.compile(pattern);
    return parsed({ matches: (text: string): boolean => expression.test(text) });
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return unparsed(
      `is no regular expression in RE2 syntax (${error.message.replace('error parsing regexp: ', '')})`,
      'RE2 has neither lookaround nor back references: https://github.com/google/re2/wiki/Syntax',
    );
  }
}
