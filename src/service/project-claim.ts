import type { UserErrorData } from '../error/user-error.ts';
import type { Applications } from '../applications/application.ts';
import type { CallerClaim } from '../registry/access.ts';
import type { Ask, Resolution } from '../resolve/resolver.ts';

/**
 * Whether a generation claims a project that is not its Application's. Without a project (before Argo CD 3.0) it gets only
 * what is open to every application, and of an Application that is not known (a new one is checked before it is stored)
 * nothing can be said.
 */
export function claimsOtherProject(who: CallerClaim, applications: Pick<Applications, 'byInstanceName'>): boolean {
  if (who.project === undefined || who.application === '') return false;
  const known = applications.byInstanceName(who.application);
  return known !== undefined && known.project !== who.project;
}

/** The project that the Application really belongs to is not told. */
export function projectMismatch(who: CallerClaim, ask: Ask): Resolution {
  const error: UserErrorData = {
    code: 'PROJECT_MISMATCH',
    what: `the Application ${who.application} does not belong to the AppProject ${who.project ?? ''} that its generation names`,
    where: `${ask.where} (${ask.label})`,
    fix: 'refresh the application; if its project was not changed a moment ago, see which Applications the controller watches',
  };
  return { kind: 'refused', error, why: error.what, notices: [] };
}
