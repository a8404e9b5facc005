import type { ImageField } from '../edit/image-field.ts';
import { tagInGit as tagInGitOf } from '../policy/candidate.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import type { Ask } from '../resolve/resolver.ts';

/** The question a policy asks for one field (or, with a target, before there are fields). */
export function askFor(policy: ImagePolicy, field?: ImageField): Ask {
  // Only a digest policy without a tag of its own follows the tag in Git; for the rest one ask serves every field.
  const followed = followsGit(policy) ? field : undefined;
  const tagInGit = followed?.reference === undefined ? undefined : tagInGitOf(followed.reference).tag;
  return {
    image: [policy.repository.name, policy.alias, ...(tagInGit === undefined ? [] : [tagInGit])].join('|'),
    label: policy.alias,
    where: policy.origin.where,
    repository: policy.repository,
    choice: policy.choice,
    onUnsatisfied: policy.onUnsatisfied,
    onRemoved: policy.onRemoved,
    ...(policy.write.output !== undefined && { output: policy.write.output }),
    ...(policy.pollIntervalMs !== undefined && { pollIntervalMs: policy.pollIntervalMs }),
    ...(policy.credential !== undefined && { credential: policy.credential }),
    ...(tagInGit !== undefined && { tagInGit }),
    ...(followed !== undefined && tagInGit === undefined && { untagged: workloadOf(followed) }),
  };
}

function workloadOf({ resource, container, path }: ImageField): string {
  const place = container === undefined ? path : `container ${container}`;
  return `${resource.kind}/${resource.name}, ${place}`;
}

function followsGit({ choice }: ImagePolicy): boolean {
  if (choice.kind !== 'select') return false;
  const { strategy } = choice.selection;
  return strategy.kind === 'digest' && strategy.tag === undefined;
}
