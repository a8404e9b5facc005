import { expect, test } from 'vitest';
import { readBuildEnvironment } from '../../src/parameters/build-environment.ts';

test("reads Argo CD's build environment and nothing else", () => {
  const environment = readBuildEnvironment({
    ARGOCD_APP_NAME: 'team_shop',
    ARGOCD_APP_NAMESPACE: 'prod',
    ARGOCD_APP_PROJECT_NAME: 'team',
    ARGOCD_APP_REVISION: '0123456789abcdef',
    ARGOCD_APP_REVISION_SHORT: '0123456',
    ARGOCD_APP_REVISION_SHORT_8: '01234567',
    ARGOCD_APP_SOURCE_REPO_URL: 'https://example.com/deploy',
    ARGOCD_APP_SOURCE_PATH: 'overlays/prod',
    ARGOCD_APP_SOURCE_TARGET_REVISION: 'main',
    ARGOCD_APP_PARAMETERS: '[]',
    ARGOCD_ENV_TOKEN: 'canary',
    KUBE_VERSION: '1.34.1',
    KUBE_API_VERSIONS: 'apps/v1,apps/v1/Deployment,v1',
    PATH: '/bin',
  });
  expect(environment).toMatchObject({
    appName: 'team_shop',
    appNamespace: 'prod',
    projectName: 'team',
    kubeVersion: '1.34.1',
    kubeApiVersions: ['apps/v1', 'apps/v1/Deployment', 'v1'],
  });
  expect(Object.keys(environment.variables)).toHaveLength(11);
  expect(JSON.stringify(environment)).not.toContain('canary');
});

test('outside of Argo CD everything is empty, and there is no project', () => {
  expect(readBuildEnvironment({})).toEqual({
    appName: '',
    appNamespace: '',
    kubeVersion: '',
    kubeApiVersions: [],
    variables: {},
  });
});

test('an empty project is no project', () => {
  expect(readBuildEnvironment({ ARGOCD_APP_PROJECT_NAME: '' })).not.toHaveProperty('projectName');
});
