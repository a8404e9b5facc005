import type { UserErrorData } from '../error/user-error.ts';
import type { Repository } from '../image/reference.ts';
import type { CredentialName } from '../registry/access.ts';
import type { CallerClaim } from '../registry/access.ts';

/** The host is none of the operator's. */
export function hostNotAllowed({ host, name }: Repository): UserErrorData {
  return {
    code: 'HOST_NOT_ALLOWED',
    what: `the registry ${host} is not one that the operator allows`,
    where: `image ${name}`,
    fix: `use an allowed registry, or have the operator add ${host} to registries.hosts or registries.allow`,
  };
}

/** The operator's entry for the host cannot be used as it is. */
export function unusableEntry({ name }: Repository, problem: string): UserErrorData {
  return {
    code: 'OPERATOR_CONFIG_INVALID',
    what: problem,
    where: `image ${name}`,
    fix: 'have the operator correct the entry of the registry',
  };
}

/** The same text whether the credential exists or not. */
export function notGranted(wish: CredentialName, { name }: Repository, { project }: CallerClaim): UserErrorData {
  const shown = wish.length > 200 ? `${wish.slice(0, 200)}…` : wish;
  const who = project === undefined || project === '' ? 'an application without a known project' : `project ${project}`;
  return {
    code: 'CREDENTIAL_NOT_GRANTED',
    what: `the credential ${JSON.stringify(shown)} is not granted to ${who} for ${name}`,
    where: `image ${name}`,
    fix: 'remove pull-secret, or have the operator grant it (grants: projects, credentials, hosts); env: and ext: cannot be granted',
  };
}
