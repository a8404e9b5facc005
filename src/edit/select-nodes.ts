import { isMap, isSeq, type Node, type YAMLMap } from 'yaml';
import { lookUp, resolved, spend, type DocumentTree } from './document-tree.ts';
import type { FieldPath, FieldStep } from './field-path.ts';
import { textAt } from './resources.ts';

/** A node that a path leads to. */
export interface Hit {
  /** As it stands: possibly an alias. */
  readonly value: Node;
  readonly path: readonly (string | number)[];
  /** The numbers that stand for the `[*]`s, in order. */
  readonly indexes: readonly number[];
  /** `name` of the map that holds the value, or of the nearest one around it, up to the list item it is in. */
  readonly owner?: string;
  /** Entries of merged maps that the value hides. */
  readonly hidden: readonly Node[];
  /** A key on the path is there twice. */
  readonly duplicate: boolean;
}

/** Paths from one place, what they have in common at its beginning once. */
export interface PathTree {
  /** How many paths. */
  readonly count: number;
  readonly root: Branch;
}

interface Branch {
  /** Which paths end here. */
  readonly ends: number[];
  readonly keys: Map<string, Branch>;
  readonly items: Map<number, Branch>;
  each?: Branch;
}

export function pathTree(paths: readonly FieldPath[]): PathTree {
  const root = newBranch();
  for (const [number, path] of paths.entries()) {
    let at = root;
    for (const step of path) at = branchTo(at, step);
    at.ends.push(number);
  }
  return { count: paths.length, root };
}

function newBranch(): Branch {
  return { ends: [], keys: new Map(), items: new Map() };
}

function branchTo(from: Branch, step: FieldStep): Branch {
  switch (step.kind) {
    case 'key': {
      const branch = from.keys.get(step.key) ?? newBranch();
      from.keys.set(step.key, branch);
      return branch;
    }
    case 'index': {
      const branch = from.items.get(step.index) ?? newBranch();
      from.items.set(step.index, branch);
      return branch;
    }
    case 'each':
      return (from.each ??= newBranch());
    default:
      return step satisfies never;
  }
}

/** A place costs more memory than a look at an entry. */
const STEPS_PER_ITEM = 100;
const NONE: readonly Node[] = [];

/** For each path every node that it leads to from a map, in the order of the document. */
export function selectNodes(tree: DocumentTree, from: YAMLMap, paths: PathTree): readonly (readonly Hit[])[] {
  const hits = Array.from({ length: paths.count }, (): Hit[] => []);
  select({ tree, hits, trail: [], indexes: [], holders: undefined }, from, { branch: paths.root, ...START });
  return hits;
}

/** Where the walk is. Only what it hits is copied: most paths lead nowhere, and each generation does this afresh. */
interface Walk {
  readonly tree: DocumentTree;
  readonly hits: readonly Hit[][];
  readonly trail: (string | number)[];
  readonly indexes: number[];
  /** The list item it is in and what was met in that; absent outside of lists. */
  holders: unknown[] | undefined;
}

interface Reached {
  readonly branch: Branch;
  readonly hidden: readonly Node[];
  readonly duplicate: boolean;
}

const START = { hidden: NONE, duplicate: false } as const;

function select(walk: Walk, value: unknown, { branch, hidden, duplicate }: Reached): void {
  const { tree, trail, holders } = walk;
  for (const path of branch.ends) {
    const hit = { value: value as Node, path: [...trail], indexes: [...walk.indexes], hidden, duplicate };
    walk.hits[path]?.push({ ...hit, ...ownerIn(walk) });
  }
  const node = resolved(tree, value);
  if (isMap(node)) {
    for (const [key, next] of branch.keys) {
      const found = lookUp(tree, node, key);
      if (!found?.value) continue;
      trail.push(key);
      holders?.push(found.value);
      select(walk, found.value, {
        branch: next,
        hidden: found.hidden,
        duplicate: duplicate || found.duplicate,
      });
      holders?.pop();
      trail.pop();
    }
  } else if (isSeq(node)) {
    for (const [index, next] of branch.items) {
      if (index < node.items.length)
        selectItem(walk, node.items[index], index, { branch: next, hidden: NONE, duplicate });
    }
    if (branch.each === undefined) return;
    spend(tree, node.items.length * STEPS_PER_ITEM);
    for (const [index, item] of node.items.entries()) {
      walk.indexes.push(index);
      selectItem(walk, item, index, { branch: branch.each, hidden: NONE, duplicate });
      walk.indexes.pop();
    }
  }
}

function selectItem(walk: Walk, item: unknown, index: number, reached: Reached): void {
  const { holders, trail } = walk;
  walk.holders = [item];
  trail.push(index);
  select(walk, item, reached);
  trail.pop();
  walk.holders = holders;
}

function ownerIn({ tree, holders = [] }: Walk): { readonly owner?: string } {
  for (let at = holders.length - 1; at >= 0; at--) {
    const map = resolved(tree, holders[at]);
    const owner = isMap(map) ? textAt(tree, map, 'name') : undefined;
    if (owner !== undefined) return { owner };
  }
  return {};
}
