import type { YamlView } from './yaml-view.ts';

/**
 * What a kustomization or plugin configuration may name:
 * - `base`: a file, a directory with a kustomization, or either from afar (`resources`, `bases`)
 * - `component`: a directory, here or afar
 * - `file`: a file that kustomize reads as YAML; may be a URL
 * - `verbatim`: a file whose bytes go into the manifests as they are
 * - `patch`: a file, or the patch itself
 * - `plugin`: a file or directory of plugin configurations, or the configuration itself
 * - `chart-home`: a directory of charts that helm reads, links and all
 * - `chart-repository`: where charts are pulled from
 * - `helm-word`: becomes an argument of helm
 */
export type SourceKind =
  | 'base'
  | 'component'
  | 'file'
  | 'verbatim'
  | 'patch'
  | 'plugin'
  | 'chart-home'
  | 'chart-repository'
  | 'helm-word';

export interface Source {
  readonly kind: SourceKind;
  readonly text: string;
  /** `configMapGenerator[0].files[1]` */
  readonly field: string;
}

/** Everything a kustomization names; `usesHelm` when it has charts to inflate. */
export function sourcesOfKustomization(view: YamlView): {
  readonly sources: readonly Source[];
  readonly usesHelm: boolean;
} {
  const charts = [...eachItem(view, 'helmCharts'), ...eachItem(view, 'helmChartInflationGenerator')];
  const sources = [
    ...texts(view, 'resources', 'base'),
    ...texts(view, 'bases', 'base'),
    ...texts(view, 'components', 'component'),
    ...texts(view, 'crds', 'file'),
    ...texts(view, 'configurations', 'file'),
    ...texts(view, 'patchesStrategicMerge', 'patch'),
    ...texts(view, 'generators', 'plugin'),
    ...texts(view, 'transformers', 'plugin'),
    ...texts(view, 'validators', 'plugin'),
    ...['patches', 'patchesJson6902', 'replacements'].flatMap((list) =>
      eachItem(view, list).flatMap(([item, field]) => prefixed(field, texts(item, 'path', 'file'))),
    ),
    ...view.at('openapi').flatMap((openapi) => prefixed('openapi', texts(openapi, 'path', 'file'))),
    ...['configMapGenerator', 'secretGenerator'].flatMap((list) =>
      eachItem(view, list).flatMap(([item, field]) => prefixed(field, generatorSources(item))),
    ),
    ...view.at('helmGlobals').flatMap((globals) => prefixed('helmGlobals', chartSources(globals))),
    ...charts.flatMap(([chart, field]) => prefixed(field, chartSources(chart))),
  ];
  return { sources, usesHelm: charts.length > 0 };
}

/** Everything a configuration of a builtin plugin names. Kinds are not told apart: the fields' names do not overlap. */
export function sourcesOfPlugin(view: YamlView): { readonly sources: readonly Source[]; readonly usesHelm: boolean } {
  const kinds = view.at('kind').map((kind) => kind.text());
  const usesHelm = kinds.includes('HelmChartInflationGenerator');
  const sources = [
    ...texts(view, 'path', 'file'),
    ...texts(view, 'paths', 'patch'),
    ...texts(view, 'targetFilePath', 'file'),
    ...generatorSources(view),
    ...eachItem(view, 'replacements').flatMap(([item, field]) => prefixed(field, texts(item, 'path', 'file'))),
    ...(usesHelm ? chartSources(view) : []),
  ];
  return { sources, usesHelm };
}

/** Annotations that make kustomize run a container or a program for a plugin configuration. */
export function runsFunction(view: YamlView): boolean {
  return view
    .at('metadata')
    .flatMap((metadata) => metadata.at('annotations'))
    .some((annotations) => [...FUNCTION_ANNOTATIONS].some((annotation) => annotations.at(annotation).length > 0));
}

const FUNCTION_ANNOTATIONS: readonly string[] = ['config.kubernetes.io/function', 'config.k8s.io/function'];

function generatorSources(view: YamlView): readonly Source[] {
  return [
    ...texts(view, 'files', 'verbatim', afterKey),
    ...texts(view, 'envs', 'verbatim'),
    ...texts(view, 'env', 'verbatim'),
  ];
}

function chartSources(view: YamlView): readonly Source[] {
  return [
    ...texts(view, 'chartHome', 'chart-home'),
    ...texts(view, 'configHome', 'chart-home'),
    ...texts(view, 'helmHome', 'chart-home'),
    ...texts(view, 'repo', 'chart-repository'),
    ...texts(view, 'chartRepoUrl', 'chart-repository'),
    ...texts(view, 'valuesFile', 'verbatim'),
    ...texts(view, 'values', 'verbatim'),
    ...texts(view, 'additionalValuesFiles', 'verbatim'),
    ...[
      'name',
      'chartName',
      'version',
      'chartVersion',
      'releaseName',
      'namespace',
      'releaseNamespace',
      'nameTemplate',
      'kubeVersion',
    ].flatMap((key) => texts(view, key, 'helm-word')),
    ...texts(view, 'apiVersions', 'helm-word'),
    ...texts(view, 'extraArgs', 'helm-word'),
  ];
}

/** `key=path`; without a key the file's name is the key. */
function afterKey(text: string): string {
  return text.slice(text.indexOf('=') + 1);
}

/** The texts under a key, whether it holds one or a list of them. */
function texts(
  view: YamlView,
  key: string,
  kind: SourceKind,
  part: (text: string) => string = (text) => text,
): readonly Source[] {
  return view.at(key).flatMap((value) => {
    const own = value.text();
    if (own !== undefined) return [{ kind, text: part(own), field: key }];
    return value.items().flatMap((item, index) => {
      const text = item.text();
      return text === undefined ? [] : [{ kind, text: part(text), field: `${key}[${index}]` }];
    });
  });
}

function eachItem(view: YamlView, key: string): readonly (readonly [item: YamlView, field: string])[] {
  return view.at(key).flatMap((value) => value.items().map((item, index) => [item, `${key}[${index}]`] as const));
}

function prefixed(prefix: string, sources: readonly Source[]): readonly Source[] {
  return sources.map((source) => ({ ...source, field: `${prefix}.${source.field}` }));
}
