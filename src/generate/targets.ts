import { UserError } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import { parseValuePath } from '../render/helm/value-path.ts';
import type { ValueOverrides } from '../render/render-spec.ts';
import type { Resolution } from '../resolve/resolver.ts';
import type { WrittenPolicies } from './written-policies.ts';
import { askFor } from './ask-for.ts';
import type { Answers } from './asks.ts';
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
 * @throws {UserError} `POLICY_AMBIGUOUS` when two policies set one value to different texts.
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
  const answered = targeted.flatMap((policy, index) => {
    const resolution = resolutions[index];
    if (resolution === undefined) return [];
    const tag = tagOf(policy, resolution);
    return [{ policy, resolution, ...(tag !== undefined && { tag }) }];
  });
  checkApart(answered);
  return answered;
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

/** One value that a policy sets before rendering. */
type TargetValue =
  | { readonly kind: 'helm'; readonly path: string; readonly value: string }
  | { readonly kind: 'kustomize'; readonly name: string; readonly value: string };

/**
 * Of two policies that set one value the last would win, unseen.
 *
 * @throws {UserError} `POLICY_AMBIGUOUS`.
 */
function checkApart(answers: readonly TargetAnswer[]): void {
  const known = new Map<string, { readonly policy: ImagePolicy; readonly value: string }>();
  for (const answer of answers) {
    const { policy } = answer;
    for (const set of valuesOf(answer)) {
      const key = set.kind === 'helm' ? pathKey(set.path) : `image ${set.name}`;
      const other = known.get(key) ?? { policy, value: set.value };
      known.set(key, other);
      if (other.value === set.value) continue;
      const what = set.kind === 'helm' ? `the Helm value ${set.path}` : `the kustomize image ${set.name}`;
      throw new UserError('POLICY_AMBIGUOUS', {
        what: `${other.policy.alias} (${other.policy.origin.where}) and ${policy.alias} (${policy.origin.where}) both set ${what}`,
        where: policy.origin.where,
        fix: 'give each policy a target of its own, or remove one of the two',
      });
    }
  }
}

/** Paths are the same however they are spelled. */
function pathKey(written: string): string {
  const path = parseValuePath(written);
  return `value ${path.ok ? JSON.stringify(path.value) : written}`;
}

/** Helm values and kustomize images to set before rendering. */
export function overridesFrom(answers: readonly TargetAnswer[]): ValueOverrides {
  const helm: { path: string; value: string }[] = [];
  const kustomizeImages: string[] = [];
  for (const set of answers.flatMap(valuesOf)) {
    if (set.kind === 'helm') helm.push({ path: set.path, value: set.value });
    else kustomizeImages.push(`${set.name}=${set.value}`);
  }
  return { helm, kustomizeImages };
}

function valuesOf({ policy, tag }: TargetAnswer): readonly TargetValue[] {
  const { target } = policy.write;
  if (target === undefined || tag === undefined) return [];
  const repository = policy.writtenRepository;
  switch (target.kind) {
    case 'helm': {
      const name: readonly TargetValue[] =
        target.name === undefined ? [] : [{ kind: 'helm', path: target.name, value: repository }];
      return [...name, { kind: 'helm', path: target.tag, value: tag }];
    }
    case 'helm-spec':
      return [{ kind: 'helm', path: target.spec, value: `${repository}:${tag}` }];
    case 'kustomize':
      return [{ kind: 'kustomize', name: target.name, value: `${repository}:${tag}` }];
    default:
      return target satisfies never;
  }
}
