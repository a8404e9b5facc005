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

interface Place extends Omit<Hit, 'value'> {
  readonly value: unknown;
}

/** Every node that the path leads to from a map, in the order of the document. */
export function selectNodes(tree: DocumentTree, from: YAMLMap, path: FieldPath): readonly Hit[] {
  let places: readonly Place[] = [{ value: from, path: [], indexes: [], hidden: [], duplicate: false }];
  for (const step of path) {
    if (places.length === 0) return [];
    places = places.flatMap((place): readonly Place[] => {
      const node = resolved(tree, place.value);
      if (step.kind === 'key') return isMap(node) ? entryOf(tree, node, step.key, place) : [];
      if (!isSeq(node)) return [];
      if (step.kind === 'index')
        return step.index < node.items.length ? [itemOf(tree, node.items[step.index], step.index, place)] : [];
      spend(tree, node.items.length * STEPS_PER_ITEM);
      return node.items.map((item, index) =>
        itemOf(tree, item, index, { ...place, indexes: [...place.indexes, index] }),
      );
    });
  }
  return places as readonly Hit[];
}

function entryOf(tree: DocumentTree, map: YAMLMap, key: string, place: Place): readonly Place[] {
  const found = lookUp(tree, map, key);
  if (!found?.value) return [];
  return [
    {
      ...place,
      ...(place.path.some((at) => typeof at === 'number') && ownerOf(tree, found.value)),
      value: found.value,
      path: [...place.path, key],
      hidden: found.hidden,
      duplicate: place.duplicate || found.duplicate,
    },
  ];
}

function itemOf(tree: DocumentTree, item: unknown, index: number, place: Place): Place {
  const { owner: _outside, ...rest } = place;
  return { ...rest, ...ownerOf(tree, item), value: item, path: [...place.path, index], hidden: [] };
}

function ownerOf(tree: DocumentTree, value: unknown): { owner?: string } {
  const map = resolved(tree, value);
  const name = isMap(map) ? textAt(tree, map, 'name') : undefined;
  return name === undefined ? {} : { owner: name };
}
