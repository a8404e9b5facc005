import { isMap, isSeq, type Node, type YAMLMap } from 'yaml';
import { lookUp, resolved, spend, type DocumentTree } from './document-tree.ts';
import type { FieldPath } from './field-path.ts';
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

/** A place costs more memory than a look at an entry. */
const STEPS_PER_ITEM = 100;
const NONE: readonly Node[] = [];

/** Every node that the path leads to from a map, in the order of the document. */
export function selectNodes(tree: DocumentTree, from: YAMLMap, path: FieldPath): readonly Hit[] {
  const walk: Walk = { tree, path, hits: [], trail: [], indexes: [], holders: undefined };
  select(walk, from, NONE, false);
  return walk.hits;
}

/** Where the walk is. Only what it hits is copied: most paths lead nowhere, and each generation does this afresh. */
interface Walk {
  readonly tree: DocumentTree;
  readonly path: FieldPath;
  readonly hits: Hit[];
  readonly trail: (string | number)[];
  readonly indexes: number[];
  /** The list item it is in and what was met in that; absent outside of lists. */
  holders: unknown[] | undefined;
}

function select(walk: Walk, value: unknown, hidden: readonly Node[], duplicate: boolean): void {
  const { tree, path, trail, holders } = walk;
  const step = path[trail.length];
  if (step === undefined) {
    walk.hits.push({
      value: value as Node,
      path: [...trail],
      indexes: [...walk.indexes],
      ...ownerIn(walk),
      hidden,
      duplicate,
    });
    return;
  }
  const node = resolved(tree, value);
  if (step.kind === 'key') {
    const found = isMap(node) ? lookUp(tree, node, step.key) : undefined;
    if (!found?.value) return;
    trail.push(step.key);
    holders?.push(found.value);
    select(walk, found.value, found.hidden, duplicate || found.duplicate);
    holders?.pop();
    trail.pop();
    return;
  }
  if (!isSeq(node)) return;
  if (step.kind === 'index') {
    if (step.index < node.items.length) selectItem(walk, node.items[step.index], step.index, duplicate);
    return;
  }
  spend(tree, node.items.length * STEPS_PER_ITEM);
  for (const [index, item] of node.items.entries()) {
    walk.indexes.push(index);
    selectItem(walk, item, index, duplicate);
    walk.indexes.pop();
  }
}

function selectItem(walk: Walk, item: unknown, index: number, duplicate: boolean): void {
  const { holders, trail } = walk;
  walk.holders = [item];
  trail.push(index);
  select(walk, item, NONE, duplicate);
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
