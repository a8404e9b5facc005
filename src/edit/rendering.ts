import type { Node } from 'yaml';
import type { DocumentTree } from './document-tree.ts';
import type { FieldId, Findings, ImageField } from './image-field.ts';
import type { Skeleton } from './skeleton.ts';

/** A rendering that was searched. Only `findings` is for others; the rest is what the editor needs to change it. */
export interface Rendering {
  readonly findings: Findings;
  readonly text: string;
  readonly fileName: string;
  /** The documents that hold fields. */
  readonly documents: readonly FoundDocument[];
}

/** A document that holds fields. */
export interface FoundDocument {
  /** Offset in the rendering. */
  readonly start: number;
  readonly skeleton: Skeleton;
  readonly tree: DocumentTree;
  readonly fields: ReadonlyMap<FieldId, FoundField>;
  /** How often each node is hidden by an entry of the map that it is merged into. */
  readonly hidden: ReadonlyMap<Node, number>;
}

/** A field with the scalar it is written in. */
export interface FoundField {
  readonly field: ImageField;
  /** The scalar to change, or an alias in its place. */
  readonly slot: Node;
  /** The whole reference stands in the slot, or only its tag. */
  readonly holds: 'reference' | 'tag';
  /** A key on its path is written twice. */
  readonly duplicate: boolean;
}
