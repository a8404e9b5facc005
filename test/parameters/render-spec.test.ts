import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import { readBuildEnvironment } from '../../src/parameters/build-environment.ts';
import { readParameters } from '../../src/parameters/read-parameters.ts';
import { renderSpecFrom } from '../../src/parameters/render-spec.ts';
import type { RenderSpec } from '../../src/render/render-spec.ts';

const ENVIRONMENT = readBuildEnvironment({
  ARGOCD_APP_NAME: 'shop',
  ARGOCD_APP_NAMESPACE: 'prod',
  ARGOCD_APP_REVISION: 'abc',
  KUBE_VERSION: '1.34.1',
  KUBE_API_VERSIONS: 'v1,apps/v1',
  SECRET: 'canary',
});

type Entry = { name: string; string?: string; array?: string[]; map?: Record<string, string> };

function specOf(...entries: Entry[]): RenderSpec {
  return renderSpecFrom(readParameters(JSON.stringify(entries)), ENVIRONMENT);
}

function errorOf(...entries: Entry[]): UserError {
  try {
    specOf(...entries);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('without parameters every field has the default of native sources', () => {
  expect(specOf()).toEqual({
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
  });
});

test('every Helm parameter arrives', () => {
  expect(
    specOf(
      { name: 'renderer', string: 'helm' },
      { name: 'helm-release-name', string: 'web' },
      { name: 'helm-namespace', string: 'ns' },
      { name: 'helm-kube-version', string: '1.30' },
      { name: 'helm-api-versions', array: ['batch/v1'] },
      { name: 'helm-value-files', array: ['a.yaml', '/b.yaml'] },
      { name: 'helm-ignore-missing-value-files', string: 'true' },
      { name: 'helm-values', string: 'a: $ARGOCD_APP_NAME' },
      { name: 'helm-parameters', map: { a: '1' } },
      { name: 'helm-string-parameters', map: { b: '2' } },
      { name: 'helm-file-parameters', map: { c: 'files/c.txt' } },
      { name: 'helm-skip-crds', string: 'true' },
      { name: 'helm-skip-tests', string: 'true' },
      { name: 'helm-skip-schema-validation', string: 'true' },
      { name: 'helm-pass-credentials', string: 'true' },
    ),
  ).toMatchObject({
    renderer: 'helm',
    helm: {
      releaseName: 'web',
      namespace: 'ns',
      kubeVersion: '1.30',
      apiVersions: ['batch/v1'],
      valueFiles: ['a.yaml', '/b.yaml'],
      ignoreMissingValueFiles: true,
      values: 'a: $ARGOCD_APP_NAME',
      parameters: { a: '1' },
      stringParameters: { b: '2' },
      fileParameters: { c: 'files/c.txt' },
      skipCrds: true,
      skipTests: true,
      skipSchemaValidation: true,
      passCredentials: true,
    },
  });
});

test('every kustomize parameter arrives, with its variables for the renderer to substitute', () => {
  expect(
    specOf(
      { name: 'kustomize-name-prefix', string: 'a-' },
      { name: 'kustomize-name-suffix', string: '-z' },
      { name: 'kustomize-namespace', string: 'ns' },
      { name: 'kustomize-version', string: 'v5' },
      { name: 'kustomize-images', array: ['nginx=nginx:$ARGOCD_APP_REVISION'] },
      { name: 'kustomize-replicas', map: { web: '3' } },
      { name: 'kustomize-common-labels', map: { app: '$ARGOCD_APP_NAME' } },
      { name: 'kustomize-common-annotations', map: { app: '$ARGOCD_APP_NAME' } },
      { name: 'kustomize-force-common-labels', string: 'true' },
      { name: 'kustomize-force-common-annotations', string: 'true' },
      { name: 'kustomize-label-without-selector', string: 'true' },
      { name: 'kustomize-label-include-templates', string: 'true' },
      { name: 'kustomize-common-annotations-envsubst', string: 'true' },
      { name: 'kustomize-patches', string: '- path: p.yaml' },
      { name: 'kustomize-components', array: ['../c'] },
      { name: 'kustomize-ignore-missing-components', string: 'true' },
    ).kustomize,
  ).toEqual({
    namePrefix: 'a-',
    nameSuffix: '-z',
    namespace: 'ns',
    version: 'v5',
    images: ['nginx=nginx:$ARGOCD_APP_REVISION'],
    replicas: { web: '3' },
    commonLabels: { app: '$ARGOCD_APP_NAME' },
    commonAnnotations: { app: '$ARGOCD_APP_NAME' },
    forceCommonLabels: true,
    forceCommonAnnotations: true,
    labelWithoutSelector: true,
    labelIncludeTemplates: true,
    commonAnnotationsEnvsubst: true,
    patches: '- path: p.yaml',
    components: ['../c'],
    ignoreMissingComponents: true,
  });
});

test('every directory parameter arrives', () => {
  expect(
    specOf(
      { name: 'directory-recurse', string: 'true' },
      { name: 'directory-include', string: '*.yaml' },
      { name: 'directory-exclude', string: '{a,b}' },
      { name: 'directory-jsonnet-ext-vars', map: { name: '$ARGOCD_APP_NAME', n: 'code:1+1' } },
      { name: 'directory-jsonnet-tlas', map: { ns: '${ARGOCD_APP_NAMESPACE}' } },
      { name: 'directory-jsonnet-libs', array: ['lib'] },
    ).directory,
  ).toEqual({
    recurse: true,
    include: '*.yaml',
    exclude: '{a,b}',
    jsonnet: { extVars: { name: 'shop', n: 'code:1+1' }, tlas: { ns: 'prod' }, libs: ['lib'] },
  });
});

test.for([
  { name: 'a name', value: '$ARGOCD_APP_NAME', want: 'shop' },
  { name: 'a name in braces', value: 'x-${ARGOCD_APP_NAMESPACE}-y', want: 'x-prod-y' },
  { name: 'two dollar signs', value: '$$ARGOCD_APP_NAME', want: '$ARGOCD_APP_NAME' },
  { name: 'an unknown name', value: 'a${NOPE}b', want: 'ab' },
  { name: 'a variable of the plugin itself', value: '[$SECRET]', want: '[]' },
  { name: 'a prototype’s property', value: '[${constructor}]', want: '[]' },
])('Helm parameters have $name substituted as Argo CD does it', ({ value, want }) => {
  const { helm } = specOf(
    { name: 'helm-parameters', map: { a: value } },
    { name: 'helm-string-parameters', map: { a: value } },
  );
  expect(helm.parameters).toEqual({ a: want });
  expect(helm.stringParameters).toEqual({ a: want });
});

test('paths of value files and file parameters have variables substituted', () => {
  const { helm } = specOf(
    { name: 'helm-value-files', array: ['$ARGOCD_APP_NAME/values.yaml', 'env/${ARGOCD_APP_NAMESPACE}.yaml'] },
    { name: 'helm-file-parameters', map: { cert: '$ARGOCD_APP_NAME/cert.pem' } },
  );
  expect(helm.valueFiles).toEqual(['shop/values.yaml', 'env/prod.yaml']);
  expect(helm.fileParameters).toEqual({ cert: 'shop/cert.pem' });
});

describe('refuses', () => {
  test.for<{ name: string; entry: Entry; code: string; where: string }>([
    {
      name: 'a renderer that there is not',
      entry: { name: 'renderer', string: 'jsonnet' },
      code: 'RENDERER_UNKNOWN',
      where: 'parameter renderer',
    },
    {
      name: 'a flag that is neither true nor false',
      entry: { name: 'helm-skip-crds', string: 'yes' },
      code: 'PARAMETER_INVALID',
      where: 'parameter helm-skip-crds',
    },
    {
      name: 'a value file of another source',
      entry: { name: 'helm-value-files', array: ['a.yaml', '$values/prod.yaml'] },
      code: 'NATIVE_FEATURE_UNAVAILABLE',
      where: 'parameter helm-value-files[1]',
    },
    {
      name: 'a file parameter of another source',
      entry: { name: 'helm-file-parameters', map: { cert: '$infra-repo/cert.pem' } },
      code: 'NATIVE_FEATURE_UNAVAILABLE',
      where: 'parameter helm-file-parameters, cert',
    },
  ])('$name', ({ entry, code, where }) => {
    expect(errorOf(entry)).toMatchObject({ code, where });
  });
});

test('an empty string is like no string', () => {
  const spec = specOf({ name: 'renderer', string: '' }, { name: 'helm-skip-crds', string: '' });
  expect(spec).toEqual(specOf());
});
