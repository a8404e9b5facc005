import type { Repository } from '../image/reference.ts';
import { matchesAny } from '../operator/glob.ts';
import type { Grant } from '../operator/operator-configuration.ts';
import { coversRepository, parseRepositoryPrefix } from '../operator/repository-prefix.ts';

/** Whether a project may name a credential for a repository: one grant must cover all three. A caller without a project has no grants. */
export function isGranted(
  grants: readonly Grant[],
  wish: { readonly project: string | undefined; readonly credential: string; readonly repository: Repository },
): boolean {
  const { project, credential, repository } = wish;
  if (project === undefined) return false;
  return grants.some(
    (grant) =>
      matchesAny(grant.projects, project) &&
      matchesAny(grant.credentials, credential) &&
      grant.hosts.some((host) => {
        const prefix = parseRepositoryPrefix(host);
        return prefix.ok && coversRepository(prefix.value, repository);
      }),
  );
}
