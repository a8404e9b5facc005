// Five set-ups that people have with argocd-image-updater, each as a whole: a private registry, credentials of the operator
// and of the Kubernetes API, real Applications, and what happens to the live Deployments.

import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployment, type Parameter, plainHttp } from '../../e2e/argo-cd.ts';
import type { Installation } from '../harness/argo-cd.ts';
import { CONTROL_PLANE } from '../harness/argo-cd-objects.ts';
import type { Files } from '../harness/git.ts';
import { CONTROLLER_ACCOUNT } from '../harness/image-resolver-controller.ts';
import { allow, readSecrets } from '../harness/roles.ts';
import type { TestApplication } from '../harness/test-application.ts';
import { PushToLive } from '../harness/times.ts';
import { useArgoCd } from '../harness/use-argo-cd.ts';
import { below, chart, directory, together } from '../manifests.ts';
import { stepsWith } from '../steps.ts';

/** Who may pull, besides nobody. */
const USERS = { team: 'first-password', AWS: 'first-password', acme: 'first-password', ci: 'first-password' } as const;
type Password = 'first-password' | 'second-password';

/** The operator's files and Secrets; the tests change some of them, and nothing is restarted for it. */
let installation: Installation;

async function operate(given: Installation): Promise<Readonly<Record<string, unknown>>> {
  installation = given;
  await loginToEcr('first-password');
  await writeFile(join(given.operatorDirectory, 'registries.conf'), REGISTRIES_CONF(given.registry.url));
  const script = join(given.operatorDirectory, 'ecr-login.sh');
  await writeFile(script, `#!/bin/sh\nprintf 'AWS:%s' "$(cat ${given.operatorDirectory}/ecr-password)"\n`);
  await chmod(script, 0o755);
  await writeSecret('registry', { login: 'team:first-password' });
  await writeSecret('dockerhub-credentials', DOCKER_HUB('first-password'));
  await writeSecret('team-credentials', dockerConfig({ [given.registry.host]: ['ci', 'first-password'] }));
  await writeSecret('locked', { login: 'team:first-password' });
  await grant('registry', 'dockerhub-credentials', 'team-credentials');
  return configuration();
}

/** Nothing is polled within a test, unless its images ask for it. */
function configuration(modes: readonly object[] = []): Readonly<Record<string, unknown>> {
  const { registry, operatorDirectory } = installation;
  return {
    interval: '1h',
    minimumInterval: '1s',
    registriesFile: join(operatorDirectory, 'registries.conf'),
    dockerConfig: join(operatorDirectory, 'docker.json'),
    registries: {
      hosts: [
        plainHttp(registry),
        { ...plainHttp(registry), prefix: 'your/', credentials: 'secret:argocd/registry#login' },
        { ...plainHttp(registry), prefix: 'locked/', credentials: 'secret:argocd/locked#login' },
        { ...plainHttp(registry), prefix: 'ecr-script/', credentials: `ext:${operatorDirectory}/ecr-login.sh` },
      ],
    },
    grants: [
      { projects: ['eco2'], credentials: ['pullsecret:argocd/team-credentials'], hosts: [`${registry.host}/team/`] },
    ],
    modes,
  };
}

const REGISTRIES_CONF = (url: string): string => `registries:
  - name: Docker Hub
    api_url: ${url}
    prefix: docker.io
    ping: yes
    defaultns: library
    default: true
    insecure: true
    credentials: pullsecret:argocd/dockerhub-credentials
`;

function dockerConfig(logins: Readonly<Record<string, readonly [string, string]>>): Readonly<Record<string, string>> {
  const auths = Object.entries(logins).map(([url, [username, password]]) => {
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    return [url, { username, password, auth }] as const;
  });
  return { '.dockerconfigjson': JSON.stringify({ auths: Object.fromEntries(auths) }) };
}

/** As an external secret writes it: one entry for the kubelet and one for the updater. */
const DOCKER_HUB = (password: Password): Readonly<Record<string, string>> =>
  dockerConfig({
    'https://index.docker.io/v1/': ['acme', password],
    'https://registry-1.docker.io': ['acme', password],
  });

async function writeSecret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
  const type = '.dockerconfigjson' in stringData ? 'kubernetes.io/dockerconfigjson' : 'Opaque';
  const metadata = { namespace: CONTROL_PLANE, name };
  await installation.kubernetes.apply({ apiVersion: 'v1', kind: 'Secret', metadata, type, stringData });
}

async function grant(...secrets: readonly string[]): Promise<void> {
  await allow(installation.kubernetes, {
    namespace: CONTROL_PLANE,
    name: 'image-resolver-credentials',
    account: CONTROLLER_ACCOUNT,
    rules: readSecrets(...secrets),
  });
}

/** What a cron job of the operator does: the short-lived password, for the script and in the docker configuration. */
async function loginToEcr(password: Password): Promise<void> {
  const { registry, operatorDirectory } = installation;
  const logins = dockerConfig({
    [`${registry.host}/acme`]: ['ci', 'first-password'],
    [`${registry.host}/ecr-config`]: ['AWS', password],
  });
  await writeFile(join(operatorDirectory, 'docker.json'), logins['.dockerconfigjson'] ?? '');
  await writeFile(join(operatorDirectory, 'ecr-password'), password);
}

const argoCd = useArgoCd({
  registry: { auth: { kind: 'htpasswd', users: USERS } },
  configuration: operate,
  controller: {},
});
const { push, repository } = stepsWith(argoCd);
const pushToLive = new PushToLive();
afterAll(() => console.log(pushToLive.toString()));

/** What the images of these tests are polled with. */
const POLLED = { 'poll-interval': '2s' };

/** Settings of one image, as annotations have them. */
function forImage(alias: string, settings: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).map(([setting, value]) => [`${alias}.${setting}`, value]));
}

function parameters(images: readonly string[], settings: Readonly<Record<string, string>>): readonly Parameter[] {
  return [
    { name: 'images', array: images },
    { name: 'image-settings', map: settings },
  ];
}

/** Argo CD holds back a change soon after a sync. */
async function atRest(...applications: readonly TestApplication[]): Promise<void> {
  await argoCd().waitFor(
    `${applications.map(({ name }) => name).join(', ')} are at rest`,
    () => applications.every((application) => application.isAtRest() && application.secondsSinceSync() > 2),
    60_000,
  );
}

/** Pushes a tag with another image behind it; answers `tag@digest`. */
async function repush(path: string, tag: string, content: string, created?: string): Promise<string> {
  const { digest } = await argoCd().registry.pushImage({
    repository: path,
    tag,
    content,
    ...(created === undefined ? {} : { created }),
  });
  return `${argoCd().registry.host}/${path}:${tag}@${digest}`;
}

const host = (): string => argoCd().registry.host;
const requestsFor = (path: string): readonly string[] =>
  argoCd()
    .registry.requests.filter(({ url }) => url.startsWith(`/v2/${path}/`))
    .map(({ method, url }) => `${method} ${url}`);

describe('overlays: development follows what moves, production takes compatible releases', () => {
  let development: TestApplication;
  let production: TestApplication;
  /** Production once more: Argo CD heals ever more slowly what changed often. */
  let edited: TestApplication;
  const backend = (tag: string): string => `${repository('backend')}:${tag}`;
  const frontend = (tag: string): string => `${repository('frontend')}:${tag}`;

  const overlay = (tags: { readonly backend: string; readonly frontend: string }): Files => ({
    'kustomization.yaml': `resources: [../../base]
images:
  - {name: ${repository('backend')}, newTag: ${tags.backend}}
  - {name: ${repository('frontend')}, newTag: ${tags.frontend}}
`,
  });

  beforeAll(async () => {
    await push('backend', 'v1.0.5', 'dev-latest');
    await push('frontend', 'v2.5.0');
    const { url } = await argoCd().createRepository(
      together([
        below('manifests/base', {
          'kustomization.yaml': `resources: [backend.yaml, frontend.yaml]
images:
  - {name: backend, newName: ${repository('backend')}, newTag: v1.0.0}
  - {name: frontend, newName: ${repository('frontend')}, newTag: v2.5.0}
`,
          'backend.yaml': deployment('backend', { backend: 'backend' }),
          'frontend.yaml': deployment('frontend', { frontend: 'frontend' }),
        }),
        below('manifests/overlays/development', overlay({ backend: 'dev-latest', frontend: 'v2.5.0' })),
        below('manifests/overlays/production', overlay({ backend: 'v1.0.5', frontend: 'v2.5.0' })),
      ]),
    );
    development = await argoCd().createApplication({
      name: 'shop-development',
      sources: [
        {
          url,
          path: 'manifests/overlays/development',
          parameters: parameters([`backend=${backend('dev-latest')}`, `frontend=${frontend('~2-0')}`], {
            ...POLLED,
            'backend.update-strategy': 'digest',
          }),
        },
      ],
    });
    const inProduction = async (name: string): Promise<TestApplication> =>
      argoCd().createApplication({
        name,
        sources: [
          {
            url,
            path: 'manifests/overlays/production',
            parameters: parameters([`backend=${repository('backend')}`, `frontend=${frontend('^2')}`], {
              ...POLLED,
              'backend.semver-constraint': '~1.0',
              'backend.allow-tags': String.raw`regexp:^v[0-9]+\.[0-9]+\.[0-9]+$`,
              'frontend.ignore-tags': 'regex:.*-rc.*',
            }),
          },
        ],
      });
    production = await inProduction('shop-production');
    edited = await inProduction('shop-edited');
    await atRest(development, production, edited);
  });

  test('an image set by hand is set back to the one that was decided', async () => {
    expect(edited.live('backend')).toBe(backend('v1.0.5'));
    const generations = await argoCd().generations(edited);
    await edited.editImage('backend', 'wrong-image:v99');
    await edited.becomesLive('backend', 'wrong-image:v99');
    await edited.becomesLive('backend', backend('v1.0.5'));
    expect(await argoCd().generations(edited)).toEqual(generations);
  });

  test('dev-latest rolls out in development when it is pushed again, and production takes v1.0.6 of what is there', async () => {
    expect(production.live('backend')).toBe(backend('v1.0.5'));
    expect(development.live('frontend')).toBe(frontend('v2.5.0'));
    const [seen, seenInProduction] = [development.observe(), production.observe()];
    let latest = '';
    await pushToLive.measure(
      'dev-latest of a development overlay, polled every 2 s',
      async () => (latest = await repush('acme/backend', 'dev-latest', 'v1.0.6-rc.1')),
      async () => development.becomesLive('backend', latest),
    );
    await pushToLive.measure(
      'v1.0.6 of a production overlay, polled every 2 s',
      async () => push('backend', 'v2.0.0', 'v1.1.0', 'v1.0.7-rc.1', 'v1.0.6'),
      async () => production.becomesLive('backend', backend('v1.0.6')),
    );
    for (const observation of [seen, seenInProduction]) observation.stop();
    expect(seen.images.filter((entry) => entry.startsWith('backend='))).toHaveLength(2);
    expect(seenInProduction.images.filter((entry) => entry.startsWith('backend='))).toEqual([
      `backend=${backend('v1.0.5')}`,
      `backend=${backend('v1.0.6')}`,
    ]);
    expect(seenInProduction).toMatchObject({ conditions: [], refreshes: 1 });
  });

  test('of several services one moves: a candidate in development, the release in production', async () => {
    const untouched = production.deployment('backend')?.metadata['generation'];
    await push('frontend', 'v2.6.0-rc.1');
    await development.becomesLive('frontend', frontend('v2.6.0-rc.1'));
    expect(production.live('frontend')).toBe(frontend('v2.5.0'));
    await push('frontend', 'v3.0.0', 'v2.6.0');
    await production.becomesLive('frontend', frontend('v2.6.0'));
    expect(production.deployment('backend')?.metadata['generation']).toBe(untouched);
  });
});

describe('a kustomization whose newTag is under policy, from a private registry', () => {
  const backend = (tag: string): string => `${host()}/your/backend:${tag}`;
  const BUILDS = [
    ['v1.0.0', '2026-01-01'],
    ['v1.0.1', '2026-01-02'],
    ['v1.4.0', '2026-01-03'],
    ['v2.0.0', '2026-01-04'],
  ] as const;
  const digests = new Map<string, string>();
  let url: string;

  async function build(tag: string, day: string, path = 'your/backend'): Promise<void> {
    const created = `${day}T00:00:00Z`;
    digests.set(tag, (await argoCd().registry.pushImage({ repository: path, tag, created })).digest);
  }
  const shop = async (name: string, constraint: string, settings: Readonly<Record<string, string>>) =>
    argoCd().createApplication({
      name,
      sources: [{ url, path: 'manifests/base', parameters: policy(constraint, settings) }],
    });
  const policy = (constraint: string, settings: Readonly<Record<string, string>>): readonly Parameter[] =>
    parameters([`backend=${host()}/your/backend${constraint}`], forImage('backend', { ...POLLED, ...settings }));
  const override = async (
    application: TestApplication,
    constraint: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<void> => application.patch({ spec: { source: { plugin: { parameters: policy(constraint, settings) } } } });

  beforeAll(async () => {
    for (const [tag, day] of BUILDS) await build(tag, day);
    ({ url } = await argoCd().createRepository(
      below('manifests/base', {
        'kustomization.yaml': `resources: [backend-deployment.yaml]
images:
  - {name: backend, newName: ${host()}/your/backend, newTag: v1.0.0}
`,
        'backend-deployment.yaml': deployment('backend', { backend: 'backend' }),
      }),
    ));
  });

  test('each strategy takes its own of what is pushed', async () => {
    const written = (tag: string, withDigest: boolean): string =>
      backend(withDigest ? `${tag}@${digests.get(tag)}` : tag);
    const strategies = [
      { name: 'by-latest', settings: { 'update-strategy': 'latest' }, before: 'v2.0.0', after: 'v1.0.2', digest: true },
      {
        name: 'by-semver',
        settings: { 'semver-constraint': '~1.0' },
        before: 'v1.0.1',
        after: 'v1.0.2',
        digest: false,
      },
      {
        name: 'by-regexp',
        settings: { 'update-strategy': 'regexp', 'allow-tags': String.raw`regexp:^v1\.` },
        before: 'v1.4.0',
        after: 'v1.0.2',
        digest: true,
      },
      { name: 'by-none', settings: { 'update-strategy': 'none' }, before: 'v1.0.0', after: 'v1.0.0', digest: false },
      { name: 'by-major', settings: { constraint: '^1.0.0' }, before: 'v1.4.0', after: 'v1.4.0', digest: false },
      { name: 'by-any', settings: { constraint: '>=1.0.0' }, before: 'v2.0.0', after: 'v2.0.0', digest: false },
    ];
    const applications = await Promise.all(strategies.map(async ({ name, settings }) => shop(name, '', settings)));
    const live = (): readonly (string | undefined)[] => applications.map((application) => application.live('backend'));
    await atRest(...applications);
    expect(live()).toEqual(strategies.map(({ before, digest }) => written(before, digest)));
    await build('v1.0.2', '2026-01-05');
    await argoCd().waitFor('all have what they should', () => {
      const now = live();
      return strategies.every(({ after, digest }, index) => now[index] === written(after, digest));
    });
    await Promise.all(applications.map(async (application) => application.remove()));
  });

  test('a bad release: pinned to another while the registry is down, held in Git, and excluded for good', async () => {
    const application = await shop('incident', ':^1.0.0', {});
    await application.becomesLive('backend', backend('v1.4.0'));
    argoCd().registry.setOffline(true);
    await override(application, ':^1.0.0', { pin: 'v1.0.1' });
    await application.becomesLive('backend', backend('v1.0.1'));
    argoCd().registry.setOffline(false);
    await build('v1.5.0', '2026-01-06');
    await application.refresh('hard');
    expect(application.live('backend')).toBe(backend('v1.0.1'));
    await override(application, ':^1.0.0', { 'update-strategy': 'none' });
    await application.becomesLive('backend', backend('v1.0.0'));
    // What is rendered and changed at the same moment belongs together.
    await argoCd().waitFor('it rests for a while', () => application.isAtRest() && application.secondsSinceSync() > 5);
    await override(application, ':^1.0.0', {});
    // Argo CD has kept the manifests of this spec, with the image of then; the controller sees that.
    await application.becomesLive('backend', backend('v1.5.0'), 60_000);
    await override(application, ':^1.0.0', { 'ignore-tags': 'v1.5.0' });
    await application.becomesLive('backend', backend('v1.4.0'));
    expect(application.state()?.status?.conditions ?? []).toEqual([]);
  });

  test('a manual override as people do it: no automated sync, an image by hand, and back', async () => {
    const application = await shop('by-hand', ':~1.0.0', {});
    await atRest(application);
    await application.patch({ spec: { syncPolicy: { automated: null } } });
    await application.editImage('backend', 'wrong-image:v99');
    await build('v1.0.3', '2026-01-07');
    await argoCd().waitFor(
      'the newest is rendered and not synced',
      async () => (await argoCd().generations(application)).length > 1 && application.syncStatus() === 'OutOfSync',
    );
    expect(application.live('backend')).toBe('wrong-image:v99');
    await application.patch({ spec: { syncPolicy: { automated: { prune: true, selfHeal: true } } } });
    await application.becomesLive('backend', backend('v1.0.3'));
  });

  test('frozen by the operator, what runs stays; others move; it moves on when the freeze is over', async () => {
    const [frozen, free] = [await shop('frozen', ':~2.0', {}), await shop('free', ':~2.0', {})];
    await atRest(frozen, free);
    await argoCd().configure(configuration([{ application: 'argocd/frozen', mode: 'freeze' }]));
    const told = async (): Promise<boolean> => (await argoCd().controller.log()).includes('configuration-changed');
    await argoCd().waitFor('the controller has the configuration', told);
    await build('v2.0.1', '2026-01-08');
    await free.becomesLive('backend', backend('v2.0.1'));
    await frozen.refresh('hard');
    expect(frozen.live('backend')).toBe(backend('v2.0.0'));
    await argoCd().configure(configuration());
    await frozen.becomesLive('backend', backend('v2.0.1'), 60_000);
  });
});

describe.for([
  { way: 'a script of the operator', path: 'ecr-script/gitops-praq', name: 'gitops-praq-script' },
  { way: 'the docker configuration', path: 'ecr-config/gitops-praq', name: 'gitops-praq-config' },
])('plain files with a tag that is pushed again, and short-lived passwords from $way', ({ way, path, name }) => {
  let application: TestApplication;
  let idle: TestApplication;
  let first: string;
  const idlePath = `${path}-idle`;

  beforeAll(async () => {
    for (const tag of ['staging', 'production-old', '7f3c9a1']) await repush(path, tag, tag, '2026-05-09T00:00:00Z');
    first = await repush(path, 'production', 'first', '2026-05-01T00:00:00Z');
    await repush(idlePath, 'production', 'first', '2026-05-01T00:00:00Z');
    const create = async (as: string, at: string, interval: string): Promise<TestApplication> => {
      const prefix = 'argocd-image-updater.argoproj.io';
      const { url } = await argoCd().createRepository(
        below('k8s/production', directory({ 'gitops-praq': `${host()}/${at}:production` })),
      );
      return argoCd().createApplication({
        name: as,
        sources: [
          {
            url,
            path: 'k8s/production',
            parameters: parameters([`app=${host()}/${at}`], {
              [`${prefix}/app.image-tag-filter`]: '^production$',
              [`${prefix}/app.update-strategy`]: 'latest',
              [`${prefix}/app.image-poll-interval`]: interval,
              [`${prefix}/write-back-method`]: 'application',
            }),
          },
        ],
      });
    };
    application = await create(name, path, '2s');
    idle = await create(`${name}-idle`, idlePath, '5m');
    await atRest(application, idle);
  });

  test('each push of production rolls out by its digest, also that of an older build, and with a new password', async () => {
    expect(application.live('gitops-praq')).toBe(first);
    const asked = requestsFor(idlePath);
    let second = '';
    await pushToLive.measure(
      `production pushed again, ${way}, polled every 2 s`,
      async () => (second = await repush(path, 'production', 'second', '2026-05-02T00:00:00Z')),
      async () => application.becomesLive('gitops-praq', second),
    );
    await argoCd().registry.setPassword('AWS', 'second-password');
    await loginToEcr('second-password');
    try {
      await repush(path, 'production', 'first', '2026-05-01T00:00:00Z');
      await application.becomesLive('gitops-praq', first);
    } finally {
      await argoCd().registry.setPassword('AWS', 'first-password');
      await loginToEcr('first-password');
    }
    expect(requestsFor(idlePath)).toEqual(asked);
    expect(application.state()?.status?.conditions ?? []).toEqual([]);
  });
});

describe('a chart from Docker Hub: candidates in dev, releases in production, credentials of the Kubernetes API', () => {
  const API = 'acme/example-api';
  let dev: TestApplication;
  let production: TestApplication;

  beforeAll(async () => {
    await push('example-api', '0.1.0-rc.1');
    const create = async (name: string, constraint: string): Promise<TestApplication> => {
      const { url } = await argoCd().createRepository(chart('example-api', { repository: API, tag: '0.0.9' }));
      const settings = {
        'update-strategy': 'semver',
        'helm.image-name': 'image.repository',
        'helm.image-tag': 'image.tag',
      };
      return argoCd().createApplication({
        name,
        sources: [
          { url, parameters: parameters([`app=${API}:${constraint}`], forImage('app', { ...settings, ...POLLED })) },
        ],
      });
    };
    dev = await create('example-api-dev', '~0-0');
    production = await create('example-api-prd', '~0');
    await atRest(dev, production);
  });

  const inBoth = async (tag: string): Promise<void> => {
    await Promise.all([dev, production].map(async (one) => one.becomesLive('example-api', `${API}:${tag}`, 60_000)));
  };

  test('a candidate is for dev alone, and the release for both, in the labels of the chart too', async () => {
    const labelOf = (one: TestApplication): unknown =>
      one.deployment('example-api')?.spec.template.metadata.labels['version'];
    expect(dev.live('example-api')).toBe(`${API}:0.1.0-rc.1`);
    expect(production.live('example-api')).toBe(`${API}:0.0.9`);
    await push('example-api', '0.1.0-rc.2');
    await dev.becomesLive('example-api', `${API}:0.1.0-rc.2`);
    expect(production.live('example-api')).toBe(`${API}:0.0.9`);
    await pushToLive.measure(
      'a release of a chart in production, polled every 2 s',
      async () => push('example-api', '1.0.0', '0.1.0'),
      async () => production.becomesLive('example-api', `${API}:0.1.0`),
    );
    await inBoth('0.1.0');
    expect([labelOf(dev), labelOf(production)]).toEqual(['0.1.0', '0.1.0']);
  });

  test('the password changes: what runs stays until the Secret has it, and then it goes on, without a restart', async () => {
    const seen = [dev, production].map((one) => one.observe());
    const refused = async (): Promise<number> =>
      argoCd().controller.metric('image_resolver_registry_requests_total', { status: '401' });
    const before = await refused();
    await argoCd().registry.setPassword('acme', 'second-password');
    await push('example-api', '0.2.0');
    await argoCd().waitFor('the registry refuses the old password', async () => (await refused()) > before);
    await writeSecret('dockerhub-credentials', DOCKER_HUB('second-password'));
    await inBoth('0.2.0');
    for (const observation of seen) {
      observation.stop();
      expect(observation.conditions).toEqual([]);
      expect(observation.images).toEqual(['0.1.0', '0.2.0'].map((tag) => `example-api=${API}:${tag}`));
    }
  });

  test('a Secret that the controller was not given is told, and the image comes when it is given', async () => {
    await argoCd().registry.pushImage({ repository: 'locked/app', tag: '1.0.1' });
    const { url } = await argoCd().createRepository(directory({ app: `${host()}/locked/app:1.0.0` }));
    const application = await argoCd().createApplication({
      name: 'locked',
      sources: [{ url, parameters: parameters([`app=${host()}/locked/app:~1.0`], POLLED) }],
    });
    const told = (): string => JSON.stringify(application.state()?.status?.conditions ?? []);
    await argoCd().waitFor('it says which Secret', () => told().includes('secret:argocd/locked#login'));
    expect(told()).toContain('CREDENTIAL_UNREADABLE');
    await grant('registry', 'dockerhub-credentials', 'team-credentials', 'locked');
    await application.becomesLive('app', `${host()}/locked/app:1.0.1`, 60_000);
    expect(told()).toBe('[]');
  });
});

describe('stable and canary of one repository, by their digests, with a pull secret for each', () => {
  const PATH = 'team/eco2';
  const CREDENTIALS = 'pullsecret:argocd/team-credentials';
  const tagOf = (track: string): string => `auth-api-dev-${track}`;
  let stable: string;
  let url: string;

  const create = async (name: string, project: string, settings: Readonly<Record<string, string>>) =>
    argoCd().createApplication({
      name,
      project,
      sources: [
        {
          url,
          path: 'workloads/auth',
          parameters: [
            {
              // The annotation as it was: one string with commas.
              name: 'images',
              string: ['latest', 'canary']
                .map((track) => `${track === 'latest' ? 'stable' : track}=${host()}/${PATH}:${tagOf(track)}`)
                .join(','),
            },
            {
              name: 'image-settings',
              map: {
                ...Object.fromEntries(
                  ['stable', 'canary'].flatMap((alias) => [
                    [`argocd-image-updater.argoproj.io/${alias}.update-strategy`, 'digest'],
                    [`argocd-image-updater.argoproj.io/${alias}.pull-secret`, CREDENTIALS],
                  ]),
                ),
                ...settings,
              },
            },
          ],
        },
      ],
    });

  beforeAll(async () => {
    stable = await repush(PATH, tagOf('latest'), 'stable 1');
    await repush(PATH, tagOf('canary'), 'canary 1');
    ({ url } = await argoCd().createRepository(
      below('workloads/auth', {
        'kustomization.yaml': 'resources: [stable.yaml, canary.yaml]\n',
        'stable.yaml': deployment('auth-api', { api: `${host()}/${PATH}:${tagOf('latest')}` }),
        'canary.yaml': deployment('auth-api-canary', { api: `${host()}/${PATH}:${tagOf('canary')}` }),
      }),
    ));
    await argoCd().createProject({ name: 'eco2' });
  });

  test('a re-push of one changes its workload and no other, and nothing is listed for it', async () => {
    const application = await create('dev-api-auth', 'eco2', POLLED);
    await atRest(application);
    const generationOf = (name: string): unknown => application.deployment(name)?.metadata['generation'];
    expect(application.live('auth-api')).toBe(stable);
    let canary = '';
    await pushToLive.measure(
      'canary pushed again, polled every 2 s',
      async () => (canary = await repush(PATH, tagOf('canary'), 'canary 2')),
      async () => application.becomesLive('auth-api-canary', canary),
    );
    expect([generationOf('auth-api'), generationOf('auth-api-canary')]).toEqual([1, 2]);
    stable = await repush(PATH, tagOf('latest'), 'stable 2');
    await application.becomesLive('auth-api', stable);
    expect([generationOf('auth-api'), generationOf('auth-api-canary')]).toEqual([2, 2]);
    expect(new Set(requestsFor(PATH))).toEqual(
      new Set(['canary', 'latest'].map((track) => `HEAD /v2/${PATH}/manifests/${tagOf(track)}`)),
    );
    await application.remove();
  });

  test("somebody's hard refresh looks at the registry again, long before the interval is over", async () => {
    const application = await create('dev-api-forced', 'eco2', {});
    await atRest(application);
    const canary = await repush(PATH, tagOf('canary'), 'canary 3');
    await application.askForRefresh('hard');
    await application.becomesLive('auth-api-canary', canary);
    expect(application.live('auth-api')).toBe(stable);
  });

  test('an application of another project may not name the Secret, and is told nothing of it', async () => {
    const application = await create('dev-api-stranger', 'default', {});
    const told = (): string => JSON.stringify(application.state()?.status?.conditions ?? []);
    await argoCd().waitFor('it is refused', () => told().includes('CREDENTIAL_NOT_GRANTED'));
    expect(told()).not.toContain('first-password');
    expect(application.deployment('auth-api')).toBeUndefined();
  });
});
