import type { Application, ApplicationSource } from '../applications/application.ts';
import type { SourceClaim } from '../resolve/resolver.ts';

/** The plugin's name in Applications; a version follows a dash. */
const PLUGIN = 'image-resolver';

/** Whether a source names this plugin, in whatever version. */
export function namesThisPlugin({ plugin }: ApplicationSource): boolean {
  return plugin === PLUGIN || plugin?.startsWith(`${PLUGIN}-`) === true;
}

/** The sources of an Application that a generation may have been for, with their places. */
export function sourcesLike(
  application: Application,
  claim: SourceClaim,
): readonly { readonly source: ApplicationSource; readonly place: number }[] {
  return application.sources
    .map((source, place) => ({ source, place }))
    .filter(({ source }) => sameSource(source, claim));
}

export function sameSource(one: SourceClaim, other: SourceClaim): boolean {
  return (
    one.repoURL === other.repoURL &&
    one.path === other.path &&
    (one.targetRevision || 'HEAD') === (other.targetRevision || 'HEAD')
  );
}
