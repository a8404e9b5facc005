import type { Application } from '../applications/application.ts';
import type { GenerationClaim } from '../resolve/resolver.ts';
import type { Registration } from './registration.ts';
import { sameSource } from './sources.ts';

/**
 * Whether a sync of the Application runs, and this generation is for what it syncs. Argo CD renders in the middle of one when its
 * cache lost the manifests or somebody refreshes hard; waves and hooks must not mix images then.
 */
export function isBeingSynced(
  { source, revision }: Pick<GenerationClaim, 'source' | 'revision'>,
  application: Pick<Application, 'operating'> | undefined,
  registrations: readonly Pick<Registration, 'source' | 'revision'>[],
): boolean {
  if (application?.operating !== true) return false;
  return registrations.some((one) => one.revision === revision && sameSource(one.source, source));
}
