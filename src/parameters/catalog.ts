export type ParameterType = 'string' | 'array' | 'map';

/** One plugin parameter: what validation, the announcement to Argo CD's UI and the docs know of it. */
export interface ParameterEntry {
  readonly name: string;
  /** The types accepted; the first is the one announced. */
  readonly types: readonly [ParameterType, ...ParameterType[]];
  readonly title: string;
  readonly help: string;
  /** The field of a native Argo CD source that it stands for. */
  readonly native?: string;
}

const string = (name: string, title: string, help: string, native?: string): ParameterEntry =>
  entry(name, ['string'], title, help, native);
const array = (name: string, title: string, help: string, native?: string): ParameterEntry =>
  entry(name, ['array'], title, help, native);
const map = (name: string, title: string, help: string, native?: string): ParameterEntry =>
  entry(name, ['map'], title, help, native);
const truth = (name: string, title: string, help: string, native?: string): ParameterEntry =>
  entry(name, ['string'], title, `true or false: ${help}`, native);

function entry(
  name: string,
  types: ParameterEntry['types'],
  title: string,
  help: string,
  native: string | undefined,
): ParameterEntry {
  return { name, types, title, help, ...(native !== undefined && { native }) };
}

/** Every parameter, in the order in which it is shown. */
export const PARAMETERS: readonly ParameterEntry[] = [
  entry(
    'images',
    ['array', 'string'],
    'Image policies',
    '[alias=]repository[:constraint], one per element; as a string, a comma-separated list as argocd-image-updater has it',
    undefined,
  ),
  map('image-settings', 'Image settings', '<alias>.<setting>, or <setting> for all images'),
  string('renderer', 'Renderer', 'helm, kustomize or directory; default: what Argo CD would detect'),

  string('helm-release-name', 'Helm release name', 'default: the name of the application', 'helm.releaseName'),
  string('helm-namespace', 'Helm namespace', 'default: the destination namespace', 'helm.namespace'),
  string('helm-kube-version', 'Kubernetes version', "default: the cluster's", 'helm.kubeVersion'),
  array('helm-api-versions', 'API versions', "default: the cluster's", 'helm.apiVersions'),
  array(
    'helm-value-files',
    'Helm value files',
    'relative to the chart, or to the repository with a leading /; globs',
    'helm.valueFiles',
  ),
  truth(
    'helm-ignore-missing-value-files',
    'Ignore missing value files',
    'skip value files that are not there',
    'helm.ignoreMissingValueFiles',
  ),
  string('helm-values', 'Helm values', 'values as YAML text', 'helm.values, helm.valuesObject'),
  map('helm-parameters', 'Helm parameters', 'name to value, as with --set', 'helm.parameters'),
  map(
    'helm-string-parameters',
    'Helm string parameters',
    'name to value, as with --set-string',
    'helm.parameters with forceString',
  ),
  map('helm-file-parameters', 'Helm file parameters', 'name to path, as with --set-file', 'helm.fileParameters'),
  truth('helm-skip-crds', 'Skip CRDs', 'leave out the CRDs of the chart', 'helm.skipCrds'),
  truth('helm-skip-tests', 'Skip tests', 'leave out the test hooks of the chart', 'helm.skipTests'),
  truth(
    'helm-skip-schema-validation',
    'Skip schema validation',
    "do not check values against the chart's schema",
    'helm.skipSchemaValidation',
  ),
  truth(
    'helm-pass-credentials',
    'Pass credentials',
    'send repository credentials to all domains of a chart repository',
    'helm.passCredentials',
  ),

  string('kustomize-name-prefix', 'Name prefix', 'put before the name of every resource', 'kustomize.namePrefix'),
  string('kustomize-name-suffix', 'Name suffix', 'put after the name of every resource', 'kustomize.nameSuffix'),
  string('kustomize-namespace', 'Namespace', 'set on every resource', 'kustomize.namespace'),
  string('kustomize-version', 'Kustomize version', 'a version the operator registered', 'kustomize.version'),
  array(
    'kustomize-images',
    'Image overrides',
    '[old=]name[:tag][@digest]; image policies come after them',
    'kustomize.images',
  ),
  map('kustomize-replicas', 'Replicas', 'resource name to count', 'kustomize.replicas'),
  map('kustomize-common-labels', 'Common labels', 'label to value', 'kustomize.commonLabels'),
  map('kustomize-common-annotations', 'Common annotations', 'annotation to value', 'kustomize.commonAnnotations'),
  truth(
    'kustomize-force-common-labels',
    'Force common labels',
    'replace labels that are there',
    'kustomize.forceCommonLabels',
  ),
  truth(
    'kustomize-force-common-annotations',
    'Force common annotations',
    'replace annotations that are there',
    'kustomize.forceCommonAnnotations',
  ),
  truth(
    'kustomize-label-without-selector',
    'Labels without selectors',
    'leave selectors alone',
    'kustomize.labelWithoutSelector',
  ),
  truth(
    'kustomize-label-include-templates',
    'Labels on templates',
    'label Pod templates too',
    'kustomize.labelIncludeTemplates',
  ),
  truth(
    'kustomize-common-annotations-envsubst',
    'Substitute in annotations',
    'replace $ARGOCD_APP_NAME and its like',
    'kustomize.commonAnnotationsEnvsubst',
  ),
  string('kustomize-patches', 'Patches', 'a YAML list of patches', 'kustomize.patches'),
  array('kustomize-components', 'Components', 'paths of components', 'kustomize.components'),
  truth(
    'kustomize-ignore-missing-components',
    'Ignore missing components',
    'skip components that are not there',
    'kustomize.ignoreMissingComponents',
  ),

  truth('directory-recurse', 'Recurse', 'read sub-directories too', 'directory.recurse'),
  string('directory-include', 'Include', 'glob of the files to read', 'directory.include'),
  string('directory-exclude', 'Exclude', 'glob of the files to leave out', 'directory.exclude'),
  map(
    'directory-jsonnet-ext-vars',
    'Jsonnet external variables',
    'name to text, or code:<jsonnet>',
    'directory.jsonnet.extVars',
  ),
  map(
    'directory-jsonnet-tlas',
    'Jsonnet top-level arguments',
    'name to text, or code:<jsonnet>',
    'directory.jsonnet.tlas',
  ),
  array('directory-jsonnet-libs', 'Jsonnet libraries', 'folders, relative to the repository', 'directory.jsonnet.libs'),
];

/**
 * Names that someone coming from a native source will try, and why a plugin source has none of them. Each is an error of
 * its own, so that nobody thinks it took effect (docs/rendering.md).
 */
export const UNAVAILABLE: ReadonlyMap<string, { readonly why: string; readonly fix: string }> = new Map([
  [
    'ref',
    {
      why: 'Argo CD checks out the sources that `ref` names for native Helm only',
      fix: 'keep the values file in this repository, or write the values in helm-values',
    },
  ],
  [
    'helm-version',
    {
      why: 'there is one Helm in the sidecar, as there is one in Argo CD',
      fix: 'build the sidecar image with the Helm you want',
    },
  ],
  [
    'helm-values-object',
    {
      why: 'plugin parameters are strings, arrays and maps of strings',
      fix: 'write the object as YAML text in helm-values',
    },
  ],
  [
    'helm-post-renderer',
    { why: 'a post-renderer runs any program', fix: 'move what it does into the chart or into kustomize' },
  ],
  ['helm-plugins', { why: 'a Helm plugin runs any program', fix: 'move what it does into the chart' }],
  ['helm-args', { why: 'free arguments run any program and read any file', fix: 'use the helm-* parameters' }],
  [
    'helm-value-files-schemes',
    {
      why: 'where values may come from is for the operator to say',
      fix: 'ask the operator to allow the host in rendering.remoteSources',
    },
  ],
  [
    'kustomize-build-options',
    {
      why: 'build options run programs and leave the repository; they are for the operator to set',
      fix: 'ask the operator to set rendering.kustomizeBuildOptions',
    },
  ],
  [
    'kustomize-enable-helm',
    {
      why: 'build options are for the operator to set',
      fix: 'ask the operator to put --enable-helm into rendering.kustomizeBuildOptions',
    },
  ],
  [
    'kustomize-load-restrictor',
    {
      why: 'reading outside the kustomization is for the operator to allow',
      fix: 'ask the operator to set rendering.kustomizeBuildOptions',
    },
  ],
  [
    'kustomize-kube-version',
    {
      why: "kustomize gets the cluster's version, and only with --enable-helm",
      fix: 'render the chart with helm-kube-version instead',
    },
  ],
  [
    'kustomize-api-versions',
    {
      why: "kustomize gets the cluster's API versions, and only with --enable-helm",
      fix: 'render the chart with helm-api-versions instead',
    },
  ],
  [
    'directory-disable-extension-filter',
    { why: 'only files that end in .yaml, .yml, .json and .jsonnet are manifests here', fix: 'rename the files' },
  ],
]);
