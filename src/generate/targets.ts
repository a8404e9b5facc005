import { UserError } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import type { ValueOverrides } from '../render/render-spec.ts';
import type { Resolution } from '../resolve/resolver.ts';
import type { WrittenPolicies } from './written-policies.ts';
import { type Answers, askFor } from './asks.ts';
import { chosenIn } from './chosen.ts';
import { placingFilterErrors, throwErrorsOf } from './failures.ts';

/** A policy that acts before rendering, with its answer. */
export interface TargetAnswer {
  readonly policy: ImagePolicy;
  readonly resolution: Resolution;
  /** What goes into the values; absent when the image stays as in Git. Values get no digest: it is no label. */
  readonly tag?: Tag;
}

/**
 * Asks for the policies that set Helm values or kustomize images.
 *
 * @throws {AggregateError} the answers that are errors: rendering with other values than asked for would be wrong.
 */
export async function answerTargets(
  policies: WrittenPolicies,
  answers: Answers,
  timeLeft: () => number,
  signal: AbortSignal,
): Promise<readonly TargetAnswer[]> {
  const targeted = [...policies.parameters, ...policies.file].filter(({ write }) => write.target !== undefined);
  if (targeted.length === 0) return [];
  const asks = targeted.map((policy) => askFor(policy));
  const resolutions = await placingFilterErrors(targeted, answers.to(asks, timeLeft(), signal));
  throwErrorsOf(resolutions);
  return targeted.flatMap((policy, index) => {
    const resolution = resolutions[index];
    if (resolution === undefined) return [];
    const tag = tagOf(policy, resolution);
    return [{ policy, resolution, ...(tag !== undefined && { tag }) }];
  });
}

function tagOf(policy: ImagePolicy, resolution: Resolution): Tag | undefined {
  const chosen = chosenIn(resolution);
  if (chosen === undefined || 'tag' in chosen) return chosen?.tag;
  throw new UserError('SETTING_INVALID', {
    what: `${policy.alias} is pinned to a digest, but its target takes a tag`,
    where: policy.origin.where,
    fix: 'pin a tag, or remove the target so that the rendered image fields are edited',
  });
}

/** Helm values and kustomize images to set before rendering. */
export function overridesFrom(answers: readonly TargetAnswer[]): ValueOverrides {
  const helm: { path: string; value: string }[] = [];
  const kustomizeImages: string[] = [];
  for (const { policy, tag } of answers) {
    const { target } = policy.write;
    if (target === undefined || tag === undefined) continue;
    const repository = policy.writtenRepository;
    switch (target.kind) {
      case 'helm':
        if (target.name !== undefined) helm.push({ path: target.name, value: repository });
        helm.push({ path: target.tag, value: tag });
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
