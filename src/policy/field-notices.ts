import type { ImageField } from '../edit/image-field.ts';
import type { Notice } from '../error/user-error.ts';
import { parseConstraint } from '../image/constraint.ts';
import { whereInRendering } from './match-messages.ts';
import { quoted } from './written.ts';

/** Fields that are told before the rest is only counted. */
const TOLD = 10;

/**
 * Notices for images without a policy that may be thought to have one: a constraint in the place of the tag, or no reference
 * at all.
 *
 * @param fields those that pass as written.
 */
export function fieldNotices(fields: readonly ImageField[]): readonly Notice[] {
  const found = fields.flatMap((field) => noticeFor(field) ?? []);
  if (found.length <= TOLD) return found;
  const rest = found.length - TOLD;
  return [
    ...found.slice(0, TOLD),
    { code: 'FIELD_UNPARSABLE', what: `${rest} more images like these pass as written` },
  ];
}

function noticeFor(field: ImageField): Notice | undefined {
  const { reference, written } = field;
  if (reference === undefined) return unparsable(field, 'is no image reference');
  if (reference.slot.kind !== 'constraint') return undefined;
  const constraint = parseConstraint(reference.slot.text);
  if (constraint.ok) {
    return {
      code: 'CONSTRAINT_IN_TAG',
      what: `the image ${quoted(written)} passes as written, because a constraint in the place of the tag does nothing; write a policy for it in the parameter images, in .image-resolver.yaml or in an annotation image-resolver.io/<container>`,
      where: whereInRendering(field),
    };
  }
  return unparsable(field, `${constraint.problem} after its colon`);
}

function unparsable(field: ImageField, problem: string): Notice {
  return {
    code: 'FIELD_UNPARSABLE',
    what: `the image ${quoted(field.written)} ${problem} and passes as written; policies stand in the parameter images, in .image-resolver.yaml or in annotations`,
    where: whereInRendering(field),
  };
}
