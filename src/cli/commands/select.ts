import { text } from 'node:stream/consumers';
import { UserError } from '../../error/user-error.ts';
import { parseTag } from '../../image/reference.ts';
import { selectionFromSettings } from '../../policy/select-settings.ts';
import { selectorFor } from '../../strategy/from-spec.ts';
import type { Candidate } from '../../strategy/strategy.ts';
import { EXIT } from '../exit.ts';

export interface SelectOptions {
  readonly strategy: string;
  readonly constraint?: string;
  readonly allowTags: readonly string[];
  readonly ignoreTags: readonly string[];
}

/** Reads tags from standard input and prints the one that a policy selects. */
export async function runSelect(options: SelectOptions): Promise<void> {
  const selection = await selectionFromSettings(options);
  const selector = await selectorFor(selection, { rejections: false });
  const candidates = readCandidates(await text(process.stdin), selector.needs === 'created');
  const kept = new Set<string>(selector.preselect([...candidates.keys()]).kept);
  const { best } = selector.rank([...candidates.values()].filter(({ tag }) => kept.has(tag)));
  if (best === undefined) {
    const why = selection.filters.some(
      ({ effect, kind, pattern }) => effect === 'ignore' && kind === 'glob' && pattern === '*',
    )
      ? '--ignore-tags "*" ignores every tag (in a policy it pauses the image)'
      : `none of ${candidates.size} tags satisfies ${selector.label}`;
    process.stderr.write(`${why}\n`);
    process.exitCode = EXIT.error;
    return;
  }
  process.stdout.write(`${best.tag}\n`);
}

/** One tag a line, with a tabulator and an RFC 3339 date where the strategy reads dates. Empty lines are passed over. */
function readCandidates(input: string, dated: boolean): ReadonlyMap<Candidate['tag'], Candidate> {
  const candidates = new Map<Candidate['tag'], Candidate>();
  for (const [index, line] of input.split('\n').entries()) {
    const [name = '', date] = line.trimEnd().split('\t');
    if (name === '') continue;
    const tag = parseTag(name);
    if (!tag.ok) throw badLine(index, `${JSON.stringify(name.slice(0, 140))} ${tag.problem}`, 'give one tag a line');
    if (!dated) {
      candidates.set(tag.value, { tag: tag.value });
      continue;
    }
    const createdMs = Date.parse(date ?? '');
    if (Number.isNaN(createdMs)) {
      throw badLine(index, `${name} has no date`, 'newest-build reads lines of tag, tabulator, RFC 3339 date');
    }
    candidates.set(tag.value, { tag: tag.value, createdMs });
  }
  return candidates;
}

function badLine(index: number, what: string, fix: string): UserError {
  return new UserError('USAGE', { what, where: `standard input, line ${index + 1}`, fix });
}
