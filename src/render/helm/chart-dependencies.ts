import { isMap, isScalar, parseDocument, visit } from 'yaml';
import { parsed, type Parsed, unparsed } from '../../error/parsed.ts';

/** Where a dependency comes from, by the forms helm knows. */
export type DependencySource =
  /** In `charts/` already. */
  | { readonly kind: 'vendored' }
  | { readonly kind: 'local'; /** Relative to the chart. */ readonly path: string }
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'repository' | 'registry'; readonly url: string }
  | { readonly kind: 'refused'; readonly written: string; readonly why: string };

/** Characters that end a line for Go's YAML reader and not for YAML 1.2, and controls: what follows them would be read differently. */
// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const AMBIGUOUS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]/;

/**
 * The sources of all dependencies that a Chart.yaml, requirements.yaml or lock file names. helm reads the file with another
 * YAML reader than this one, and what is checked here must be what helm fetches; so a file in which the two could differ is
 * refused, and every key that Go's JSON reader takes for `repository` counts, wherever it stands.
 */
export function dependencySources(text: string): Parsed<readonly DependencySource[]> {
  if (AMBIGUOUS.test(text)) return unparsed('holds control characters');
  const document = parseDocument(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  if (document.errors.length > 0) return unparsed('is not one valid YAML document');
  const sources: DependencySource[] = [];
  let problem: string | undefined;
  visit(document, {
    Alias: () => {
      problem ??= 'has YAML aliases';
    },
    Node: (_, node) => {
      if (node.tag !== undefined && node.tag.startsWith('!')) problem ??= 'has YAML tags';
    },
    Pair: (_, { key, value }) => {
      if (!isScalar(key)) problem ??= 'has keys that are no plain names';
      // Long s folds to s in Go's comparison and in upper case.
      if (!isScalar(key) || String(key.value).toUpperCase() !== 'REPOSITORY') return;
      if (isScalar(value)) sources.push(sourceOf(String(value.value)));
      else if (value !== null) problem ??= 'has a repository that is no text';
    },
  });
  if (problem !== undefined) return unparsed(problem);
  return isMap(document.contents) ? parsed(sources) : unparsed('is no YAML map');
}

function sourceOf(written: string): DependencySource {
  if (written === '') return { kind: 'vendored' };
  if (written.startsWith('@')) return { kind: 'named', name: written.slice(1) };
  if (written.startsWith('alias:')) return { kind: 'named', name: written.slice('alias:'.length) };
  if (written.startsWith('https://')) return { kind: 'repository', url: written };
  if (written.startsWith('oci://')) return { kind: 'registry', url: written };
  if (!written.startsWith('file://'))
    return { kind: 'refused', written, why: 'only https, oci, file, @name and alias:name are allowed' };
  const path = written.slice('file://'.length);
  // To helm this is a path of the machine, to Argo CD's parameters it would be the tree.
  return path.startsWith('/') ? { kind: 'refused', written, why: 'the path is absolute' } : { kind: 'local', path };
}
