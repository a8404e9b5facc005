import { UserError } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import type { ValueOverrides } from '../render/render-spec.ts';
import type { Resolution } from '../resolve/resolver.ts';

/** A policy that acts before rendering, with its answer. */
export interface TargetAnswer {
  readonly policy: ImagePolicy;
  readonly resolution: Resolution;
}

/** The tag an answer puts into values; undefined when the image stays as in Git. Values get no digest: it is no label. */
export function tagForValues({ policy, resolution }: TargetAnswer): Tag | undefined {
  switch (resolution.kind) {
    case 'decided':
    case 'stale':
    case 'held':
      return resolution.decision.tag;
    case 'pinned':
      if ('tag' in resolution) return resolution.tag;
      throw new UserError('SETTING_INVALID', {
        what: `${policy.alias} is pinned to a digest, but its target takes a tag`,
        where: policy.origin.where,
        fix: 'pin a tag, or remove the target so that the rendered image fields are edited',
      });
    case 'as-in-git':
    case 'unsatisfied':
    case 'refused':
    case 'failed':
      return undefined;
    default:
      return resolution satisfies never;
  }
}

/** Helm values and kustomize images to set before rendering. */
export function overridesFrom(answers: readonly TargetAnswer[]): ValueOverrides {
  const helm: { path: string; value: string }[] = [];
  const kustomizeImages: string[] = [];
  for (const answer of answers) {
    const { target } = answer.policy.write;
    const tag = tagForValues(answer);
    if (target === undefined || tag === undefined) continue;
    const repository = answer.policy.writtenRepository;
    switch (target.kind) {
      case 'helm':
        if (target.name !== undefined) helm.push({ path: target.name, value: repository });
        if (target.tag !== undefined) helm.push({ path: target.tag, value: tag });
        break;
      case 'helm-spec':
        helm.push({ path: target.spec, value: `${repository}:${tag}` });
        break;
      case 'kustomize':
        kustomizeImages.push(`${target.name}=${repository}:${tag}`);
        break;
      default:
        target satisfies never;
    }
  }
  return { helm, kustomizeImages };
}
