import type { BuildEnvironment } from '../render/render-spec.ts';

/**
 * The variables that native sources substitute in parameters. Argo CD hands plugins the project's name too; native
 * sources know it since 3.0.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/
 */
const BUILD_VARIABLES = [
  'ARGOCD_APP_NAME',
  'ARGOCD_APP_NAMESPACE',
  'ARGOCD_APP_PROJECT_NAME',
  'ARGOCD_APP_REVISION',
  'ARGOCD_APP_REVISION_SHORT',
  'ARGOCD_APP_REVISION_SHORT_8',
  'ARGOCD_APP_SOURCE_REPO_URL',
  'ARGOCD_APP_SOURCE_PATH',
  'ARGOCD_APP_SOURCE_TARGET_REVISION',
] as const;

/** Argo CD's build environment as the plugin finds it. What is absent (a laptop) is empty, as Argo CD writes it. */
export function readBuildEnvironment(environment: Readonly<Record<string, string | undefined>>): BuildEnvironment {
  const projectName = environment['ARGOCD_APP_PROJECT_NAME'];
  return {
    appName: environment['ARGOCD_APP_NAME'] ?? '',
    appNamespace: environment['ARGOCD_APP_NAMESPACE'] ?? '',
    ...(projectName !== undefined && projectName !== '' && { projectName }),
    kubeVersion: environment['KUBE_VERSION'] ?? '',
    kubeApiVersions: (environment['KUBE_API_VERSIONS'] ?? '').split(',').filter((version) => version !== ''),
    variables: Object.fromEntries(BUILD_VARIABLES.map((name) => [name, environment[name] ?? ''])),
  };
}
