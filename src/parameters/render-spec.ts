import { UserError } from '../error/user-error.ts';
import type {
  BuildEnvironment,
  DirectorySpec,
  HelmSpec,
  KustomizeSpec,
  RendererKind,
  RenderSpec,
} from '../render/render-spec.ts';
import { substituteVariables } from '../render/substitute-variables.ts';
import type { PluginParameters } from './plugin-parameters.ts';

/**
 * What the parameters say about rendering. `$ARGOCD_APP_NAME` and its like are substituted in Helm and jsonnet values, as
 * native sources do; the kustomize renderer does it where kustomize sources do.
 *
 * @throws {UserError} `RENDERER_UNKNOWN`, `PARAMETER_INVALID`.
 */
export function renderSpecFrom(parameters: PluginParameters, environment: BuildEnvironment): RenderSpec {
  const renderer = rendererFrom(parameters.strings.get('renderer'));
  const read = new Reader(parameters, (text) => substituteVariables(text, environment.variables));
  return {
    ...(renderer !== undefined && { renderer }),
    helm: helmFrom(read),
    kustomize: kustomizeFrom(read),
    directory: directoryFrom(read),
  };
}

function helmFrom(read: Reader): HelmSpec {
  return {
    ...read.optional({
      releaseName: 'helm-release-name',
      namespace: 'helm-namespace',
      kubeVersion: 'helm-kube-version',
      values: 'helm-values',
    }),
    apiVersions: read.array('helm-api-versions'),
    valueFiles: read.array('helm-value-files').map(read.substituted),
    ignoreMissingValueFiles: read.truth('helm-ignore-missing-value-files'),
    parameters: read.map('helm-parameters', read.substituted),
    stringParameters: read.map('helm-string-parameters', read.substituted),
    fileParameters: read.map('helm-file-parameters', read.substituted),
    skipCrds: read.truth('helm-skip-crds'),
    skipTests: read.truth('helm-skip-tests'),
    skipSchemaValidation: read.truth('helm-skip-schema-validation'),
    passCredentials: read.truth('helm-pass-credentials'),
  };
}

function kustomizeFrom(read: Reader): KustomizeSpec {
  return {
    ...read.optional({
      namePrefix: 'kustomize-name-prefix',
      nameSuffix: 'kustomize-name-suffix',
      namespace: 'kustomize-namespace',
      version: 'kustomize-version',
      patches: 'kustomize-patches',
    }),
    images: read.array('kustomize-images'),
    replicas: read.map('kustomize-replicas'),
    commonLabels: read.map('kustomize-common-labels'),
    commonAnnotations: read.map('kustomize-common-annotations'),
    forceCommonLabels: read.truth('kustomize-force-common-labels'),
    forceCommonAnnotations: read.truth('kustomize-force-common-annotations'),
    labelWithoutSelector: read.truth('kustomize-label-without-selector'),
    labelIncludeTemplates: read.truth('kustomize-label-include-templates'),
    commonAnnotationsEnvsubst: read.truth('kustomize-common-annotations-envsubst'),
    components: read.array('kustomize-components'),
    ignoreMissingComponents: read.truth('kustomize-ignore-missing-components'),
  };
}

function directoryFrom(read: Reader): DirectorySpec {
  return {
    ...read.optional({ include: 'directory-include', exclude: 'directory-exclude' }),
    recurse: read.truth('directory-recurse'),
    jsonnet: {
      extVars: read.map('directory-jsonnet-ext-vars', read.substituted),
      tlas: read.map('directory-jsonnet-tlas', read.substituted),
      libs: read.array('directory-jsonnet-libs'),
    },
  };
}

function rendererFrom(text: string | undefined): RendererKind | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === 'helm' || text === 'kustomize' || text === 'directory') return text;
  throw new UserError('RENDERER_UNKNOWN', {
    what: `there is no renderer ${JSON.stringify(text.slice(0, 80))}`,
    where: 'parameter renderer',
    fix: 'write helm, kustomize or directory, or leave it out',
  });
}

/** Reads typed values by parameter name. */
class Reader {
  readonly #parameters: PluginParameters;
  readonly substituted: (text: string) => string;

  constructor(parameters: PluginParameters, substituted: (text: string) => string) {
    this.#parameters = parameters;
    this.substituted = substituted;
  }

  /** The strings that are there and not empty, under the given keys. */
  optional<K extends string>(names: Readonly<Record<K, string>>): { readonly [key in K]?: string } {
    const found = Object.entries<string>(names).map(([key, name]) => [key, this.#parameters.strings.get(name) ?? '']);
    return Object.fromEntries(found.filter(([, text]) => text !== '')) as { [key in K]?: string };
  }

  array(name: string): readonly string[] {
    return this.#parameters.arrays.get(name) ?? [];
  }

  map(name: string, change: (text: string) => string = (text) => text): Readonly<Record<string, string>> {
    const entries = [...(this.#parameters.maps.get(name) ?? [])];
    return Object.fromEntries(entries.map(([key, text]) => [key, change(text)]));
  }

  truth(name: string): boolean {
    const text = this.#parameters.strings.get(name) ?? 'false';
    if (text === 'true') return true;
    if (text === 'false' || text === '') return false;
    throw new UserError('PARAMETER_INVALID', {
      what: `${name} is ${JSON.stringify(text.slice(0, 80))}`,
      where: `parameter ${name}`,
      fix: 'write "true" or "false"',
    });
  }
}
