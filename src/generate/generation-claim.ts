import type { BuildEnvironment } from '../render/render-spec.ts';
import type { GenerationClaim } from '../resolve/resolver.ts';
import { fingerprint } from '../text/fingerprint.ts';

/**
 * What a resolver that refreshes applications is told of this generation.
 *
 * @param parameters `ARGOCD_APP_PARAMETERS` as it arrived: Argo CD writes the same parameters in the same way.
 */
export function generationClaim(
  { variables }: BuildEnvironment,
  parameters: string | undefined,
  random: () => number,
): GenerationClaim {
  const part = (): string => Math.floor(random() * 2 ** 48).toString(36);
  return {
    id: `${part()}-${part()}`,
    source: {
      repoURL: variables['ARGOCD_APP_SOURCE_REPO_URL'] ?? '',
      path: variables['ARGOCD_APP_SOURCE_PATH'] ?? '',
      targetRevision: variables['ARGOCD_APP_SOURCE_TARGET_REVISION'] ?? '',
    },
    revision: variables['ARGOCD_APP_REVISION'] ?? '',
    parametersFingerprint: fingerprint(parameters ?? ''),
  };
}
