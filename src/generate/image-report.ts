import type { FieldId, ImageField, ResourceId } from '../edit/image-field.ts';
import type { FieldWrite } from '../edit/plan-edits.ts';
import { formatReference } from '../image/reference.ts';
import type { ImagePolicy, Origin } from '../policy/image-policy.ts';
import type { Resolution } from '../resolve/resolver.ts';
import type { TargetAnswer } from './targets.ts';

/** What happened to one image: a field of the rendering, or a policy that met none. For `explain` and the demo. */
export interface ImageReport {
  /** Absent for a policy that matches no field. */
  readonly field?: {
    readonly resource: ResourceId;
    readonly container?: string;
    readonly path: string;
    /** One-based, in the rendering. */
    readonly line: number;
    /** As Git (through the renderer) had it, but for {@link setByTarget}. */
    readonly written: string;
    /** A target has set values for this image before the rendering, so Git may have another one than `written`. */
    readonly setByTarget?: true;
    /** What came out. */
    readonly becomes: string;
  };
  /** Absent for an image without a policy: it passes as written. */
  readonly policy?: ImagePolicy;
  /** Policies of lower places for the same image, not used. */
  readonly shadowed: readonly Origin[];
  readonly resolution?: Resolution;
}

/** A field's policy that decides it, and what was answered. */
export interface Decided {
  readonly policy: ImagePolicy;
  readonly shadowed: readonly Origin[];
  readonly resolution: Resolution;
}

/** A report for each field, in the order of the rendering, and then for each policy that is about none of them. */
export function imageReports(found: {
  readonly fields: readonly ImageField[];
  readonly decided: ReadonlyMap<FieldId, Decided>;
  readonly writes: ReadonlyMap<FieldId, FieldWrite>;
  readonly policies: readonly ImagePolicy[];
  readonly shadowed: ReadonlyMap<FieldId, readonly Origin[]>;
  readonly targets: readonly TargetAnswer[];
}): readonly ImageReport[] {
  const { fields, decided, targets } = found;
  const ofFields = fields.map((field): ImageReport => {
    const { resource, container, path, line, written } = field;
    const decision = decided.get(field.id);
    const parts = found.writes.get(field.id);
    const becomes =
      parts === undefined || field.reference === undefined
        ? written
        : formatReference({ writtenRepository: field.reference.writtenRepository, ...parts });
    const setByTarget = targets.some((target) => hasSet(target, field, decision?.policy));
    return {
      field: {
        resource,
        ...(container !== undefined && { container }),
        path,
        line,
        written,
        ...(setByTarget && { setByTarget }),
        becomes,
      },
      shadowed: [],
      ...decision,
    };
  });
  const used = new Set([...decided.values()].map(({ policy }) => policy));
  const shadowed = new Set([...found.shadowed.values()].flat());
  const unmatched = found.policies.filter((policy) => {
    const target = targets.find((answer) => answer.policy === policy);
    const sameAsAnother = target !== undefined && fields.some((field) => hasSet(target, field));
    return !used.has(policy) && !shadowed.has(policy.origin) && !sameAsAnother;
  });
  return [
    ...ofFields,
    ...unmatched.map((policy): ImageReport => {
      const resolution = targets.find((target) => target.policy === policy)?.resolution;
      return { policy, shadowed: [], ...(resolution && { resolution }) };
    }),
  ];
}

/** Whether a field looks set by a target: its policy has the target, or it is the very image that the target sets. */
function hasSet({ policy, tag }: TargetAnswer, { reference }: ImageField, decidedBy?: ImagePolicy): boolean {
  if (tag === undefined) return false;
  if (policy === decidedBy) return true;
  const slot = reference?.slot;
  return reference?.repository.name === policy.repository.name && slot?.kind === 'tag' && slot.tag === tag;
}
