import { isMap, isScalar, type YAMLMap } from 'yaml';
import { resolved, textOf, type DocumentTree } from './document-tree.ts';
import type { PolicyAnnotation } from './image-field.ts';
import { lookUp } from './document-tree.ts';

/** What the keys of policy annotations begin with. */
export const ANNOTATION_PREFIX = 'image-resolver.io/';

/** The policy annotations of one `metadata` map, prefix removed, in its order; a repeated key's last value counts. */
export function policyAnnotations(tree: DocumentTree, metadata: unknown): readonly PolicyAnnotation[] {
  const map = resolved(tree, metadata);
  if (!isMap(map)) return [];
  const annotations = resolved(tree, lookUp(tree, map, 'annotations')?.value);
  if (!isMap(annotations)) return [];
  return [...policyKeys(annotations)].map((key) => ({
    key: key.slice(ANNOTATION_PREFIX.length),
    value: textOf(tree, lookUp(tree, annotations, key)?.value) ?? '',
  }));
}

function policyKeys(annotations: YAMLMap): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { key } of annotations.items) {
    const name = isScalar(key) ? key.value : undefined;
    if (typeof name === 'string' && name.startsWith(ANNOTATION_PREFIX)) keys.add(name);
  }
  return keys;
}

/** Annotations of a workload and of its Pod template together, or the first key that they give different values. */
export function mergeAnnotations(
  places: readonly (readonly PolicyAnnotation[])[],
):
  | { readonly merged: readonly PolicyAnnotation[] }
  | { readonly conflict: readonly [PolicyAnnotation, PolicyAnnotation] } {
  const byKey = new Map<string, PolicyAnnotation>();
  for (const annotation of places.flat()) {
    const known = byKey.get(annotation.key);
    if (known && known.value !== annotation.value) return { conflict: [known, annotation] };
    byKey.set(annotation.key, annotation);
  }
  return { merged: [...byKey.values()] };
}
