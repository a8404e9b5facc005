import type { BuildEnvironment, RenderSpec } from '../../src/render/render-spec.ts';

/** An element of `spec.source.plugin.parameters`. */
interface Parameter {
  readonly name: string;
  readonly string?: string;
  readonly array?: readonly string[];
  readonly map?: Readonly<Record<string, string>>;
}

const NOTHING: RenderSpec = {
  helm: {
    apiVersions: [],
    valueFiles: [],
    ignoreMissingValueFiles: false,
    parameters: {},
    stringParameters: {},
    fileParameters: {},
    skipCrds: false,
    skipTests: false,
    skipSchemaValidation: false,
    passCredentials: false,
  },
  kustomize: {
    images: [],
    replicas: {},
    commonLabels: {},
    commonAnnotations: {},
    forceCommonLabels: false,
    forceCommonAnnotations: false,
    labelWithoutSelector: false,
    labelIncludeTemplates: false,
    commonAnnotationsEnvsubst: false,
    components: [],
    ignoreMissingComponents: false,
  },
  directory: { recurse: false, jsonnet: { extVars: {}, tlas: {}, libs: [] } },
};

/** The parameters that are about rendering, taken at their word; the plugin's own parser has tests of its own. */
export function specFrom(parameters: readonly Parameter[]): RenderSpec {
  const spec = structuredClone(NOTHING) as unknown as Record<string, Record<string, unknown>>;
  for (const { name, string, array, map } of parameters) {
    const [renderer = '', ...words] = name.split('-');
    const field = words
      .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
      .join('');
    const section = spec[renderer];
    if (section === undefined) throw new Error(`${name} is no parameter of a renderer`);
    const value = array ?? map ?? string;
    section[field] = typeof section[field] === 'boolean' ? value === 'true' : value;
  }
  return spec as unknown as RenderSpec;
}

/** Argo CD's build environment; an application `shop` without a destination namespace where nothing is said. */
export function environmentFrom(variables: Readonly<Record<string, string>>): BuildEnvironment {
  return {
    appName: variables['ARGOCD_APP_NAME'] ?? 'shop',
    appNamespace: variables['ARGOCD_APP_NAMESPACE'] ?? '',
    kubeVersion: variables['KUBE_VERSION'] ?? '',
    kubeApiVersions: variables['KUBE_API_VERSIONS']?.split(',') ?? [],
    variables,
  };
}
