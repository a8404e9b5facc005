import {
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Alias,
  type Document,
  type Node,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import { readBlockLines } from './block-lines.ts';
import { MAX_DEPTH, tokensWithin } from './depth.ts';
import { UserError } from '../error/user-error.ts';
import { indexAnchors, NO_ANCHORS, type AnchorIndex } from './anchors.ts';

/** One parsed document. Aliases stay aliases: nothing is ever expanded. */
export interface DocumentTree {
  readonly root: Node | null;
  readonly anchors: AnchorIndex;
  readonly budget: Budget;
  /** Each line stands for itself ({@link readBlockLines}). */
  readonly isBlockLines: boolean;
}

/** What the documents of a rendering may still cost together. */
export interface Budget {
  /** Map entries and list items to look at. */
  steps: number;
  /** Smallest pieces of YAML to parse, not counting documents of simple lines. */
  lexemes: number;
  /** Characters to parse, whatever they are: those of simple lines cost some 30 bytes each. */
  characters: number;
}

/**
 * A whole budget: far more steps than 50 MiB without aliases can need, the lexemes of about 5 MB of unusual YAML or JSON, and
 * what is to be parsed of 10,000 workloads with 800 characters about their images each.
 */
export function freshBudget(): Budget {
  return { steps: 20_000_000, lexemes: 1_000_000, characters: 8_000_000 };
}

/** Why a text is no document, with the place in that text. */
export type TreeProblem =
  | { readonly kind: 'invalid'; readonly what: string; readonly offset: number }
  | { readonly kind: 'deep'; readonly offset: number }
  | { readonly kind: 'long' };

const OPTIONS = {
  schema: 'failsafe', // every scalar is a string
  resolveKnownTags: false,
  uniqueKeys: false, // takes the square of the number of keys; lookups notice the keys that matter
  strict: false,
  prettyErrors: false,
  logLevel: 'silent',
} as const;

/** Parses the text of at most one document. */
export function parseTree(text: string, budget: Budget): DocumentTree | TreeProblem {
  budget.characters -= text.length;
  if (budget.characters < 0) return { kind: 'long' };
  const simple = readBlockLines(text);
  if (simple) return { root: simple, anchors: NO_ANCHORS, budget, isBlockLines: true };
  const tokens = tokensWithin(text, { depth: MAX_DEPTH, lexemes: budget.lexemes });
  const composer = new Composer(OPTIONS);
  const documents: Document.Parsed[] = [];
  for (;;) {
    const next = tokens.next();
    if (next.done) {
      if (next.value.kind !== 'complete') return next.value;
      budget.lexemes -= next.value.lexemes;
      break;
    }
    documents.push(...composer.next(next.value));
  }
  documents.push(...composer.end(true, text.length));
  const document = documents[0];
  if (document === undefined || documents.length > 1) {
    return { kind: 'invalid', what: 'a second document begins in the middle', offset: documents[1]?.range[0] ?? 0 };
  }
  const error = document.errors[0];
  if (error) return { kind: 'invalid', what: withoutQuotes(error), offset: error.pos[0] };
  if (!text.includes('&')) {
    const alias = text.includes('*') ? firstAlias(document.contents) : undefined;
    if (alias !== undefined) return unknownAlias(alias);
    return { root: document.contents, anchors: NO_ANCHORS, budget, isBlockLines: false };
  }
  const anchors = indexAnchors(document.contents);
  if ('unknown' in anchors) return unknownAlias(anchors.unknown);
  return { root: document.contents, anchors, budget, isBlockLines: false };
}

/** What is wrong, without the words of the document that messages quote: they may be secrets. */
function withoutQuotes({ code, message }: YAMLParseError): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'a tag cannot be resolved';
  if (code === 'BAD_DIRECTIVE') return 'a directive is not understood';
  return message.split(':', 1)[0] ?? message;
}

function unknownAlias(alias: Alias): TreeProblem {
  return {
    kind: 'invalid',
    what: 'an alias names no anchor before it, or one around it',
    offset: alias.range?.[0] ?? 0,
  };
}

function firstAlias(root: Node | null): Alias | undefined {
  const anchors = indexAnchors(root);
  return 'unknown' in anchors ? anchors.unknown : undefined;
}

/** The node itself, or what an alias stands for. */
export function resolved(tree: DocumentTree, node: unknown): Node | undefined {
  if (isAlias(node)) return tree.anchors.targets.get(node);
  return isMap(node) || isSeq(node) || isScalar(node) ? node : undefined;
}

/** The text of a scalar; `undefined` for collections and for nothing (an empty or null value). */
export function textOf(tree: DocumentTree, node: unknown): string | undefined {
  const scalar = resolved(tree, node);
  if (!isScalar(scalar) || typeof scalar.value !== 'string') return undefined;
  if (scalar.type === 'PLAIN' && /^(?:|~|null|Null|NULL)$/.test(scalar.value)) return undefined;
  return scalar.value;
}

/** What a key of a map leads to. */
export interface Lookup {
  /** The value as it stands: possibly an alias. */
  readonly value: Node;
  /** Values of the same key in merged maps, which this one hides. */
  readonly hidden: readonly Node[];
  /** The key is there twice; the last one counts, as in Kubernetes. */
  readonly duplicate: boolean;
}

/** Looks a key up in a map and in the maps merged into it by `<<`; the map's own entry wins, then the first merged one. */
export function lookUp(tree: DocumentTree, map: YAMLMap, key: string): Lookup | undefined {
  const own = ownEntry(tree, map, key);
  if (tree.anchors.targets.size === 0) return own;
  const found: Lookup[] = [];
  const seen = new Set<Node>();
  const search = [map];
  for (let source = search.pop(); source; source = search.pop()) {
    if (seen.has(source)) continue;
    seen.add(source);
    const entry = ownEntry(tree, source, key);
    if (entry) found.push(entry);
    const merged = ownEntry(tree, source, '<<');
    if (merged) search.push(...mergeSources(tree, merged.value).reverse());
  }
  const [first, ...hidden] = found;
  return first && { ...first, hidden: hidden.map(({ value }) => value) };
}

function ownEntry(tree: DocumentTree, map: YAMLMap, key: string): Lookup | undefined {
  spend(tree, map.items.length + 1);
  let value: Node | undefined;
  let duplicate = false;
  for (const pair of map.items) {
    if (!isScalar(pair.key) || pair.key.value !== key) continue;
    duplicate = value !== undefined;
    value = pair.value as Node;
  }
  return value && { value, hidden: NONE, duplicate };
}

const NONE: readonly Node[] = [];

function mergeSources(tree: DocumentTree, value: unknown): YAMLMap[] {
  const source = resolved(tree, value);
  if (isMap(source)) return [source];
  return isSeq(source) ? source.items.map((item) => resolved(tree, item)).filter((item) => isMap(item)) : [];
}

/**
 * Takes steps from the budget that the documents of a rendering share.
 *
 * @throws {UserError} `MANIFEST_INVALID` when it is used up, which takes thousands of aliases of large collections.
 */
export function spend(tree: DocumentTree, steps: number): void {
  tree.budget.steps -= steps;
  if (tree.budget.steps >= 0) return;
  throw new UserError('MANIFEST_INVALID', {
    what: 'the rendered manifests multiply their images by YAML aliases beyond what can be searched',
    where: 'rendered manifests',
    fix: 'write fewer aliases of lists and maps',
  });
}

/** A text without the newlines at its end, which a block scalar may have. */
export function withoutFinalNewlines(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\n') end -= 1;
  return text.slice(0, end);
}
