import { spawnSync } from 'node:child_process';
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { deployment, hostEntry, images, tagIn } from '../faults/one-image.ts';
import { EXPIRED_CERTIFICATE, SERVER_CERTIFICATE, TEST_CA } from '../support/fake-registry-certificates.ts';
import { type RealKubernetes, startRealKubernetes } from '../support/real-kubernetes.ts';
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts';
import {
  type PluginContainer,
  type ResolverRun,
  startPluginContainer,
  type TestApplication,
} from '../support/run-resolver.ts';
import {
  applicationObject,
  CONTROL_PLANE,
  CONTROLLER,
  type ControllerProcess,
  installRights,
  type RuleName,
  RULES,
  rulesOfManifests,
  SIDECAR,
  startControllerProcess,
  type StartOptions,
} from './controller-process.ts';

// The built controller and the built sidecar as processes, on a real kube-apiserver with the rights of the manifests, and
// a real registry.

const mountable = spawnSync('unshare', ['--mount', 'true']).status === 0;
const limitable = spawnSync('prlimit', ['--version']).status === 0;

let kubernetes: RealKubernetes;
let registry: RealRegistry;
/** The controller's. */
let container: PluginContainer;
let sidecar: PluginContainer;
let sidecarToken: string;
let names = 0;
const open: ControllerProcess[] = [];

beforeAll(async () => {
  kubernetes = await startRealKubernetes();
  await kubernetes.makeNamespace(CONTROL_PLANE);
  await kubernetes.makeNamespace('team-a');
  await installRights(kubernetes);
  registry = await startRealRegistry({ auth: { kind: 'htpasswd', users: { puller: 'first-password' } } });
  sidecarToken = await kubernetes.tokenFor(SIDECAR, 'image-resolver');
});
afterAll(async () => {
  await registry.stop();
  await kubernetes.stop();
});

beforeEach(async () => {
  container = await startPluginContainer();
  sidecar = await startPluginContainer();
  await configure();
});
afterEach(async () => {
  registry.setOffline(false);
  await container[Symbol.asyncDispose]();
  await sidecar[Symbol.asyncDispose]();
  open.length = 0;
});

async function configure(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const host = { host: registry.host, apiUrl: registry.url, insecure: true, credentials: 'env:PULLER' };
  const webhooks = [{ type: 'generic', secret: 'env:HOOK' }];
  await container.configure({ interval: '1h', webhooks, registries: { hosts: [host] }, ...more });
}

async function start(options: StartOptions = {}): Promise<ControllerProcess> {
  const environment = { PULLER: 'puller:first-password', HOOK: 'hook-secret', ...options.environment };
  const controller = await startControllerProcess(container, kubernetes, { ...options, environment });
  open.push(controller);
  return controller;
}

/** A repository of its own for each test, with these tags. */
async function pushed(...tags: readonly string[]): Promise<string> {
  const repository = `acme/api-${++names}`;
  await registry.pushImages(tags.map((tag) => ({ repository, tag })));
  return repository;
}

async function applicationOf(of: PluginContainer, repository: string, name = 'shop'): Promise<TestApplication> {
  return of.application(
    { 'app/api.yaml': deployment(`${registry.host}/${repository}:1.0.0`) },
    { name, parameters: [images(`api=${registry.host}/${repository}:~1.0`)] },
  );
}

/** `generate` as the sidecar beside argocd-repo-server runs it. */
async function generate(
  controller: Pick<ControllerProcess, 'url'>,
  repository: string,
  { name = 'shop', of = sidecar, token = sidecarToken }: { name?: string; of?: PluginContainer; token?: string } = {},
): Promise<ResolverRun> {
  const file = await of.write('token', token);
  const environment = { IMAGE_RESOLVER_CONTROLLER: controller.url, IMAGE_RESOLVER_TOKEN_FILE: file };
  return of.generate(await applicationOf(of, repository, name), { environment });
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  await expect.poll(async () => condition(), { timeout: 20_000, interval: 25, message: what }).toBe(true);
}

const shopPath = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications';
async function annotated(name: string): Promise<boolean> {
  const { body } = await kubernetes.admin.send('GET', `${shopPath}/${name}`);
  const { metadata } = body as { metadata: { annotations?: Record<string, string> } };
  return metadata.annotations?.['argocd.argoproj.io/refresh'] === 'hard';
}

/** What Argo CD does with a hard refresh: renders, and writes the status without the annotation. */
async function reconcile(name: string, at: string): Promise<void> {
  const body = { metadata: { annotations: { 'argocd.argoproj.io/refresh': null } }, status: { reconciledAt: at } };
  await kubernetes.admin.must('PATCH', `${shopPath}/${name}`, { body, contentType: 'application/merge-patch+json' });
}

const notify = (controller: ControllerProcess, repository: string, tag: string): Promise<number> =>
  controller.webhook(
    'generic',
    { images: [`${registry.host}/${repository}:${tag}`] },
    { authorization: 'Bearer hook-secret' },
  );

/** A push reaches an Application: every kind of request that the controller makes of the API. */
async function rollOut(controller: ControllerProcess, name: string): Promise<string> {
  await kubernetes.apply(applicationObject(name));
  const repository = await pushed('1.0.5');
  expect(tagIn((await generate(controller, repository, { name })).stdout)).toBe('1.0.5');
  await registry.pushImage({ repository, tag: '1.0.6' });
  expect(await notify(controller, repository, '1.0.6')).toBe(202);
  return repository;
}

test('a push, told by a webhook: the Application is refreshed, confirmed and told of, and nothing was forbidden', async () => {
  // As in a pod, where that can be: by the mounted token, which is renewed meanwhile.
  const mount = await kubernetes.inClusterMount(CONTROLLER);
  const inPod = {
    around: `exec unshare --mount bash -c 'mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io && \
      ln -s ${mount.directory} /run/secrets/kubernetes.io/serviceaccount && exec "$@"' bash "$@"`,
    environment: { ...mount.environment, KUBECONFIG: undefined },
  };
  const controller = await start(mountable ? inPod : {});
  await mount.rotate();
  const repository = await rollOut(controller, 'whole');
  await until(() => annotated('whole'), 'the annotation');
  expect(tagIn((await generate(controller, repository, { name: 'whole' })).stdout)).toBe('1.0.6');
  await reconcile('whole', '2026-01-01T00:01:00Z');
  await until(() => controller.log.includes('"event":"refresh-confirmed"'), 'the confirmation');
  await until(async () => {
    const { body } = await kubernetes.admin.send('GET', '/api/v1/namespaces/argocd/events');
    const { items } = body as { items: readonly { reason: string; involvedObject: { name: string } }[] };
    return items.some((one) => one.reason === 'ImageMoved' && one.involvedObject.name === 'whole');
  }, 'the Event');
  expect(controller.log).not.toMatch(/403|forbidden|not-followed|not-written/i);
  for (const secret of ['first-password', 'hook-secret', sidecarToken.slice(0, 60), 'eyJ'])
    expect(controller.log).not.toContain(secret);
  expect((await controller.stop()).exitCode).toBe(0);
});

test('what moved during a freeze is rendered when the freeze is over', async () => {
  await configure({ modes: [{ application: 'argocd/thawed', mode: 'freeze' }] });
  const controller = await start();
  await rollOut(controller, 'thawed');
  await until(() => controller.log.includes('"event":"decision-moved"'), 'the move');
  expect(await annotated('thawed')).toBe(false);
  await configure();
  await until(() => annotated('thawed'), 'the annotation');
});

test('these tests know every rule of the manifests', async () => {
  expect((await rulesOfManifests()).toSorted()).toEqual([...RULES].toSorted());
});

/** What shows that a rule is missing: words of the log, or of what somebody was told. */
type Missing = (controller: ControllerProcess, name: string) => Promise<string>;
const inTheLog: Missing = async (controller) => controller.log;

test.for<{ readonly rule: RuleName; readonly shows: RegExp; readonly missing: Missing }>([
  { rule: 'applications', shows: /"applications-not-followed"[^\n]*403/, missing: inTheLog },
  { rule: 'appprojects', shows: /"applications-not-followed"[^\n]*403/, missing: inTheLog },
  {
    rule: 'events',
    shows: /"events-not-written"[^\n]*403/,
    missing: async (controller, name) => {
      const repository = await rollOut(controller, name);
      await until(() => annotated(name), 'the annotation');
      await generate(controller, repository, { name });
      await reconcile(name, '2026-01-01T00:01:00Z');
      await until(() => controller.log.includes('"event":"events-'), 'the log');
      return controller.log;
    },
  },
  {
    rule: 'tokenreviews',
    shows: /^CONTROLLER_UNREACHABLE/,
    missing: async (controller, name) => (await generate(controller, await pushed('1.0.5'), { name })).stderr,
  },
  {
    rule: 'subjectaccessreviews',
    shows: /^CONTROLLER_UNREACHABLE/,
    missing: async (controller, name) => {
      await rollOut(controller, name);
      return (await person(controller, await personToken('admin', true), ['status', name])).stderr;
    },
  },
])('without the right to $rule something is missing', async ({ rule, shows, missing }) => {
  const controller = await start({ account: await installRights(kubernetes, rule) });
  const shown = await missing(controller, `without-${rule}`);
  await expect.poll(() => `${shown}\n${controller.log}`, { timeout: 20_000 }).toMatch(shows);
});

test('two sidecars, and none: the same answer', async () => {
  const controller = await start();
  const repository = await pushed('1.0.5', '1.0.6', '2.0.0');
  await using other = await startPluginContainer();
  const [first, second] = await Promise.all([
    generate(controller, repository),
    generate(controller, repository, { of: other }),
  ]);
  const alone = await container.generate(await applicationOf(container, repository), {
    environment: { PULLER: 'puller:first-password', IMAGE_RESOLVER_STATE: join(container.folder, 'alone') },
  });
  expect(alone).toMatchObject({ exitCode: 0, stderr: '' });
  expect(tagIn(alone.stdout)).toBe('1.0.6');
  expect([first, second].map(({ stdout, stderr, exitCode }) => ({ stdout, stderr, exitCode }))).toEqual(
    [alone, alone].map(({ stdout, stderr, exitCode }) => ({ stdout, stderr, exitCode })),
  );
});

/** What a client of many is answered. */
async function ask(
  controller: Pick<ControllerProcess, 'url'>,
  application: string,
  repository: string,
  constraint = '~1.0',
): Promise<string> {
  const path = `${registry.host}/${repository}`;
  const body = {
    v: 1,
    who: { application, project: 'default' },
    generation: {
      id: randomUUID(),
      source: { repoURL: 'https://git.example.com/acme/deploy', path: 'app', targetRevision: 'main' },
      revision: 'r1',
      parametersFingerprint: 'p',
    },
    budgetMs: 10_000,
    asks: [
      {
        image: `${path}|api`,
        label: 'api',
        where: 'parameter images[0]',
        repository: { host: registry.host, path: repository, name: path },
        choice: {
          kind: 'select',
          selection: {
            strategy: { kind: 'semver', constraint },
            filters: [],
            platforms: [{ os: 'linux', architecture: 'amd64' }],
          },
        },
        onUnsatisfied: 'git',
        onRemoved: 'keep',
      },
    ],
  };
  const response = await fetch(`${controller.url}/v1/resolve`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sidecarToken}` },
    body: JSON.stringify(body),
  });
  const { resolutions } = (await response.json()) as { resolutions?: readonly { decision?: { tag: string } }[] };
  return resolutions?.[0]?.decision?.tag ?? `${response.status}`;
}

test('kill -9 in the middle of its work loses nothing that was answered; without registry it is answered again', async () => {
  const applications = Array.from({ length: 8 }, (_, index) => `killed-${index}`);
  for (const name of applications) await kubernetes.apply(applicationObject(name));
  const controller = await start();
  const repositories = await Promise.all(
    applications.map(async (_, index) => pushed(`1.0.${index}`, `1.0.${index + 9}`)),
  );
  /** Each round is a policy that nobody asked for before: a decision of its own. */
  const answered = new Map<string, readonly [index: number, constraint: string, tag: string]>();
  let enough = (): void => undefined;
  const killed = new Promise<void>((done) => {
    enough = done;
  }).then(async () => controller.kill());
  const clients = repositories.flatMap((repository, index) =>
    Array.from({ length: 4 }, async (_, client) => {
      for (let round = 0; ; round++) {
        const constraint = `>=0.${client}.${round}`;
        try {
          const tag = await ask(controller, applications[index] ?? '', repository, constraint);
          answered.set(`${index} ${constraint}`, [index, constraint, tag]);
        } catch {
          return;
        }
        if (answered.size === 200) enough();
      }
    }),
  );
  await killed;
  await Promise.all(clients);
  expect(answered.size).toBeGreaterThanOrEqual(200);

  registry.setOffline(true);
  const next = await start();
  for (const [index, constraint, tag] of answered.values()) {
    expect(tag).toBe(`1.0.${index + 9}`);
    expect(await ask(next, `other-${index}`, repositories[index] ?? '', constraint)).toBe(tag);
  }
  const registered = /"event":"started","registrations":(\d+)/.exec(next.log)?.[1];
  expect(Number(registered)).toBeGreaterThanOrEqual(new Set([...answered.values()].map(([index]) => index)).size);
  expect(next.log).not.toContain('STORE_');
});

test('a sidecar renders the same after a restart without registry, and without the controller', async () => {
  const controller = await start();
  const repository = await pushed('1.0.5', '1.0.6');
  const before = await generate(controller, repository);
  expect(tagIn(before.stdout)).toBe('1.0.6');
  expect((await controller.stop()).exitCode).toBe(0);
  registry.setOffline(true);
  const away = await generate(controller, repository);
  expect(away).toMatchObject({ stdout: before.stdout, exitCode: 0 });
  expect(away.stderr).toContain('warning: CONTROLLER_UNREACHABLE');
  expect(await generate(await start(), repository)).toEqual(before);
});

test('SIGTERM under load: it ends by itself within its time, and nobody is given half an answer', async () => {
  const controller = await start();
  const repository = await pushed('1.0.5', '1.0.6');
  const answers = new Set<string>();
  let served = 0;
  let enough = (): void => undefined;
  const begun = new Promise<void>((done) => {
    enough = done;
  });
  const clients = Array.from({ length: 50 }, async (_, client) => {
    for (let round = 0; ; round++) {
      try {
        answers.add(await ask(controller, `shop-${client}-${round}`, repository));
      } catch {
        return;
      }
      served += 1;
      if (served === 200) enough();
    }
  });
  await begun;
  const run = await Promise.race([controller.stop(), delay(5_000, 'not within 5 s')]);
  expect(run).toMatchObject({ exitCode: 0, signal: null });
  expect(controller.log).toContain('"event":"stopped"');
  await Promise.all(clients);
  expect([...answers].filter((answer) => answer !== '503')).toEqual(['1.0.6']);
});

test.for<{ readonly name: string; readonly token: () => Promise<string> | string }>([
  { name: 'for another audience', token: async () => kubernetes.tokenFor(SIDECAR, 'vault') },
  { name: 'for the API server', token: async () => kubernetes.tokenFor(SIDECAR) },
  {
    name: 'of another account',
    token: async () => kubernetes.tokenFor({ namespace: 'team-a', name: 'argocd-repo-server' }, 'image-resolver'),
  },
  { name: 'of an hour ago', token: () => expired(sidecarToken) },
  { name: 'that nobody made', token: () => sidecarToken.slice(0, -8).concat('AAAAAAAA') },
])('a token $name: no answer', async ({ token }) => {
  const controller = await start();
  const run = await generate(controller, await pushed('1.0.5'), { token: await token() });
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toContain('CONTROLLER_UNREACHABLE');
  expect(registry.requests.filter(({ url }) => url.includes(`api-${names}/`))).toEqual([]);
  expect(controller.log).not.toContain(sidecarToken.slice(0, 100));
});

test('without a token: no answer', async () => {
  const controller = await start();
  const answer = await fetch(`${controller.url}/v1/resolve`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(401);
});

/** The same token, signed by the cluster and over since an hour. */
function expired(token: string): string {
  const [head = '', payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const now = Math.floor(Date.now() / 1000);
  const old = { ...claims, iat: now - 7200, nbf: now - 7200, exp: now - 3600 };
  const text = `${head}.${Buffer.from(JSON.stringify(old)).toString('base64url')}`;
  const key = createPrivateKey(readFileSync(join(kubernetes.directory, 'accounts.key'), 'utf8'));
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

test('a signature that is made here is the cluster’s: with a time to come it is let in', async () => {
  // Else the test of an expired token would show nothing but a wrong signature.
  const claims = JSON.parse(Buffer.from(sidecarToken.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
  const [head = '', payload = ''] = sidecarToken.split('.');
  const key = createPrivateKey(readFileSync(join(kubernetes.directory, 'accounts.key'), 'utf8'));
  const signature = sign('sha256', Buffer.from(`${head}.${payload}`), { key, dsaEncoding: 'ieee-p1363' });
  expect(claims.exp * 1000).toBeGreaterThan(Date.now());
  const token = `${head}.${payload}.${signature.toString('base64url')}`;
  const run = await generate(await start(), await pushed('1.0.5'), { token });
  expect(run).toMatchObject({ exitCode: 0 });
});

test('TLS: the sidecar trusts the CA alone, and a renewed certificate is served without a restart', async () => {
  const folder = join(container.folder, 'tls');
  const put = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await container.write('tls/tls.crt', cert);
    await container.write('tls/tls.key', key);
  };
  await put(SERVER_CERTIFICATE);
  const controller = await start({ args: [`--tls-directory=${folder}`] });
  expect(controller.url).toMatch(/^https:/);
  const repository = await pushed('1.0.5');
  const untrusted = await generate(controller, repository);
  expect(untrusted).toMatchObject({ exitCode: 1, stdout: '' });
  const caFile = await sidecar.write('ca.pem', TEST_CA);
  await sidecar.configure({ controller: { url: controller.url, caFile } });
  const run = await generate(controller, repository);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });

  await put(EXPIRED_CERTIFICATE);
  // It is looked for when somebody connects, every few seconds at most.
  await until(async () => {
    await generate(controller, repository);
    return controller.log.includes('"event":"certificate-renewed"');
  }, 'the renewal');
  const late = await generate(controller, await pushed('1.0.5'));
  expect(late).toMatchObject({ exitCode: 1, stdout: '' });
  expect(late.stderr).toContain('CERT_HAS_EXPIRED');
});

test('a pull secret that is changed in the API is used by the next request', async () => {
  const secret = (password: string): Promise<unknown> =>
    kubernetes.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'team-a', name: 'registry' },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: {
        '.dockerconfigjson': JSON.stringify({
          auths: { [registry.host]: { auth: Buffer.from(`puller:${password}`).toString('base64') } },
        }),
      },
    });
  await secret('first-password');
  await kubernetes.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { namespace: 'team-a', name: 'image-resolver-credentials' },
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['registry'], verbs: ['list', 'watch'] }],
  });
  await kubernetes.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace: 'team-a', name: 'image-resolver-credentials' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'image-resolver-credentials' },
    subjects: [{ kind: 'ServiceAccount', ...CONTROLLER }],
  });
  await configure({
    registries: { hosts: [hostEntry(registry as never, { credentials: 'pullsecret:team-a/registry' })] },
  });
  const controller = await start();
  expect(tagIn((await generate(controller, await pushed('1.0.5'))).stdout)).toBe('1.0.5');
  try {
    await registry.setPassword('puller', 'second-password');
    await secret('second-password');
    // The API's watch is the only thing that is waited for.
    await until(
      async () => tagIn((await generate(controller, await pushed('1.0.6'))).stdout) === '1.0.6',
      'a resolution with the new password',
    );
  } finally {
    await registry.setPassword('puller', 'first-password');
  }
});

/** The token of an account in team-a, which may get Applications or may not. */
async function personToken(name: string, mayGet: boolean): Promise<string> {
  const account = { namespace: 'team-a', name };
  const token = await kubernetes.tokenFor(account);
  const labels = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { namespace: CONTROL_PLANE, name } };
  if (mayGet) {
    await kubernetes.apply({
      ...labels,
      kind: 'Role',
      rules: [{ apiGroups: ['argoproj.io'], resources: ['applications'], verbs: ['get'] }],
    });
    await kubernetes.apply({
      ...labels,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    });
  }
  return token;
}

async function person(
  controller: Pick<ControllerProcess, 'url'>,
  token: string,
  args: readonly string[],
  of: PluginContainer = sidecar,
): Promise<ResolverRun> {
  const file = await of.write('person-token', token);
  return of.run([...args, '--controller', controller.url, '--token-file', file]);
}

test('status, refresh and explain: for who may get the Application, and for nobody else', async () => {
  const controller = await start();
  await kubernetes.apply(applicationObject('seen'));
  const repository = await pushed('1.0.5', '1.0.6');
  await generate(controller, repository, { name: 'seen' });
  // A sidecar keeps what it was answered; people have a machine of their own.
  await using laptop = await startPluginContainer();
  const [alice, mallory] = [await personToken('alice', true), await personToken('mallory', false)];
  // The watch may be a moment behind.
  await until(async () => (await person(controller, alice, ['refresh', 'seen'])).exitCode === 0, 'the refresh');

  const status = await person(controller, alice, ['status', 'seen', '--json']);
  expect(status).toMatchObject({ exitCode: 0 });
  const { applications } = JSON.parse(status.stdout) as { applications: readonly unknown[] };
  expect(applications).toMatchObject([
    {
      application: 'argocd/seen',
      project: 'default',
      sources: [{ images: [{ given: { kind: 'image', tag: '1.0.6' } }] }],
    },
  ]);
  const { directory } = await applicationOf(laptop, repository, 'seen');
  await laptop.write(
    'seen.yaml',
    JSON.stringify({
      ...applicationObject('seen'),
      spec: {
        project: 'default',
        source: {
          repoURL: 'https://git.example.com/acme/deploy',
          path: 'app',
          targetRevision: 'main',
          plugin: { name: 'image-resolver', parameters: [images(`api=${registry.host}/${repository}:~1.0`)] },
        },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
      },
    }),
  );
  const explain = ['explain', directory, '-f', join(laptop.folder, 'seen.yaml')];
  const explained = await person(controller, alice, explain, laptop);
  expect(explained).toMatchObject({ exitCode: 0 });
  expect(explained.stdout).toContain('1.0.6');

  for (const args of [['status', 'seen'], ['status'], ['refresh', 'seen'], ['status', 'no-such-one'], explain]) {
    const run = await person(controller, mallory, args, laptop);
    expect(run.stdout).not.toContain('1.0.6');
    expect(run.stderr).toMatch(/CONTROLLER_UNREACHABLE|403|may not/);
  }
  // Not even the sidecar's own token may ask what is for people.
  expect(await person(controller, sidecarToken, ['status', 'seen'])).toMatchObject({ exitCode: 1, stdout: '' });
});

test.skipIf(!mountable)('a disk that is full: everything is answered, and it is said', async () => {
  await container.write('state/.keep', '');
  const around = `exec unshare --mount bash -c 'mount -t tmpfs -o size=96k tmpfs ${container.state} && exec "$@"' bash "$@"`;
  const controller = await start({ around });
  await until(async () => {
    const repository = await pushed('1.0.5', '1.0.6');
    const run = await generate(controller, repository, { name: `full-${names}` });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(tagIn(run.stdout)).toBe('1.0.6');
    return controller.log.includes('STORE_UNAVAILABLE');
  }, 'the disk to be full');
  expect(await controller.metrics()).toMatch(/^image_resolver_store_persistent 0$/m);
});

test.skipIf(!limitable)(
  'what is decided while the disk is full outlives the next start, if there is room when it is stopped',
  async () => {
    // A limit on the size of files is a full disk to SQLite, and it can be taken away again.
    const limited = await start({ around: 'ulimit -S -f 200; trap "" XFSZ; exec "$@"' });
    let last = '';
    await until(async () => {
      last = await pushed('1.0.5', '1.0.6');
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => ask(limited, `limited-${index}`, last, `>=0.0.${index}`)),
      );
      return limited.log.includes('STORE_UNAVAILABLE');
    }, 'the disk to be full');
    const after = await pushed('1.0.5', '1.0.6');
    expect(await ask(limited, 'shop', after)).toBe('1.0.6');
    expect(spawnSync('prlimit', ['--pid', `${limited.pid}`, '--fsize=unlimited']).status).toBe(0);
    expect((await limited.stop()).exitCode).toBe(0);

    registry.setOffline(true);
    const next = await start();
    expect(await ask(next, 'shop', after)).toBe('1.0.6');
    expect(await ask(next, 'shop', last, '>=0.0.19')).toBe('1.0.6');
  },
);
