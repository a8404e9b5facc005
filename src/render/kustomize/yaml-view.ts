import { Composer, type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, visit, type YAMLMap } from 'yaml';
import { lineOf, tokensWithin } from '../../edit/depth.ts';
import { UserError } from '../../error/user-error.ts';
import { MAX_NESTING } from '../limits.ts';

/**
 * A YAML text seen with the eyes of kustomize (sigs.k8s.io/yaml, then encoding/json): keys match without regard to case,
 * merge keys count, and of keys that stand twice all are seen, because which one wins is the reader's affair.
 */
export interface YamlView {
  /** The values under a key of a mapping; none for anything else. */
  at(key: string): readonly YamlView[];
  /** The items of a sequence; none for anything else. */
  items(): readonly YamlView[];
  /** The text of a scalar. */
  text(): string | undefined;
  readonly isMapping: boolean;
  /** Folded as they are compared; merge keys' own are not among them. */
  readonly keys: readonly string[];
}

/** Views taken of one text; an alias inside aliases makes more of them than the text has bytes. */
const MAX_VIEWS = 200_000;

/** Tags whose value is what is written. `!!binary` is not one: Go decodes it, and a URL could hide in it. */
const PLAIN_TAGS = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq|merge|timestamp)$/;

/**
 * Every document of a text.
 *
 * @param where for errors: the file, relative to the tree.
 * @throws {UserError} `MANIFEST_INVALID` for what is no YAML, or YAML that other readers may read differently;
 *   `MANIFEST_TOO_DEEP`.
 */
export function viewYaml(text: string, where: string): readonly YamlView[] {
  let left = MAX_VIEWS;
  const spend = (): void => {
    if (left-- <= 0) throw invalid(where, 'it repeats itself by aliases too often');
  };
  return documentsIn(text, where).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw invalid(where, `no valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`);
    if (document.warnings.length > 0) throw invalid(where, 'it holds a YAML tag of its own');
    return document.contents === null ? [] : [viewNode(document.contents, { document, spend, where }, 0)];
  });
}

/** The package's `parseAllDocuments`, in one pass with the check of depth that must come before a document is composed. */
function documentsIn(text: string, where: string): readonly Document.Parsed[] {
  const tokens = tokensWithin(text, { depth: MAX_NESTING, lexemes: Infinity });
  const composer = new Composer({ uniqueKeys: false, logLevel: 'silent', prettyErrors: false });
  const documents: Document.Parsed[] = [];
  for (;;) {
    const next = tokens.next();
    if (!next.done) documents.push(...composer.next(next.value));
    else if (next.value.kind === 'deep') throw tooDeep(`${where}:${lineOf(text, next.value.offset)}`);
    else return [...documents, ...composer.end()];
  }
}

interface Context {
  readonly document: Document.Parsed;
  readonly where: string;
  spend(): void;
  /** Every node of an anchor's name; filled when the first alias is met. */
  anchors?: Map<string, Node[]>;
}

function viewNode(node: Node, context: Context, depth: number): YamlView {
  context.spend();
  // Only an alias within its own anchor gets deeper than the text, which was measured before.
  if (depth > 2 * MAX_NESTING) throw invalid(context.where, 'an alias holds itself');
  if (node.tag !== undefined && !PLAIN_TAGS.test(node.tag))
    throw invalid(context.where, 'it holds a YAML tag of its own');
  const see = (value: unknown): readonly YamlView[] =>
    nodesOf(value, context).map((one) => viewNode(one, context, depth + 1));
  return {
    isMapping: isMap(node),
    keys: isMap(node) ? node.items.map((pair) => fold(keyText(pair.key))) : [],
    at: (key) => (isMap(node) ? valuesUnder(node, fold(key), see) : []),
    items: () => (isSeq(node) ? node.items.flatMap(see) : []),
    text: () => (isScalar(node) && node.value !== null ? node.source : undefined),
  };
}

/** The node itself, or what an alias may stand for: all of the anchor's definitions, whichever is the right one. */
function nodesOf(value: unknown, context: Context): readonly Node[] {
  if (!isAlias(value)) return isNode(value) ? [value] : [];
  context.anchors ??= anchorsOf(context.document);
  return context.anchors.get(value.source) ?? [];
}

function anchorsOf(document: Document.Parsed): Map<string, Node[]> {
  const anchors = new Map<string, Node[]>();
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node) || node.anchor === undefined) return;
      const same = anchors.get(node.anchor);
      if (same === undefined) anchors.set(node.anchor, [node]);
      else same.push(node);
    },
  });
  return anchors;
}

function valuesUnder(map: YAMLMap, key: string, see: (value: unknown) => readonly YamlView[]): readonly YamlView[] {
  return map.items.flatMap((pair) => {
    const written = keyText(pair.key);
    if (fold(written) === key) return see(pair.value);
    if (written !== '<<') return [];
    return see(pair.value).flatMap((merged) => [merged, ...merged.items()].flatMap((one) => one.at(key)));
  });
}

function keyText(key: unknown): string {
  return isScalar(key) ? (key.source ?? '') : '';
}

/** encoding/json's folding: case, and the two non-ASCII letters that fold to ASCII (ſ and the Kelvin sign). */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function tooDeep(where: string): UserError {
  return new UserError('MANIFEST_TOO_DEEP', {
    what: `the file is nested more than ${MAX_NESTING} deep`,
    where,
    fix: 'write it flatter',
  });
}

function invalid(where: string, problem: string): UserError {
  return new UserError('MANIFEST_INVALID', {
    what: `the file cannot be checked before kustomize reads it: ${problem}`,
    where,
    fix: 'write it as plain YAML',
  });
}
