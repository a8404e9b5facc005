import type { Repository } from '../image/reference.ts';
import { matchesGlob } from './glob.ts';
import type { Mode, OperatorConfiguration } from './operator-configuration.ts';

/** What modes are decided by. */
export interface ModeQuestion {
  /** AppProject, where it is known. */
  readonly project?: string;
  /** Argo CD's instance name; empty when unknown. */
  readonly application: string;
  /** Absent: the application as a whole, for which rules about repositories say nothing. */
  readonly repository?: Repository;
}

/**
 * The mode of the first rule whose globs all match; `enforce` when there is none.
 *
 * A rule's `application` is `namespace/name`, while Argo CD tells an application as `<name>` when it is in the control
 * plane's namespace and as `<namespace>_<name>` elsewhere. No name in Kubernetes holds `_`, so the two forms cannot be
 * mistaken. The first is completed with `controlPlaneNamespace` (default `argocd`), and so is a rule without a namespace,
 * as in Argo CD's own lists of applications.
 *
 * What is not known (a project before Argo CD 3.0, an application on a laptop) is empty: `*` matches it, a name does not.
 */
export function modeFor(
  configuration: OperatorConfiguration,
  { project = '', application, repository }: ModeQuestion,
): Mode {
  if (configuration.modes.length === 0) return 'enforce';
  const { controlPlaneNamespace = 'argocd' } = configuration;
  const asked = application === '' ? '' : qualifiedName(application.replace('_', '/'), controlPlaneNamespace);
  const rule = configuration.modes.find(
    (candidate) =>
      (candidate.project === undefined || matchesGlob(candidate.project, project)) &&
      (candidate.application === undefined ||
        matchesGlob(qualifiedName(candidate.application, controlPlaneNamespace), asked)) &&
      (candidate.repository === undefined ||
        (repository !== undefined && matchesGlob(candidate.repository, repository.name))),
  );
  return rule?.mode ?? 'enforce';
}

function qualifiedName(name: string, namespace: string): string {
  return name.includes('/') ? name : `${namespace}/${name}`;
}
