import { isMap, isSeq, type YAMLMap } from 'yaml';
import { lookUp, resolved, spend, textOf, type DocumentTree } from './document-tree.ts';
import type { ResourceId } from './image-field.ts';

/** A Kubernetes object of a document: the document itself, or an item of a list. */
export interface Resource {
  readonly id: ResourceId;
  readonly map: YAMLMap;
  /** From the document's root: empty, or `items`, 0. */
  readonly path: readonly (string | number)[];
}

/** The objects of a document; lists (`List`, `DeploymentList`) give their items instead of themselves. */
export function* resourcesOf(tree: DocumentTree): Generator<Resource> {
  const root = resolved(tree, tree.root);
  if (isMap(root)) yield* resourcesIn(tree, root, [], undefined);
}

/** What the items of a typed list are when they do not say so. */
interface ListDefault {
  readonly apiVersion: string;
  readonly kind: string;
}

function* resourcesIn(
  tree: DocumentTree,
  map: YAMLMap,
  path: readonly (string | number)[],
  given: ListDefault | undefined,
): Generator<Resource> {
  const kind = textAt(tree, map, 'kind') ?? given?.kind ?? '';
  const apiVersion = textAt(tree, map, 'apiVersion') ?? given?.apiVersion ?? '';
  const items = kind.endsWith('List') ? resolved(tree, lookUp(tree, map, 'items')?.value) : undefined;
  if (!isSeq(items)) {
    yield { id: { apiVersion, kind, ...nameOf(tree, map) }, map, path };
    return;
  }
  const itemKind = kind.slice(0, -'List'.length);
  spend(tree, items.items.length);
  for (const [index, item] of items.items.entries()) {
    const itemMap = resolved(tree, item);
    if (!isMap(itemMap)) continue;
    yield* resourcesIn(
      tree,
      itemMap,
      [...path, 'items', index],
      itemKind === '' ? undefined : { apiVersion, kind: itemKind },
    );
  }
}

function nameOf(tree: DocumentTree, map: YAMLMap): Pick<ResourceId, 'name' | 'namespace'> {
  const metadata = resolved(tree, lookUp(tree, map, 'metadata')?.value);
  if (!isMap(metadata)) return { name: '' };
  const namespace = textAt(tree, metadata, 'namespace');
  const name = textAt(tree, metadata, 'name') ?? textAt(tree, metadata, 'generateName') ?? '';
  return namespace === undefined ? { name } : { name, namespace };
}

/** The text under a key of a map. */
export function textAt(tree: DocumentTree, map: YAMLMap, key: string): string | undefined {
  return textOf(tree, lookUp(tree, map, key)?.value);
}
