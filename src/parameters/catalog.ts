/** What a plugin parameter can be in an Application. */
export type ParameterType = 'string' | 'array' | 'map';

/** One plugin parameter, as messages, the announcement to Argo CD and the documentation tell it. */
export interface ParameterDescription {
  /** The types it may have. The first is what Argo CD's UI edits. */
  readonly types: readonly ParameterType[];
  readonly title: string;
  readonly tooltip: string;
  /** What a native source calls it, below `spec.source`; empty where there is no such thing. */
  readonly native: string;
  /** A string that is `true` or `false`. */
  readonly flag?: true;
}

/** Every parameter of the plugin, in the order in which people meet them. */
export const PARAMETERS = {
  images: {
    types: ['array', 'string'],
    title: 'Image policies',
    tooltip:
      '[alias=]repository[:constraint], one per element: web=ghcr.io/acme/web:^2. A string is a comma-separated list, as in argocd-image-updater.',
    native: '',
  },
  'image-settings': {
    types: ['map'],
    title: 'Image settings',
    tooltip:
      '<alias>.<setting> for one image, <setting> for all: web.update-strategy, web.allow-tags, web.helm.image-tag.',
    native: '',
  },
  renderer: {
    types: ['string'],
    title: 'Renderer',
    tooltip: 'helm, kustomize or directory. Without it: what Argo CD would detect.',
    native: '',
  },
  'helm-release-name': {
    types: ['string'],
    title: 'Helm release name',
    tooltip: 'Without it: the name of the Application.',
    native: 'helm.releaseName',
  },
  'helm-namespace': {
    types: ['string'],
    title: 'Helm namespace',
    tooltip: 'Without it: the namespace of the destination.',
    native: 'helm.namespace',
  },
  'helm-kube-version': {
    types: ['string'],
    title: 'Helm Kubernetes version',
    tooltip: 'Capabilities.KubeVersion of the chart. Without it: that of the cluster.',
    native: 'helm.kubeVersion',
  },
  'helm-api-versions': {
    types: ['array'],
    title: 'Helm API versions',
    tooltip: 'Capabilities.APIVersions of the chart, [group/]version[/kind]. Without it: those of the cluster.',
    native: 'helm.apiVersions',
  },
  'helm-value-files': {
    types: ['array'],
    title: 'Helm value files',
    tooltip: 'Relative to the chart, with / in front to the repository; globs are allowed. Later ones win.',
    native: 'helm.valueFiles',
  },
  'helm-ignore-missing-value-files': {
    types: ['string'],
    flag: true,
    title: 'Ignore missing value files',
    tooltip: 'true: value files that do not exist are left out.',
    native: 'helm.ignoreMissingValueFiles',
  },
  'helm-values': {
    types: ['string'],
    title: 'Helm values',
    tooltip: 'Values as YAML text. They win over value files.',
    native: 'helm.values',
  },
  'helm-parameters': {
    types: ['map'],
    title: 'Helm parameters',
    tooltip: 'Value paths and values, as with --set. They win over all values.',
    native: 'helm.parameters',
  },
  'helm-string-parameters': {
    types: ['map'],
    title: 'Helm string parameters',
    tooltip: 'Value paths and values that stay text, as with --set-string.',
    native: 'helm.parameters with forceString',
  },
  'helm-file-parameters': {
    types: ['map'],
    title: 'Helm file parameters',
    tooltip: 'Value paths and files that hold the values, as with --set-file.',
    native: 'helm.fileParameters',
  },
  'helm-skip-crds': {
    types: ['string'],
    flag: true,
    title: 'Skip CRDs',
    tooltip: "true: the chart's crds folder is not rendered.",
    native: 'helm.skipCrds',
  },
  'helm-skip-tests': {
    types: ['string'],
    flag: true,
    title: 'Skip tests',
    tooltip: "true: the chart's tests are not rendered.",
    native: 'helm.skipTests',
  },
  'helm-skip-schema-validation': {
    types: ['string'],
    flag: true,
    title: 'Skip schema validation',
    tooltip: "true: values are not checked against the chart's values.schema.json.",
    native: 'helm.skipSchemaValidation',
  },
  'helm-pass-credentials': {
    types: ['string'],
    flag: true,
    title: 'Pass credentials',
    tooltip: 'true: credentials of a chart repository are also sent to the other hosts that it names.',
    native: 'helm.passCredentials',
  },
  'kustomize-name-prefix': {
    types: ['string'],
    title: 'Kustomize name prefix',
    tooltip: 'Put before the name of every resource.',
    native: 'kustomize.namePrefix',
  },
  'kustomize-name-suffix': {
    types: ['string'],
    title: 'Kustomize name suffix',
    tooltip: 'Put behind the name of every resource.',
    native: 'kustomize.nameSuffix',
  },
  'kustomize-namespace': {
    types: ['string'],
    title: 'Kustomize namespace',
    tooltip: 'The namespace that kustomize sets.',
    native: 'kustomize.namespace',
  },
  'kustomize-version': {
    types: ['string'],
    title: 'Kustomize version',
    tooltip: 'There is one kustomize in the plugin image, so any version asked for is refused.',
    native: 'kustomize.version',
  },
  'kustomize-images': {
    types: ['array'],
    title: 'Kustomize images',
    tooltip: '[name=]newName[:tag][@digest], plain overrides that are set before image policies act.',
    native: 'kustomize.images',
  },
  'kustomize-replicas': {
    types: ['map'],
    title: 'Kustomize replicas',
    tooltip: 'Names of workloads and their numbers of replicas.',
    native: 'kustomize.replicas',
  },
  'kustomize-common-labels': {
    types: ['map'],
    title: 'Kustomize labels',
    tooltip: 'Labels for every resource.',
    native: 'kustomize.commonLabels',
  },
  'kustomize-force-common-labels': {
    types: ['string'],
    flag: true,
    title: 'Force labels',
    tooltip: 'true: labels replace those that the kustomization sets.',
    native: 'kustomize.forceCommonLabels',
  },
  'kustomize-label-without-selector': {
    types: ['string'],
    flag: true,
    title: 'Labels without selectors',
    tooltip: 'true: labels are not added to selectors.',
    native: 'kustomize.labelWithoutSelector',
  },
  'kustomize-label-include-templates': {
    types: ['string'],
    flag: true,
    title: 'Labels on templates',
    tooltip: 'true: labels are added to Pod templates, too; only without selectors.',
    native: 'kustomize.labelIncludeTemplates',
  },
  'kustomize-common-annotations': {
    types: ['map'],
    title: 'Kustomize annotations',
    tooltip: 'Annotations for every resource.',
    native: 'kustomize.commonAnnotations',
  },
  'kustomize-force-common-annotations': {
    types: ['string'],
    flag: true,
    title: 'Force annotations',
    tooltip: 'true: annotations replace those that the kustomization sets.',
    native: 'kustomize.forceCommonAnnotations',
  },
  'kustomize-common-annotations-envsubst': {
    types: ['string'],
    flag: true,
    title: 'Substitute in annotations',
    tooltip: 'true: $ARGOCD_APP_NAME and the other build variables are substituted in annotations.',
    native: 'kustomize.commonAnnotationsEnvsubst',
  },
  'kustomize-patches': {
    types: ['string'],
    title: 'Kustomize patches',
    tooltip: 'A YAML list, as patches of a kustomization.',
    native: 'kustomize.patches',
  },
  'kustomize-components': {
    types: ['array'],
    title: 'Kustomize components',
    tooltip: 'Folders of components, relative to the kustomization.',
    native: 'kustomize.components',
  },
  'kustomize-ignore-missing-components': {
    types: ['string'],
    flag: true,
    title: 'Ignore missing components',
    tooltip: 'true: components that do not exist are left out.',
    native: 'kustomize.ignoreMissingComponents',
  },
  'directory-recurse': {
    types: ['string'],
    flag: true,
    title: 'Recurse into folders',
    tooltip: 'true: manifests in folders below count, too.',
    native: 'directory.recurse',
  },
  'directory-include': {
    types: ['string'],
    title: 'Include files',
    tooltip: 'A glob; only files that match are manifests.',
    native: 'directory.include',
  },
  'directory-exclude': {
    types: ['string'],
    title: 'Exclude files',
    tooltip: 'A glob; files that match are left out.',
    native: 'directory.exclude',
  },
  'directory-jsonnet-ext-vars': {
    types: ['map'],
    title: 'Jsonnet external variables',
    tooltip: 'Text, or jsonnet code where the value begins with code:.',
    native: 'directory.jsonnet.extVars',
  },
  'directory-jsonnet-tlas': {
    types: ['map'],
    title: 'Jsonnet top-level arguments',
    tooltip: 'Text, or jsonnet code where the value begins with code:.',
    native: 'directory.jsonnet.tlas',
  },
  'directory-jsonnet-libs': {
    types: ['array'],
    title: 'Jsonnet libraries',
    tooltip: 'Folders for imports, relative to the repository.',
    native: 'directory.jsonnet.libs',
  },
} as const;

/** The name of a plugin parameter. */
export type ParameterName = keyof typeof PARAMETERS;

/** All names, in the order of {@link PARAMETERS}. */
export const PARAMETER_NAMES: readonly ParameterName[] = Object.keys(PARAMETERS) as ParameterName[];

/** The description of a parameter; `undefined` for a name that is none. */
export function describeParameter(name: string): ParameterDescription | undefined {
  return isParameterName(name) ? PARAMETERS[name] : undefined;
}

/** Whether a text is the name of a parameter. */
export function isParameterName(text: string): text is ParameterName {
  return Object.hasOwn(PARAMETERS, text);
}
