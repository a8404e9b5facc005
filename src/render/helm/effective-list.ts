import { type Document, isAlias, isMap, isScalar, isSeq, Scalar, visit, type YAMLSeq } from 'yaml';
import { parsed, type Parsed, unparsed } from '../../error/parsed.ts';

/** Scalars stay the text they are written with: what `1.10`, `0o7` or `yes` mean is for helm's own YAML reader to say. */
export const AS_WRITTEN = { schema: 'failsafe', uniqueKeys: false, logLevel: 'silent', prettyErrors: false } as const;

/** A values file, read with {@link AS_WRITTEN}, or one that cannot be read here. */
export type ReadableSource = Document | { readonly kind: 'unread' };

/**
 * A copy of the list that holds at `keys` when helm has merged the sources: the last one that has it.
 *
 * @param sources the strongest last.
 */
export function effectiveList(keys: readonly string[], sources: readonly ReadableSource[]): Parsed<YAMLSeq> {
  for (const source of sources.toReversed()) {
    if ('kind' in source)
      return unparsed('a value file that is a URL may set the list', 'keep that file in the repository');
    const found = find(source.contents, keys);
    if (found === 'absent') continue;
    if (isSeq(found)) return copied(found);
    if (found === 'anchors') return withAnchors();
    return unparsed(`${keys.join('.')} is no list in the values`);
  }
  return unparsed(
    `the values have no list ${keys.join('.')}`,
    "write the list into a value file; a sub-chart's own values are not looked at",
  );
}

function find(contents: unknown, keys: readonly string[]): unknown {
  let at = contents;
  for (const key of keys) {
    if (isNothing(at)) return 'absent';
    if (isAlias(at) || (isMap(at) && at.has('<<'))) return 'anchors';
    if (!isMap(at)) return at;
    at = at.get(key, true);
    if (at === undefined) return 'absent';
  }
  return isAlias(at) ? 'anchors' : at;
}

/** An empty document or map entry. A `null` that is written out deletes the value in helm, so it is something. */
function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === '' && node.type === Scalar.PLAIN);
}

function copied(list: YAMLSeq): Parsed<YAMLSeq> {
  const copy = list.clone() as YAMLSeq;
  let anchors = false;
  visit(copy, {
    Alias: () => {
      anchors = true;
    },
    Collection: (_, node) => {
      anchors ||= node.anchor !== undefined;
    },
    Scalar: (_, node) => {
      anchors ||= node.anchor !== undefined || node.value === '<<';
      // Nothing at all is null; written out under the reading of strings only it would become "".
      if (node.value === '' && node.type === Scalar.PLAIN) node.value = 'null';
    },
    Pair: (_, pair) => {
      if (pair.value === null) pair.value = new Scalar('null');
    },
  });
  return anchors ? withAnchors() : parsed(copy);
}

function withAnchors(): Parsed<never> {
  return unparsed('the list is written with YAML anchors or aliases', 'write the list out without them');
}
