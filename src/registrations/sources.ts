import type { Application, ApplicationSource } from '../applications/application.ts';
import { placeOf } from '../resolve/answers.ts';
import type { SourceClaim } from '../resolve/resolver.ts';
import type { Registration } from './registration.ts';

/** The plugin's name in Applications; a version follows a dash. */
const PLUGIN = 'image-resolver';

/** Whether a source names this plugin, in whatever version. */
export function namesThisPlugin({ plugin }: ApplicationSource): boolean {
  return plugin === PLUGIN || plugin?.startsWith(`${PLUGIN}-`) === true;
}

/** The sources of an Application that a generation may have been for, with their places. */
export function sourcesLike(
  application: Pick<Application, 'sources'>,
  claim: SourceClaim,
): readonly { readonly source: ApplicationSource; readonly place: number }[] {
  return application.sources
    .map((source, place) => ({ source, place }))
    .filter(({ source }) => sameSource(source, claim));
}

/** What the Application shows where it is not the revision that was rendered; undefined: it is that one, or none is shown. */
export function otherRevision(
  application: Pick<Application, 'sources' | 'revisions'>,
  { source, revision }: Pick<Registration, 'source' | 'revision'>,
): string | undefined {
  const shown = sourcesLike(application, source).flatMap(({ place }) => application.revisions[place] ?? []);
  const [first] = shown;
  return first === undefined || first === '' || shown.includes(revision) ? undefined : first;
}

/**
 * What tells a source from the others of its application: `placeOf`, and more only where several have that in common, because
 * what is frozen must not be let go of when a revision or a parameter changes.
 */
export function placeAmong(
  application: Application | undefined,
  source: SourceClaim,
  parametersFingerprint: string,
): string {
  const place = placeOf(source);
  const isAlike = (other: SourceClaim): boolean =>
    sameSource({ ...other, targetRevision: '' }, { ...source, targetRevision: '' });
  if (application === undefined || application.sources.filter(isAlike).length < 2) return place;
  const isOnlyOne = sourcesLike(application, source).length < 2;
  return JSON.stringify([place, source.targetRevision, ...(isOnlyOne ? [] : [parametersFingerprint])]);
}

/**
 * Whether two say the same source. Plugins are not told the Application's `repoURL` but the address in the Secret of that
 * repository, which Argo CD takes for the same when it differs in case, in `.git` or in the form of an SSH address.
 */
export function sameSource(one: SourceClaim, other: SourceClaim): boolean {
  return (
    sameRepository(one.repoURL, other.repoURL) &&
    one.path === other.path &&
    (one.targetRevision || 'HEAD') === (other.targetRevision || 'HEAD')
  );
}

function sameRepository(one: string, other: string): boolean {
  return one === other || normalRepository(one) === normalRepository(other);
}

/** @see https://github.com/argoproj/argo-cd/blob/v3.2.11/util/git/git.go#L58 */
function normalRepository(url: string): string {
  const lower = url.trim().toLowerCase();
  const isScpForm = /^[^/@:]+@[^/:]+:/.test(lower);
  return (isScpForm ? lower.replace(':', '/') : lower).replace(/\.git$/, '').replace(/^ssh:\/\//, '');
}
