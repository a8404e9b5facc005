// Roles as operators write them, for one account in one namespace.

import type { RealKubernetes, ServiceAccountName } from '../../support/real-kubernetes.ts';

export interface RoleOptions {
  /** Where it holds. */
  readonly namespace: string;
  readonly name: string;
  readonly account: ServiceAccountName;
  readonly rules: readonly Readonly<Record<string, readonly string[]>>[];
}

/** Creates or replaces the Role and its binding. */
export async function allow(
  kubernetes: RealKubernetes,
  { namespace, name, account, rules }: RoleOptions,
): Promise<void> {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { namespace, name } };
  await kubernetes.apply({ ...rbac, kind: 'Role', rules });
  await kubernetes.apply({
    ...rbac,
    kind: 'RoleBinding',
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
}

/** What the page about the controller has for Secrets: by name, to list and watch. */
export function readSecrets(...names: readonly string[]): RoleOptions['rules'] {
  return [{ apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: ['list', 'watch'] }];
}
