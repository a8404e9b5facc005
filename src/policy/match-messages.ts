import type { FieldId, ImageField } from '../edit/image-field.ts';
import type { Notice, UserErrorData } from '../error/user-error.ts';
import { closestName } from '../text/closest-name.ts';
import type { Candidate } from './candidate.ts';
import type { ImagePolicy } from './image-policy.ts';
import { leftOut } from './left-out.ts';
import { listed } from './listed.ts';
import { quoted } from './written.ts';

/** The error that nothing tells several policies of one place apart for an image. */
export function ambiguous(field: ImageField, policies: readonly ImagePolicy[]): UserErrorData {
  const [one, two] = policies.map(({ alias, origin }) => `${quoted(alias)} (${origin.where})`);
  const more = policies.length > 2 ? ` and ${policies.length - 2} more` : '';
  const container = field.container === undefined ? '' : `, container ${quoted(field.container)}`;
  return {
    code: 'POLICY_AMBIGUOUS',
    what: `the image ${quoted(field.written)}${container} matches ${one} and ${two}${more}`,
    where: whereInRendering(field),
    fix: 'name each alias after its container, or use match in .image-resolver.yaml; tags in Git that only one of them admits tell them apart, too',
  };
}

/**
 * The error that a policy is about no image of the rendering.
 *
 * @param rivals the other policies of its place on its repository.
 */
export function unmatched(
  candidate: Candidate,
  rivals: readonly Candidate[],
  fields: readonly ImageField[],
): UserErrorData {
  const { applied } = candidate;
  const { alias, repository, origin } = candidate.policy;
  const same = fields.filter(({ reference }) => reference?.repository.name === repository.name);
  const error = (what: string, fix: string): UserErrorData => ({
    code: 'POLICY_UNMATCHED',
    what: `${quoted(alias)} matches no image: ${what}`,
    where: origin.where,
    fix,
  });
  if (applied !== undefined) {
    return error(
      `its target was set to ${applied}, and no rendered image is ${repository.name}:${applied}`,
      'check which values (or kustomize images) the image really comes from',
    );
  }
  if (same.length > 0) {
    const { what, fix } = leftOut(candidate, rivals, same);
    return error(what, fix);
  }
  const names = [...new Set(fields.flatMap(({ reference }) => reference?.repository.name ?? []))];
  const meant = closestName(repository.name, names.slice(0, 1000));
  const there = names.length === 0 ? 'nothing rendered has an image' : `there are ${listed(names)}`;
  return error(
    `no image is of ${repository.name}`,
    meant === undefined ? `correct the repository or set optional; ${there}` : `did you mean ${meant}? ${there}`,
  );
}

/** One notice for each policy that is about images but never the highest one. */
export function shadowed(
  assigned: ReadonlyMap<FieldId, ImagePolicy>,
  losers: ReadonlyMap<FieldId, readonly ImagePolicy[]>,
): readonly Notice[] {
  const winners = new Set(assigned.values());
  const notices = new Map<ImagePolicy, Notice>();
  for (const [id, policies] of losers) {
    const winner = assigned.get(id);
    if (winner === undefined) continue;
    for (const policy of policies) {
      if (winners.has(policy) || notices.has(policy)) continue;
      notices.set(policy, {
        code: 'POLICY_SHADOWED',
        what: `${quoted(policy.alias)} is not used, because ${quoted(winner.alias)} (${winner.origin.where}) is about the same image`,
        where: policy.origin.where,
      });
    }
  }
  return [...notices.values()];
}

/** Where a field is, in the words of the manifest. */
export function whereInRendering({ resource, path, line }: ImageField): string {
  return `${resource.kind}/${resource.name} ${path} (line ${line} of the rendering)`;
}
