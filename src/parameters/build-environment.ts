import type { BuildEnvironment } from '../render/render-spec.ts';

/** What `$NAME` stands for in parameters. Nothing else of the environment is a tenant's to read. */
const VARIABLES = [
  'ARGOCD_APP_NAME',
  'ARGOCD_APP_NAMESPACE',
  'ARGOCD_APP_PROJECT_NAME',
  'ARGOCD_APP_REVISION',
  'ARGOCD_APP_REVISION_SHORT',
  'ARGOCD_APP_REVISION_SHORT_8',
  'ARGOCD_APP_SOURCE_REPO_URL',
  'ARGOCD_APP_SOURCE_PATH',
  'ARGOCD_APP_SOURCE_TARGET_REVISION',
  'KUBE_VERSION',
  'KUBE_API_VERSIONS',
] as const;

/**
 * Argo CD's build environment. Outside of Argo CD (a laptop, a CI job) any of it may be absent.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/
 */
export function readBuildEnvironment(environment: Readonly<Record<string, string | undefined>>): BuildEnvironment {
  const variables: Record<string, string> = {};
  for (const name of VARIABLES) {
    const value = environment[name];
    if (value !== undefined) variables[name] = value;
  }
  const project = variables['ARGOCD_APP_PROJECT_NAME'] ?? '';
  return {
    appName: variables['ARGOCD_APP_NAME'] ?? '',
    appNamespace: variables['ARGOCD_APP_NAMESPACE'] ?? '',
    // Argo CD before 3.0 does not tell the project; an empty one is none.
    ...(project !== '' && { projectName: project }),
    kubeVersion: variables['KUBE_VERSION'] ?? '',
    kubeApiVersions: (variables['KUBE_API_VERSIONS'] ?? '').split(',').filter((version) => version !== ''),
    variables,
  };
}
