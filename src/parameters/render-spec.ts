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
import type { ParameterName } from './catalog.ts';
import { REF_SOURCE } from './native-features.ts';
import { entriesOf, flagOf, itemsOf, type PluginParameters, textOf } from './plugin-parameters.ts';

/**
 * What the parameters say about rendering. `$ARGOCD_APP_NAME` and the other build variables are substituted where Argo CD
 * does it for native Helm and jsonnet sources: in value files, parameters and jsonnet variables. Kustomize's are substituted
 * where its edits are made.
 *
 * @throws {UserError} `PARAMETER_INVALID`, `RENDERER_UNKNOWN`, `NATIVE_FEATURE_UNAVAILABLE`.
 */
export function renderSpecFrom(parameters: PluginParameters, environment: BuildEnvironment): RenderSpec {
  const reader = new Reader(parameters, environment.variables);
  const renderer = rendererOf(parameters);
  return {
    ...(renderer !== undefined && { renderer }),
    helm: helmSpec(reader),
    kustomize: kustomizeSpec(reader),
    directory: directorySpec(reader),
  };
}

function rendererOf(parameters: PluginParameters): RendererKind | undefined {
  const text = textOf(parameters, 'renderer');
  switch (text) {
    case undefined:
    case 'helm':
    case 'kustomize':
    case 'directory':
      return text;
    default:
      throw new UserError('RENDERER_UNKNOWN', {
        what: `there is no renderer ${JSON.stringify(text.slice(0, 80))}`,
        where: 'parameter renderer',
        fix: 'write helm, kustomize or directory, or leave it out for what Argo CD would detect',
      });
  }
}

function helmSpec(read: Reader): HelmSpec {
  return {
    ...read.optional({
      releaseName: 'helm-release-name',
      namespace: 'helm-namespace',
      kubeVersion: 'helm-kube-version',
      values: 'helm-values',
    }),
    apiVersions: read.items('helm-api-versions'),
    valueFiles: read.items('helm-value-files').map((path, index) => read.path(path, `helm-value-files[${index}]`)),
    ignoreMissingValueFiles: read.flag('helm-ignore-missing-value-files'),
    parameters: read.substitutedMap('helm-parameters'),
    stringParameters: read.substitutedMap('helm-string-parameters'),
    fileParameters: read.map('helm-file-parameters', (path, key) => read.path(path, `helm-file-parameters, ${key}`)),
    skipCrds: read.flag('helm-skip-crds'),
    skipTests: read.flag('helm-skip-tests'),
    skipSchemaValidation: read.flag('helm-skip-schema-validation'),
    passCredentials: read.flag('helm-pass-credentials'),
  };
}

function kustomizeSpec(read: Reader): KustomizeSpec {
  return {
    ...read.optional({
      namePrefix: 'kustomize-name-prefix',
      nameSuffix: 'kustomize-name-suffix',
      namespace: 'kustomize-namespace',
      version: 'kustomize-version',
      patches: 'kustomize-patches',
    }),
    images: read.items('kustomize-images'),
    replicas: read.map('kustomize-replicas'),
    commonLabels: read.map('kustomize-common-labels'),
    commonAnnotations: read.map('kustomize-common-annotations'),
    forceCommonLabels: read.flag('kustomize-force-common-labels'),
    forceCommonAnnotations: read.flag('kustomize-force-common-annotations'),
    labelWithoutSelector: read.flag('kustomize-label-without-selector'),
    labelIncludeTemplates: read.flag('kustomize-label-include-templates'),
    commonAnnotationsEnvsubst: read.flag('kustomize-common-annotations-envsubst'),
    components: read.items('kustomize-components'),
    ignoreMissingComponents: read.flag('kustomize-ignore-missing-components'),
  };
}

function directorySpec(read: Reader): DirectorySpec {
  return {
    recurse: read.flag('directory-recurse'),
    ...read.optional({ include: 'directory-include', exclude: 'directory-exclude' }),
    jsonnet: {
      extVars: read.substitutedMap('directory-jsonnet-ext-vars'),
      tlas: read.substitutedMap('directory-jsonnet-tlas'),
      libs: read.items('directory-jsonnet-libs'),
    },
  };
}

/** Takes parameters in the shapes that specs have. */
class Reader {
  readonly #parameters: PluginParameters;
  readonly #variables: Readonly<Record<string, string>>;

  constructor(parameters: PluginParameters, variables: Readonly<Record<string, string>>) {
    this.#parameters = parameters;
    this.#variables = variables;
  }

  /** Those of the strings that are there. */
  optional<K extends string>(names: Readonly<Record<K, ParameterName>>): Partial<Record<K, string>> {
    const found: Partial<Record<K, string>> = {};
    for (const key of Object.keys(names) as K[]) {
      const text = textOf(this.#parameters, names[key]);
      if (text !== undefined) found[key] = text;
    }
    return found;
  }

  items(name: ParameterName): readonly string[] {
    return itemsOf(this.#parameters, name);
  }

  flag(name: ParameterName): boolean {
    return flagOf(this.#parameters, name);
  }

  map(
    name: ParameterName,
    change: (value: string, key: string) => string = (value) => value,
  ): Readonly<Record<string, string>> {
    return Object.fromEntries([...entriesOf(this.#parameters, name)].map(([key, value]) => [key, change(value, key)]));
  }

  substitutedMap(name: ParameterName): Readonly<Record<string, string>> {
    return this.map(name, (value) => this.#substituted(value));
  }

  /** A path with its variables substituted; `$values/…` would become `/…`, so it is refused instead. */
  path(written: string, parameter: string): string {
    const name = /^\$([A-Za-z0-9_-]+)(?:\/|$)/.exec(written)?.[1];
    if (name !== undefined && !Object.hasOwn(this.#variables, name) && !name.startsWith('ARGOCD_')) {
      throw new UserError('NATIVE_FEATURE_UNAVAILABLE', {
        what: REF_SOURCE.why,
        where: `parameter ${parameter}`,
        fix: REF_SOURCE.instead,
      });
    }
    return this.#substituted(written);
  }

  #substituted(text: string): string {
    return substituteVariables(text, this.#variables);
  }
}
