/**
 * Native Argo CD features that a plugin source cannot have or does not get here, by the name under which people try them
 * as parameters; each with the reason, and what to do instead.
 */
const UNAVAILABLE: Readonly<Record<string, { readonly why: string; readonly instead: string }>> = {
  'helm-version': {
    why: 'the Helm in the plugin image renders every chart',
    instead: 'remove it; the operator chooses the image',
  },
  'helm-values-object': {
    why: 'plugin parameters are text, so values cannot be an object',
    instead: 'write the values as YAML text in helm-values',
  },
  'helm-ref': {
    why: 'Argo CD checks out ref sources for native Helm sources only',
    instead: 'keep the value files in the repository of this source',
  },
  'helm-value-files-schemes': {
    why: 'where value files may come from is for the operator to say',
    instead: 'ask the operator for rendering.remoteSources',
  },
  'helm-post-renderer': {
    why: 'a post-renderer is a program of the application’s choice',
    instead: 'use kustomize with a Helm chart in it, or change the chart',
  },
  'helm-plugins': {
    why: 'Helm plugins are programs of the application’s choice',
    instead: 'render what they do into the repository',
  },
  'helm-username': {
    why: 'credentials of chart repositories are the operator’s',
    instead: 'ask the operator for an entry in rendering.helmRepositories',
  },
  'helm-password': {
    why: 'credentials of chart repositories are the operator’s',
    instead: 'ask the operator for an entry in rendering.helmRepositories',
  },
  'kustomize-build-options': {
    why: 'build options of kustomize can run programs and leave the tree, so they are the operator’s',
    instead: 'ask the operator for rendering.kustomizeBuildOptions',
  },
  'kustomize-enable-helm': {
    why: 'charts in kustomize are a build option, which is the operator’s',
    instead: 'ask the operator for --enable-helm in rendering.kustomizeBuildOptions',
  },
  'kustomize-load-restrictor': {
    why: 'the load restrictor keeps kustomize inside the tree, and is the operator’s',
    instead: 'move the files below the kustomization, or make them a base',
  },
  'kustomize-kube-version': {
    why: 'the version of the cluster is used',
    instead: 'remove it',
  },
  'kustomize-api-versions': {
    why: 'the API versions of the cluster are used',
    instead: 'remove it',
  },
  'directory-disable-extension-filter': {
    why: 'only .yaml, .yml, .json and .jsonnet files are manifests here',
    instead: 'rename the files',
  },
  chart: { why: 'it is a field of the source', instead: 'write it as spec.source.chart' },
  path: { why: 'it is a field of the source', instead: 'write it as spec.source.path' },
  ref: {
    why: 'Argo CD checks out ref sources for native Helm sources only',
    instead: 'keep the files in the repository of this source',
  },
  'repo-url': { why: 'it is a field of the source', instead: 'write it as spec.source.repoURL' },
  'target-revision': { why: 'it is a field of the source', instead: 'write it as spec.source.targetRevision' },
  env: { why: 'this plugin reads parameters only', instead: 'write each setting as a parameter' },
};

/** Argo CD's `$values/…`: a file of another source of the Application. */
export const REF_SOURCE: { readonly why: string; readonly instead: string } = {
  why: 'files of another source ($ref/…) do not reach a plugin: Argo CD checks out ref sources for native Helm sources only',
  instead: 'keep the file in the repository of this source',
};

/** Why a name is no parameter although Argo CD has such a feature; `undefined` for other names. */
export function unavailableFeature(name: string): { readonly why: string; readonly instead: string } | undefined {
  if (name.startsWith('$')) return REF_SOURCE;
  const kebab = name
    .replace(/([a-z])(?=[A-Z])/g, '$1-')
    .replaceAll(/[._]/g, '-')
    .toLowerCase();
  return Object.hasOwn(UNAVAILABLE, kebab) ? UNAVAILABLE[kebab] : undefined;
}

/** The names of {@link unavailableFeature}, for the documentation and its test. */
export const UNAVAILABLE_FEATURES: readonly string[] = Object.keys(UNAVAILABLE);
