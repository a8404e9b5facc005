// The objects of Argo CD as its users and its installation write them.

import type { Parameter } from '../../e2e/argo-cd.ts';
import type { ApiObject } from '../../support/real-kubernetes-api.ts';

/** Namespace of Argo CD itself. */
export const CONTROL_PLANE = 'argocd';

export const APPLICATIONS = '/apis/argoproj.io/v1alpha1/applications';
export const CONFIG_MAPS = '/api/v1/configmaps';
export const DEPLOYMENTS = '/apis/apps/v1/deployments';

export function applicationsOf(namespace: string): string {
  return `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`;
}

export function projectsOf(namespace: string): string {
  return `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/appprojects`;
}

export function applicationSetsOf(namespace: string): string {
  return `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applicationsets`;
}

/** One source, or one of several. Without `parameters` it is rendered by Argo CD itself. */
export interface SourceOptions {
  readonly url: string;
  /** Default `.`. */
  readonly path?: string;
  readonly parameters?: readonly Parameter[];
  /** Default `main`. */
  readonly revision?: string;
}

export type SyncPolicy = 'self-heal' | 'automated' | 'manual';

export interface ApplicationOptions {
  readonly name: string;
  /** Default Argo CD's own. */
  readonly namespace?: string;
  /** Default `default`. */
  readonly project?: string;
  /** Several make a multi-source application. */
  readonly sources: readonly [SourceOptions, ...SourceOptions[]];
  /** Namespace the manifests go to; default the application's name. */
  readonly destination?: string;
  /** Default `self-heal`: automated, and differences in the cluster are healed. */
  readonly syncPolicy?: SyncPolicy;
  /** How often a failed sync is tried again; Argo CD's default is 5. */
  readonly retryLimit?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** An Application as an Argo CD user writes it. */
export function applicationManifest(options: ApplicationOptions): object {
  const sources = options.sources.map(({ url, path = '.', parameters, revision = 'main' }) => ({
    repoURL: url,
    path,
    targetRevision: revision,
    ...(parameters === undefined ? {} : { plugin: { name: 'image-resolver', parameters } }),
  }));
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: options.name, namespace: options.namespace ?? CONTROL_PLANE, ...options.metadata },
    spec: {
      project: options.project ?? 'default',
      ...(sources.length === 1 ? { source: sources[0] } : { sources }),
      destination: { server: 'https://kubernetes.default.svc', namespace: destinationOf(options) },
      syncPolicy: {
        ...syncPolicyOf(options.syncPolicy ?? 'self-heal'),
        ...(options.retryLimit === undefined ? {} : { retry: { limit: options.retryLimit } }),
      },
    },
  };
}

/** Where the manifests of an application go. */
export function destinationOf(options: Pick<ApplicationOptions, 'name' | 'destination'>): string {
  return options.destination ?? options.name;
}

function syncPolicyOf(policy: SyncPolicy): object {
  const syncOptions = ['CreateNamespace=true'];
  switch (policy) {
    case 'self-heal':
      return { automated: { prune: true, selfHeal: true }, syncOptions };
    case 'automated':
      return { automated: { prune: true }, syncOptions };
    case 'manual':
      return { syncOptions };
    default:
      return policy satisfies never;
  }
}

export interface ProjectOptions {
  readonly name: string;
  /** Where Applications of this project may be, besides Argo CD's own namespace. */
  readonly sourceNamespaces?: readonly string[];
  /** `spec.syncWindows`. */
  readonly syncWindows?: readonly Readonly<Record<string, unknown>>[];
}

export function projectManifest({ name, sourceNamespaces = [], syncWindows = [] }: ProjectOptions): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name, namespace: CONTROL_PLANE },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      sourceNamespaces,
      syncWindows,
    },
  };
}

/** An ApplicationSet without generators; its children are Applications with an owner. */
export function applicationSetManifest(name: string): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name, namespace: CONTROL_PLANE },
    spec: {
      generators: [],
      template: { metadata: {}, spec: { project: 'default', destination: {}, source: { repoURL: '' } } },
    },
  };
}

/** What Argo CD's installation has besides Deployments, as far as its programs ask for it. */
export function installationObjects(): readonly { readonly path: string; readonly object: object }[] {
  const metadata = (name: string): object => ({
    name,
    namespace: CONTROL_PLANE,
    labels: { 'app.kubernetes.io/part-of': 'argocd' },
  });
  const core = `/api/v1/namespaces/${CONTROL_PLANE}`;
  const configMaps = [
    'argocd-cm',
    'argocd-rbac-cm',
    'argocd-cmd-params-cm',
    'argocd-tls-certs-cm',
    'argocd-ssh-known-hosts-cm',
    'argocd-gpg-keys-cm',
  ];
  return [
    ...configMaps.map((name) => ({
      path: `${core}/configmaps`,
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name) },
    })),
    {
      path: `${core}/secrets`,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: metadata('argocd-secret'),
        stringData: { 'server.secretkey': 'only-for-tests' },
      },
    },
    {
      path: projectsOf(CONTROL_PLANE),
      object: projectManifest({ name: 'default' }),
    },
  ];
}

/** An Application as Argo CD reports it, as far as tests look at it. */
export interface ApplicationState extends ApiObject {
  readonly spec: { readonly project: string };
  readonly operation?: unknown;
  readonly status?: {
    readonly reconciledAt?: string;
    readonly sync?: { readonly status?: string; readonly revision?: string; readonly revisions?: readonly string[] };
    readonly resources?: readonly { readonly kind: string; readonly name: string }[];
    readonly summary?: { readonly images?: readonly string[] };
    readonly health?: { readonly status?: string };
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
    readonly history?: readonly { readonly revision?: string; readonly deployedAt: string }[];
    readonly operationState?: {
      readonly phase: string;
      readonly finishedAt?: string;
      readonly message?: string;
      readonly operation: { readonly initiatedBy?: { readonly username?: string; readonly automated?: boolean } };
      readonly syncResult?: { readonly resources?: readonly Readonly<Record<string, string>>[] };
    };
  };
}

/** A Deployment, as far as tests look at it. */
export interface DeploymentState extends ApiObject {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
    };
  };
}

/** A pod that belongs to a Deployment, without the ReplicaSet in between. */
export function podOf({ apiVersion, kind, metadata, spec }: DeploymentState): object {
  const { name, namespace, uid } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] },
    spec: { containers: spec.template.spec.containers },
  };
}
