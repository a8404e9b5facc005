import type { ImageReference } from '../image/reference.ts';

declare const fieldBrand: unique symbol;
/** Names a field within one rendering: document index and path. */
export type FieldId = string & { readonly [fieldBrand]: true };

/** The object a field belongs to. */
export interface ResourceId {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** An annotation `image-resolver.io/…` of a workload or its Pod template, prefix removed. */
export interface PolicyAnnotation {
  /** `app`, `app.strategy`. */
  readonly key: string;
  readonly value: string;
}

/** One image in the rendered text. Spans are the edit module's own business. */
export interface ImageField {
  readonly id: FieldId;
  readonly resource: ResourceId;
  /** Container name, where the field belongs to one. */
  readonly container?: string;
  /** `spec.template.spec.containers[0].image`. */
  readonly path: string;
  /** One-based line in the rendering. */
  readonly line: number;
  readonly written: string;
  /** Absent when the text is no reference; the field then passes as written, with a notice. */
  readonly reference?: ImageReference;
}

/** A resource that carries policy annotations, with the containers it has. */
export interface AnnotatedResource {
  readonly resource: ResourceId;
  readonly annotations: readonly PolicyAnnotation[];
  readonly fields: readonly FieldId[];
}

/** What a rendering holds for this plugin. */
export interface Findings {
  readonly fields: readonly ImageField[];
  readonly annotated: readonly AnnotatedResource[];
}

/** Where images stand in a custom resource; from `.image-resolver.yaml` or built in. Globs as Go's `filepath.Match`. */
export type FieldRule =
  | { readonly apiVersion: string; readonly kind: string; /** `spec.runners[*].image` */ readonly path: string }
  | { readonly apiVersion: string; readonly kind: string; readonly repository: string; readonly tag: string };
