import type { UserErrorData } from '../error/user-error.ts';
import type { Applications } from '../applications/application.ts';
import type { CallerClaim } from '../registry/access.ts';
import { sourcesLike } from '../registrations/sources.ts';
import type { Ask, Resolution, SourceClaim } from '../resolve/resolver.ts';

/** How what a generation says of itself fits to the Application of that name. */
export type Claim =
  | 'possible'
  /** It names a project that is not its Application's. */
  | 'other-project'
  /** Neither project nor source are the Application's: it is another one of the same name. */
  | 'other-application';

/**
 * Without a project (before Argo CD 3.0) a generation gets only what is open to every application, and of an Application that is
 * not known (a new one is checked before it is stored) nothing can be said. For that check Argo CD's API leaves the namespace
 * out of the name, so an Application of Argo CD's own namespace may have it.
 */
export function claimOf(
  who: CallerClaim,
  source: SourceClaim | undefined,
  applications: Pick<Applications, 'byInstanceName'>,
): Claim {
  if (who.project === undefined || who.application === '') return 'possible';
  const known = applications.byInstanceName(who.application);
  if (known === undefined || known.project === who.project) return 'possible';
  return source === undefined || sourcesLike(known, source).length > 0 ? 'other-project' : 'other-application';
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
