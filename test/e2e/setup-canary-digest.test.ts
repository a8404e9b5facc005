// Two images of one repository, told apart by their tags, each followed by its digest with a pull secret of its own.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { deployment, plainHttp, startArgoCd, type Application, type ArgoCd } from './argo-cd.ts';

const CREDENTIALS = 'pullsecret:argocd/dockerhub-credentials';
let registry: RealRegistry;
let argoCd: ArgoCd;

beforeAll(async () => {
  registry = await startRealRegistry({ auth: { kind: 'htpasswd', users: { ci: 'first-password' } } });
  argoCd = await startArgoCd({
    configuration: {
      registries: { hosts: [plainHttp(registry)] },
      grants: [{ projects: ['eco2'], credentials: [CREDENTIALS], hosts: [`${registry.host}/team/`] }],
    },
    files: {
      'secrets/argocd/dockerhub-credentials/.dockerconfigjson': JSON.stringify({
        auths: { [registry.host]: { username: 'ci', password: 'first-password' } },
      }),
    },
  });
});
afterAll(async () => {
  await argoCd[Symbol.asyncDispose]();
  await registry.stop();
});

const image = (track: string): string => `${registry.host}/team/eco2:auth-api-dev-${track}`;

function application(project = 'eco2'): Application {
  return {
    name: 'dev-api-auth',
    project,
    path: 'workloads/auth',
    files: {
      'workloads/auth/kustomization.yaml': 'resources: [stable.yaml, canary.yaml]\nnamespace: auth\n',
      'workloads/auth/stable.yaml': deployment('auth-api', { api: image('latest') }),
      'workloads/auth/canary.yaml': deployment('auth-api-canary', { api: image('canary') }),
    },
    parameters: [
      // The annotations as they were: one string with commas.
      { name: 'images', string: `stable=${image('latest')},canary=${image('canary')}` },
      {
        name: 'image-settings',
        map: Object.fromEntries(
          ['stable', 'canary'].flatMap((alias) => [
            [`argocd-image-updater.argoproj.io/${alias}.update-strategy`, 'digest'],
            [`argocd-image-updater.argoproj.io/${alias}.pull-secret`, CREDENTIALS],
          ]),
        ),
      },
    ],
  };
}

async function push(track: string, content: string): Promise<string> {
  const { digest } = await registry.pushImage({ repository: 'team/eco2', tag: `auth-api-dev-${track}`, content });
  return `${image(track)}@${digest}`;
}

let stable: string;
let canary: string;
beforeEach(async () => {
  stable = await push('latest', 'stable 1');
  canary = await push('canary', 'canary 1');
});

const workloads = (stableImage: string, canaryImage: string): object => ({
  'Deployment/auth-api/api': stableImage,
  'Deployment/auth-api-canary/api': canaryImage,
});

test('a re-push of canary changes the canary workload and nothing else', async () => {
  const before = await argoCd.generate(application());
  expect(await argoCd.images(application())).toEqual(workloads(stable, canary));
  const next = await push('canary', 'canary 2');
  const after = await argoCd.generate(application());
  expect(await argoCd.images(application())).toEqual(workloads(stable, next));
  expect(JSON.stringify(after)).toBe(JSON.stringify(before).replace(canary, next));
});

test('a re-push of latest changes the stable workload and nothing else', async () => {
  const next = await push('latest', 'stable 2');
  expect(await argoCd.images(application())).toEqual(workloads(next, canary));
});

test('digests are asked for with HEAD: no listing, no bodies', async () => {
  registry.clearRequests();
  await argoCd.images(application());
  const asked = registry.requests.filter(({ authorization, kind }) => authorization !== undefined && kind !== 'ping');
  expect(asked.map(({ method, url }) => `${method} ${url}`).toSorted()).toEqual([
    'HEAD /v2/team/eco2/manifests/auth-api-dev-canary',
    'HEAD /v2/team/eco2/manifests/auth-api-dev-latest',
  ]);
});

test('another project may not name the pull secret, and is told nothing of it', async () => {
  const failure = await argoCd.failure(application('other'));
  expect(failure).toContain('CREDENTIAL_NOT_GRANTED');
  expect(failure).not.toContain('first-password');
});

test('two policies that fit one field are an error that names both', async () => {
  const twice = application();
  const failure = await argoCd.failure({
    ...twice,
    parameters: [
      { name: 'images', array: [`one=${registry.host}/team/eco2:~1`, `two=${registry.host}/team/eco2:^1.2`] },
    ],
    files: {
      'workloads/auth/pod.yaml': deployment('auth-api', { api: `${registry.host}/team/eco2:1.2.3` }),
    },
  });
  expect(failure).toContain('POLICY_AMBIGUOUS');
  expect(failure).toMatch(/one[^]*two/);
});
