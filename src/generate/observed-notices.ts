import type { ImageField } from '../edit/image-field.ts';
import type { Notice } from '../error/user-error.ts';
import { formatReference } from '../image/reference.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import { writtenParts } from '../policy/output.ts';
import type { Resolution } from '../resolve/resolver.ts';

/** Mode observe reports: what an image would become, where that differs from Git. */
export function observedNotices(field: ImageField, policy: ImagePolicy, resolution: Resolution): readonly Notice[] {
  if (resolution.kind !== 'as-in-git' || resolution.would === undefined || field.reference === undefined) return [];
  const { writtenRepository } = field.reference;
  const becomes = formatReference({ writtenRepository, ...writtenParts(policy, resolution.would) });
  if (becomes === field.written) return [];
  const { kind, name } = field.resource;
  return [
    {
      code: 'IMAGE_OBSERVED',
      what: `${field.written} would become ${becomes}; mode observe leaves it as in Git`,
      where: `${kind}/${name} ${field.container ?? field.path}, ${policy.origin.where}`,
    },
  ];
}
