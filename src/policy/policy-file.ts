import type { ImageMatch } from './image-policy.ts';

/** One image of `.image-resolver.yaml`, as written. */
export interface FileImage {
  readonly name: string;
  readonly image: string;
  readonly strategy?: string;
  readonly constraint?: string;
  readonly allowTags?: string;
  readonly ignoreTags?: readonly string[];
  readonly platforms?: readonly string[];
  readonly pullSecret?: string;
  readonly helm?: { readonly imageName?: string; readonly imageTag?: string; readonly imageSpec?: string };
  readonly kustomize?: { readonly imageName: string };
  readonly output?: 'tag' | 'digest' | 'tag@digest';
  readonly pin?: string;
  readonly optional?: boolean | 'true' | 'false';
  readonly onUnsatisfied?: 'git' | 'error';
  readonly onRemoved?: 'keep' | 'next-best';
  readonly pollInterval?: string;
  readonly match?: readonly ImageMatch[];
}

/** One field rule of `.image-resolver.yaml`, as written. */
export interface FileFieldRule {
  readonly apiVersion: string;
  readonly kind: string;
  readonly path?: string;
  readonly repository?: string;
  readonly tag?: string;
}

/** `.image-resolver.yaml` with the shape of its schema, values unchecked. */
export interface PolicyFile {
  readonly apiVersion: 'image-resolver.io/v1alpha1';
  readonly kind: 'ImagePolicies';
  readonly images?: readonly FileImage[];
  readonly fields?: readonly FileFieldRule[];
  readonly sync?: 'full';
}
