import type { Notice } from '../error/user-error.ts';

export type RendererKind = 'helm' | 'kustomize' | 'directory';

/** `helm-*` parameters, env-substituted where native sources do; what Argo CD's `spec.source.helm` has. */
export interface HelmSpec {
  readonly releaseName?: string;
  readonly namespace?: string;
  readonly kubeVersion?: string;
  readonly apiVersions: readonly string[];
  readonly valueFiles: readonly string[];
  readonly ignoreMissingValueFiles: boolean;
  /** YAML text. */
  readonly values?: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly stringParameters: Readonly<Record<string, string>>;
  readonly fileParameters: Readonly<Record<string, string>>;
  readonly skipCrds: boolean;
  readonly skipTests: boolean;
  readonly skipSchemaValidation: boolean;
  readonly passCredentials: boolean;
}

/** `kustomize-*` parameters; what Argo CD's `spec.source.kustomize` has. */
export interface KustomizeSpec {
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly namespace?: string;
  readonly version?: string;
  readonly images: readonly string[];
  readonly replicas: Readonly<Record<string, string>>;
  readonly commonLabels: Readonly<Record<string, string>>;
  readonly commonAnnotations: Readonly<Record<string, string>>;
  readonly forceCommonLabels: boolean;
  readonly forceCommonAnnotations: boolean;
  readonly labelWithoutSelector: boolean;
  readonly labelIncludeTemplates: boolean;
  readonly commonAnnotationsEnvsubst: boolean;
  /** YAML list. */
  readonly patches?: string;
  readonly components: readonly string[];
  readonly ignoreMissingComponents: boolean;
}

/** `directory-*` parameters; what Argo CD's `spec.source.directory` has. */
export interface DirectorySpec {
  readonly recurse: boolean;
  readonly include?: string;
  readonly exclude?: string;
  readonly jsonnet: {
    readonly extVars: Readonly<Record<string, string>>;
    readonly tlas: Readonly<Record<string, string>>;
    readonly libs: readonly string[];
  };
}

/** Everything the parameters say about rendering. */
export interface RenderSpec {
  /** Absent: what Argo CD would detect. */
  readonly renderer?: RendererKind;
  readonly helm: HelmSpec;
  readonly kustomize: KustomizeSpec;
  readonly directory: DirectorySpec;
}

/** Argo CD's build environment, as handed to the plugin (docs/architecture.md). */
export interface BuildEnvironment {
  /** `ARGOCD_APP_NAME`: `<name>` or `<namespace>_<name>`. */
  readonly appName: string;
  /** `ARGOCD_APP_NAMESPACE`: the destination namespace, may be empty. */
  readonly appNamespace: string;
  readonly projectName?: string;
  readonly kubeVersion: string;
  readonly kubeApiVersions: readonly string[];
  /** The nine `ARGOCD_APP_*` build variables (with KUBE_VERSION and KUBE_API_VERSIONS) for `$NAME` substitution. */
  readonly variables: Readonly<Record<string, string>>;
}

/** The operator's `rendering:` section. */
export interface RenderingPolicy {
  readonly kustomizeBuildOptions: readonly string[];
  /** Globs of host names that bases, charts and values may come from; `["*"]` = any public name. */
  readonly remoteHosts: readonly string[];
  readonly gitCredentials: boolean;
  readonly helmRepositories?: string;
  readonly helmRegistryConfig?: string;
}

/** What policies with targets set before rendering. A tag only: a digest is no label. */
export interface ValueOverrides {
  /** Dotted value path → value, for a generated values file that is the last one. */
  readonly helm: readonly { readonly path: string; readonly value: string }[];
  /** `kustomize edit set image` arguments: `name=newName:newTag` or `name=newName:newTag@digest`. */
  readonly kustomizeImages: readonly string[];
}

export interface Rendered {
  /** The renderer's output, byte for byte. */
  readonly text: string;
  readonly notices: readonly Notice[];
}
