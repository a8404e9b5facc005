import { UserError } from '../../error/user-error.ts';
import type { BuildEnvironment } from '../render-spec.ts';

/** What may not be in the build options even for the operator: it runs a tenant's code, or sends the manifests elsewhere. */
const NEVER: readonly string[] = [
  '--enable-alpha-plugins',
  '--enable-exec',
  '--network',
  '--network-name',
  '--mount',
  '--as-current-user',
  '--env',
  '-e',
  '--output',
  '-o',
];

/** Whether kustomize may run helm for `helmCharts`. */
export function helmEnabled(buildOptions: readonly string[]): boolean {
  return buildOptions.some((option) => option === '--enable-helm' || option === '--enable-helm=true');
}

/**
 * The arguments of `kustomize build`, as Argo CD's repo-server gives them.
 *
 * @throws {UserError} `OPERATOR_CONFIG_INVALID` for options that are never passed on.
 */
export function buildArguments(
  directory: string,
  buildOptions: readonly string[],
  environment: Pick<BuildEnvironment, 'kubeVersion' | 'kubeApiVersions'>,
  helm: string,
): readonly string[] {
  const refused = buildOptions.find((option) =>
    NEVER.some((never) => option === never || option.startsWith(`${never}=`)),
  );
  if (refused !== undefined) {
    throw new UserError('OPERATOR_CONFIG_INVALID', {
      what: `kustomize's option ${refused} is not passed on`,
      where: 'rendering.kustomizeBuildOptions',
      fix: 'remove it: plugins that run programs are not supported, and the manifests go to standard output',
    });
  }
  if (!helmEnabled(buildOptions)) return ['build', directory, ...buildOptions];
  const namesHelm = buildOptions.some((option) => option.startsWith('--helm-command'));
  return [
    'build',
    directory,
    ...buildOptions,
    ...(namesHelm || helm === 'helm' ? [] : ['--helm-command', helm]),
    ...(environment.kubeVersion === '' ? [] : ['--helm-kube-version', environment.kubeVersion]),
    ...environment.kubeApiVersions.flatMap((version) => ['--helm-api-versions', version]),
  ];
}
