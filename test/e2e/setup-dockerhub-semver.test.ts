// A chart whose values hold repository and tag, from Docker Hub: candidates in dev, releases in production. Docker Hub is
// the registry on this machine, named by api_url as a mirror would be.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { startArgoCd, type Application, type ArgoCd, type ArgoCdOptions, type Files } from './argo-cd.ts';

let registry: RealRegistry;

beforeAll(async () => {
  registry = await startRealRegistry({ auth: { kind: 'htpasswd', users: { acme: 'first-password' } } });
});
afterAll(async () => {
  await registry.stop();
});

const CHART: Files = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: example-api\nversion: 0.3.0\nappVersion: "0"\n',
  'chart/values.yaml': 'replicaCount: 1\nimage:\n  repository: acme/example-api\n  tag: 0.0.9\n',
  'chart/templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    app.kubernetes.io/version: {{ .Values.image.tag | quote }}
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
        - name: api
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
`,
};

function application(environment: string, constraint: string, repository = 'acme/example-api'): Application {
  return {
    name: `example-api-${environment}`,
    path: 'chart',
    files: { ...CHART, 'chart/values.yaml': CHART['chart/values.yaml']?.replace('acme/example-api', repository) ?? '' },
    parameters: [
      { name: 'images', array: [`app=${repository}:${constraint}`] },
      {
        name: 'image-settings',
        map: {
          'app.update-strategy': 'semver',
          'app.helm.image-name': 'image.repository',
          'app.helm.image-tag': 'image.tag',
        },
      },
    ],
  };
}

/** As an external secret writes it: one entry for the kubelet and one for the updater. */
function dockerConfig(
  password: string,
  urls: readonly string[] = ['https://index.docker.io/v1/', 'https://registry-1.docker.io'],
): string {
  const auth = Buffer.from(`acme:${password}`).toString('base64');
  return JSON.stringify({ auths: Object.fromEntries(urls.map((url) => [url, { username: 'acme', password, auth }])) });
}

const SECRET = 'secrets/argocd/dockerhub-credentials/.dockerconfigjson';

/** registries.conf as the chart of argocd-image-updater has it. */
function withRegistriesConf(secret = dockerConfig('first-password')): ArgoCdOptions {
  return {
    configuration: { registriesFile: '{{operator}}/registries.conf' },
    files: {
      'registries.conf': `registries:
  - name: Docker Hub
    api_url: ${registry.url}
    prefix: docker.io
    ping: yes
    defaultns: library
    default: true
    insecure: true
    credentials: pullsecret:argocd/dockerhub-credentials
`,
      [SECRET]: secret,
    },
  };
}

describe.for(['helm3', 'helm4'] as const)('with %s', (helm) => {
  let argoCd: ArgoCd;
  beforeAll(async () => {
    argoCd = await startArgoCd({ ...withRegistriesConf(), helm });
  });
  afterAll(async () => argoCd[Symbol.asyncDispose]());

  test('a candidate goes to dev alone, the release to both, in the labels of the chart too', async () => {
    const repository = `acme/api-of-${helm}`;
    const dev = application('dev', '~0-0', repository);
    const production = application('prd', '~0', repository);
    const rendered = async (which: Application): Promise<readonly [string | undefined, unknown]> => {
      const [manifest] = await argoCd.generate(which);
      const [image] = Object.values(await argoCd.images(which));
      return [image, Object.values(manifest?.metadata.labels ?? {})[0]];
    };
    await registry.pushImage({ repository, tag: '0.1.0-rc.1', platforms: ['linux/amd64', 'linux/arm64'] });
    argoCd.warnings();
    expect(await rendered(dev)).toEqual([`${repository}:0.1.0-rc.1`, '0.1.0-rc.1']);
    expect(argoCd.warnings()).not.toContain('NOTHING_SATISFIES');
    expect(await rendered(production)).toEqual([`${repository}:0.0.9`, '0.0.9']);
    expect(argoCd.warnings()).toContain('NOTHING_SATISFIES');
    await registry.pushImage({ repository, tag: '0.1.0', platforms: ['linux/amd64', 'linux/arm64'] });
    expect(await rendered(dev)).toEqual([`${repository}:0.1.0`, '0.1.0']);
    expect(await rendered(production)).toEqual([`${repository}:0.1.0`, '0.1.0']);
  });
});

describe('constraints', () => {
  const TAGS = ['0.1.0-rc.1', '0.1.0', '0.2.0-beta.1', '1.0.0', '1.2.0', '1.2.5', '1.5.2', '1.6.0-rc.1'];
  let argoCd: ArgoCd;
  beforeAll(async () => {
    await registry.pushImages(TAGS.map((tag) => ({ repository: 'acme/example-api', tag })));
    argoCd = await startArgoCd(withRegistriesConf());
  });
  afterAll(async () => argoCd[Symbol.asyncDispose]());

  test.for([
    { constraint: '~0-0', want: '0.2.0-beta.1', name: 'all of 0, candidates too' },
    { constraint: '~0', want: '0.1.0', name: 'releases of 0' },
    { constraint: '1.x', want: '1.5.2', name: 'releases of 1' },
    { constraint: '~1.2', want: '1.2.5', name: 'patches of 1.2' },
  ])('$constraint takes $want: $name', async ({ constraint, want }) => {
    const images = await argoCd.images(application('dev', constraint));
    expect(images).toEqual({ 'Deployment/example-api-dev/api': `acme/example-api:${want}` });
  });
});

describe('the way to Docker Hub', () => {
  beforeAll(async () => {
    await registry.pushImages(['0.1.0', '0.2.0'].map((tag) => ({ repository: 'acme/known', tag })));
  });
  const known = (): Application => application('prd', '~0', 'acme/known');
  const newest = { 'Deployment/example-api-prd/api': 'acme/known:0.2.0' };

  test.for([
    { name: 'both spellings of Docker Hub', urls: ['https://index.docker.io/v1/', 'https://registry-1.docker.io'] },
    { name: 'only the one that docker login writes', urls: ['https://index.docker.io/v1/'] },
    { name: 'only the one that argocd-image-updater asked for', urls: ['https://registry-1.docker.io'] },
  ])('is found in a docker config with $name', async ({ urls }) => {
    await using argoCd = await startArgoCd({
      configuration: { registries: { hosts: [{ host: 'docker.io', apiUrl: registry.url, insecure: true }] } },
      files: { 'docker/config.json': dockerConfig('first-password', urls) },
    });
    expect(await argoCd.images(known())).toEqual(newest);
  });

  test('a rotated secret is used without a restart', async () => {
    await using argoCd = await startArgoCd(withRegistriesConf());
    expect(await argoCd.images(known())).toEqual(newest);
    await registry.setPassword('acme', 'second-password');
    try {
      await argoCd.write(SECRET, dockerConfig('second-password'));
      argoCd.warnings();
      expect(await argoCd.images(known())).toEqual(newest);
      expect(argoCd.warnings()).not.toContain('ANSWER_STALE');
    } finally {
      await registry.setPassword('acme', 'first-password');
    }
  });

  test('`test` tells the credential, the tags and how the registry answered', async () => {
    await using argoCd = await startArgoCd(withRegistriesConf());
    const { code, stdout, stderr } = await argoCd.run(['test', 'docker.io/acme/known', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ credential: 'pullsecret:argocd/dockerhub-credentials', tags: 2 });
  });
});

describe('what goes wrong is told', () => {
  beforeAll(async () => registry.pushImage({ repository: 'acme/known', tag: '0.2.0' }).then(() => undefined));

  test.for([
    {
      name: 'a wrong password: REGISTRY_UNAUTHORIZED, and that credentials were sent',
      secret: () => dockerConfig('not-the-password'),
      repository: 'acme/known',
      want: ['REGISTRY_UNAUTHORIZED', 'credentials were sent'],
    },
    {
      name: 'a secret without an entry for the registry: which secret, which registry',
      secret: () => dockerConfig('first-password', ['https://ghcr.io']),
      repository: 'acme/known',
      want: ['CREDENTIAL_UNREADABLE', 'pullsecret:argocd/dockerhub-credentials has no entry for docker.io'],
    },
    {
      name: 'a repository that does not exist: REPOSITORY_NOT_FOUND',
      secret: () => dockerConfig('first-password'),
      repository: 'acme/misspelt',
      want: ['REPOSITORY_NOT_FOUND', 'acme/misspelt'],
    },
  ])('$name', async ({ secret, repository, want }) => {
    await using argoCd = await startArgoCd(withRegistriesConf(secret()));
    const failure = await argoCd.failure(application('prd', '~0', repository));
    for (const text of want) expect(failure).toContain(text);
    expect(failure).toMatch(/\n\s+fix /);
    for (const password of ['not-the-password', 'first-password']) {
      expect(failure).not.toContain(password);
      expect(failure).not.toContain(Buffer.from(`acme:${password}`).toString('base64'));
    }
    const { code, stderr } = await argoCd.run(['test', repository]);
    expect(code).toBe(1);
    expect(stderr).toContain(want[0]);
  });
});
