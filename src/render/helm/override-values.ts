import { Document, isScalar, parseDocument, Scalar, type YAMLSeq } from 'yaml';
import { parsed, type Parsed, unparsed } from '../../error/parsed.ts';
import { AS_WRITTEN, effectiveList } from './effective-list.ts';
import { comparePaths, type ValuePath } from './value-path.ts';

/** A value to set. */
export interface Override {
  readonly path: ValuePath;
  readonly value: string;
}

/** Values that hold before the overrides. */
export type ValueSource =
  | { readonly kind: 'text'; readonly text: string }
  /** A URL, which only helm reads. */
  | { readonly kind: 'unread' };

/**
 * The text of a values file that sets the overrides and, given to helm as the last one, changes nothing else. helm replaces
 * lists whole, so a list of which one element is set is written out as `sources` have it, with that change.
 *
 * @param sources the chart's own values, each file and the inline values, the strongest last; read only when a path has an index.
 */
export function overrideValues(overrides: readonly Override[], sources: readonly ValueSource[]): Parsed<string> {
  const document = new Document({}, AS_WRITTEN);
  for (const [index, { path }] of overrides.entries()) {
    const earlier = overrides.slice(0, index);
    if (earlier.some((other) => comparePaths(path, other.path) === 'overlapping')) {
      return unparsed(`${writtenPath(path)} is inside another value that is set`);
    }
  }
  const lists = new Map<string, YAMLSeq>();
  const readable = sources.map((source) => (source.kind === 'text' ? parseDocument(source.text, AS_WRITTEN) : source));
  for (const { path, value } of overrides) {
    const firstIndex = path.findIndex((part) => typeof part === 'number');
    if (firstIndex === -1) {
      document.setIn(path.map(quoted), quoted(value));
      continue;
    }
    const toList = path.slice(0, firstIndex).map(String);
    const known = lists.get(JSON.stringify(toList));
    const list: Parsed<YAMLSeq> = known === undefined ? effectiveList(toList, readable) : parsed(known);
    if (!list.ok) return unparsed(`${writtenPath(path)} cannot be set: ${list.problem}`, list.fix);
    const problem = setInList(list.value, path.slice(firstIndex), value);
    if (problem !== undefined) return unparsed(`${writtenPath(path)} cannot be set: ${problem}`);
    lists.set(JSON.stringify(toList), list.value);
    document.setIn(toList.map(quoted), list.value);
  }
  return parsed(document.toString({ lineWidth: 0 }));
}

/** Answers what is wrong when the place is not there; maps are created, list elements are not. */
function setInList(list: YAMLSeq, path: ValuePath, value: string): string | undefined {
  for (let depth = 1; depth <= path.length; depth++) {
    const here: unknown = list.getIn(path.slice(0, depth), true);
    const last = path[depth - 1];
    if (here === undefined && typeof last === 'number') return `the list has no element ${last}`;
    if (depth < path.length && isScalar(here))
      return `${writtenPath(path.slice(0, depth))} of the list is neither map nor list`;
  }
  list.setIn(
    path.map((part) => (typeof part === 'number' ? part : quoted(part))),
    quoted(value),
  );
  return undefined;
}

/** Quoted, so that `yes`, `1.10` and `null` are the strings they are meant to be. */
function quoted(text: string | number): Scalar<string> {
  const scalar = new Scalar(String(text));
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

function writtenPath(path: ValuePath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('');
}
