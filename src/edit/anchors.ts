import { isAlias, isMap, isPair, isScalar, isSeq, type Alias, type Node } from 'yaml';

/** What the aliases of one document stand for. */
export interface AnchorIndex {
  readonly targets: ReadonlyMap<Alias, Node>;
  /** Aliases by the node they stand for. */
  readonly aliases: ReadonlyMap<Node, readonly Alias[]>;
  /** The collection a node is written in; absent for the root. */
  readonly parents: ReadonlyMap<Node, Node>;
}

/** The index of a document without anchors, where every node is in one place. */
export const NO_ANCHORS: AnchorIndex = { targets: new Map(), aliases: new Map(), parents: new Map() };

/** Reads a document once, in order. An alias without an anchor before it, or within its own anchor, is `unknown`. */
export function indexAnchors(root: Node | null): AnchorIndex | { readonly unknown: Alias } {
  const targets = new Map<Alias, Node>();
  const aliases = new Map<Node, Alias[]>();
  const parents = new Map<Node, Node>();
  const named = new Map<string, Node>();
  const open = new Set<Node>();
  const read = (node: unknown, parent: Node | undefined): Alias | undefined => {
    if (isAlias(node)) {
      if (parent) parents.set(node, parent);
      const target = named.get(node.source);
      if (target === undefined || open.has(target)) return node;
      targets.set(node, target);
      const known = aliases.get(target);
      if (known) known.push(node);
      else aliases.set(target, [node]);
      return undefined;
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return undefined;
    if (parent) parents.set(node, parent);
    if (node.anchor !== undefined) named.set(node.anchor, node);
    if (isScalar(node)) return undefined;
    open.add(node);
    for (const item of node.items) {
      const unknown = isPair(item) ? (read(item.key, node) ?? read(item.value, node)) : read(item, node);
      if (unknown) return unknown;
    }
    open.delete(node);
    return undefined;
  };
  const unknown = read(root, undefined);
  return unknown ? { unknown } : { targets, aliases, parents };
}

/** Aliases of aliased collections, one within the other; more count as endless. */
const MAX_CHAIN = 500;

/**
 * Counts in how many places of the document a node's parent stands once aliases are followed, without following them:
 * a document of a few lines may have more places than a number holds, which then is `Infinity`.
 */
export function placeCounter(index: AnchorIndex): (node: Node) => number {
  const counted = new Map<Node, number>();
  const ofNode = (node: Node, chain: number): number => {
    if (chain > MAX_CHAIN) return Infinity;
    const known = counted.get(node);
    if (known !== undefined) return known;
    let count = ofParent(node, chain);
    for (const alias of index.aliases.get(node) ?? []) count += ofParent(alias, chain);
    counted.set(node, count);
    return count;
  };
  const ofParent = (node: Node, chain: number): number => {
    const parent = index.parents.get(node);
    return parent === undefined ? 1 : ofNode(parent, chain + 1);
  };
  return (node) => ofParent(node, 0);
}
