import type { Application, ApplicationSource } from '../applications/application.ts';
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
