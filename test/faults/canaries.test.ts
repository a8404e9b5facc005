import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import type { FakeFault } from '../support/fake-registry-faults.ts';
import {
  type PluginContainer,
  type ResolverRun,
  type RunOptions,
  startPluginContainer,
  type TestApplication,
} from '../support/run-resolver.ts';
import { deployment, hostEntry, images } from './one-image.ts';

// Every secret the resolver can come to know is marked, and nothing it writes anywhere may hold a mark: not stdout, stderr,
// store, home or temporary folder, in success, stale and failure.

const MARK = 'cAnAry';

/** The mark, and what of it is the same in Base64 whatever stands around it, for its three alignments. */
const MARKS: readonly string[] = [
  MARK,
  base64(MARK).slice(0, 8),
  base64(`x${MARK}`).slice(2, 8),
  base64(`xx${MARK}`).slice(4, 10),
];

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const KINDS = ['docker', 'helper', 'env', 'ext', 'secret', 'pullsecret', 'identity'] as const;
const passwordOf = (kind: string): string => `${MARK}-password-of-${kind}`;
const userOf = (kind: string): string => `user-${kind}`;
const pairOf = (kind: string): string => `${userOf(kind)}:${passwordOf(kind)}`;
const basicOf = (kind: string): string => base64(pairOf(kind));

let bearer: FakeRegistry;
let basic: FakeRegistry;
let container: PluginContainer;
let options: RunOptions;

beforeAll(async () => {
  const users = new Map(KINDS.map((kind) => [userOf(kind), passwordOf(kind)]));
  users.set(`${MARK}-identity`, 'x');
  bearer = await startFakeRegistry({ auth: { kind: 'bearer', users } });
  basic = await startFakeRegistry({ auth: { kind: 'basic', users } });
  for (const registry of [bearer, basic])
    for (const kind of KINDS) registry.content.putTags(`${kind}/api`, ['1.0.5', '1.0.6']);

  container = await startPluginContainer();
  const script = await container.write('etc/print', `#!/bin/sh\necho '${pairOf('ext')}'\n`, 0o755);
  await container.write(
    'programs/docker-credential-marked',
    `#!/bin/sh\necho '${JSON.stringify({ Username: userOf('helper'), Secret: passwordOf('helper') })}'\necho ${MARK} >&2\n`,
    0o755,
  );
  await container.write('secrets/shop/pair/field', pairOf('secret'));
  const hosts = [bearer, basic];
  const auths = Object.fromEntries(hosts.map(({ host }) => [host, { auth: basicOf('pullsecret') }]));
  await container.write('secrets/shop/pull/.dockerconfigjson', JSON.stringify({ auths }));
  const logins: readonly (readonly [string, object])[] = [
    ...hosts.map(({ host }) => [`${host}/docker`, { auth: basicOf('docker') }] as const),
    [`${bearer.host}/identity`, { identitytoken: `identity-of-${MARK}-identity` }],
    [`${basic.host}/identity`, { auth: basicOf('identity') }],
  ];
  await container.write(
    'docker/config.json',
    JSON.stringify({
      auths: Object.fromEntries(logins),
      credHelpers: Object.fromEntries(hosts.map(({ host }) => [host, 'marked'])),
    }),
  );
  const named = {
    env: 'env:MARKED',
    ext: `ext:${script}`,
    secret: 'secret:shop/pair#field',
    pullsecret: 'pullsecret:shop/pull',
  };
  await container.configure({
    interval: '0s',
    budget: '20s',
    dockerConfig: `${container.folder}/docker/config.json`,
    secretsDirectory: `${container.folder}/secrets`,
    credentialHelpers: { environment: ['PATH'], timeout: '5s' },
    registries: {
      hosts: [
        ...hosts.flatMap((registry) => [
          hostEntry(registry),
          ...Object.entries(named).map(([kind, credentials]) =>
            hostEntry(registry, { prefix: `${kind}/`, credentials }),
          ),
        ]),
        { host: 'behind.proxy.invalid' },
      ],
    },
  });
  options = {
    toolsFirst: [`${container.folder}/programs`],
    environment: {
      MARKED: pairOf('env'),
      https_proxy: `http://user:${MARK}@127.0.0.1:9`,
      no_proxy: '127.0.0.1',
      GIT_ASKPASS: `/${MARK}/askpass`,
      ARGOCD_GIT_ASKPASS_NONCE: MARK,
      ARGOCD_GIT_BEARER_AUTH_HEADER: `Bearer ${MARK}`,
      AWS_SECRET_ACCESS_KEY: MARK,
    },
  };
});
afterAll(async () => {
  await container[Symbol.asyncDispose]();
  await Promise.all([bearer.close(), basic.close()]);
});

/** All the places a secret must not be in, by name. */
async function leaks(...runs: readonly ResolverRun[]): Promise<readonly string[]> {
  const texts = new Map<string, string>();
  for (const [index, run] of runs.entries()) {
    texts.set(`stdout ${index}`, run.stdout);
    texts.set(`stderr ${index}`, run.stderr);
  }
  for (const folder of ['state', 'tmp', 'home']) {
    const names = await readdir(join(container.folder, folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of names.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      texts.set(path, await readFile(path, 'latin1'));
    }
  }
  return [...texts].flatMap(([name, text]) => {
    const at = Math.max(...[...MARKS, 'token-of-', 'identity-of-'].map((mark) => text.indexOf(mark)));
    return at === -1 ? [] : [`${name}: ${JSON.stringify(text.slice(Math.max(0, at - 80), at + 80))}`];
  });
}

/** One image for each kind of credential, at each of the registries. */
async function everyKind(...registries: readonly FakeRegistry[]): Promise<TestApplication> {
  const all = registries.flatMap(({ host }, index) => KINDS.map((kind) => ({ alias: `${kind}-${index}`, host, kind })));
  return container.application(
    Object.fromEntries(
      all.map(({ alias, host, kind }) => [`app/${alias}.yaml`, deployment(`${host}/${kind}/api:1.0.0`, alias)]),
    ),
    { parameters: [images(...all.map(({ alias, host, kind }) => `${alias}=${host}/${kind}/api:~1.0`))] },
  );
}

const answer = (status: number, body = MARK, headers: Readonly<Record<string, string>> = {}): FakeFault => ({
  kind: 'answer',
  status,
  headers: { 'x-marked': MARK, 'set-cookie': `session=${MARK}`, 'content-type': 'application/json', ...headers },
  body,
});
const errors = JSON.stringify({ errors: [{ code: `${MARK} code`, message: MARK, detail: { token: MARK } }] });

const FAULTS: readonly { readonly name: string; readonly fault: FakeFault; readonly matching?: RegExp }[] = [
  { name: '401', fault: answer(401, errors, { 'www-authenticate': `Basic realm="${MARK}"` }) },
  { name: '401 of the token server', fault: answer(401, errors), matching: /token/ },
  { name: 'a token server that prints the token elsewhere', fault: answer(200, `{"x":"${MARK}"}`), matching: /token/ },
  {
    name: 'a realm with a query',
    fault: answer(401, errors, {
      'www-authenticate': `Bearer realm="https://auth.invalid/token?key=${MARK}",service="${MARK}"`,
    }),
  },
  { name: '403', fault: answer(403, errors) },
  { name: '404', fault: answer(404, errors) },
  { name: '429', fault: answer(429, errors, { 'retry-after': '3600' }) },
  { name: '500', fault: answer(500, `<html>${MARK}</html>`) },
  {
    name: 'a redirect with a query',
    fault: answer(307, '', { location: `https://user:${MARK}@cdn.invalid/?signature=${MARK}` }),
  },
  { name: 'HTML', fault: answer(200, `<html>${MARK}</html>`, { 'content-type': 'text/html' }) },
  { name: 'half of a JSON', fault: answer(200, `{"tags":["${MARK}`) },
  {
    name: 'a Link with a query',
    fault: answer(200, '{"tags":["1.0.5"]}', { link: `<https://cdn.invalid/?sig=${MARK}>; rel="next"` }),
  },
  { name: 'a cut body', fault: { kind: 'cut-in-body' } },
];

test('the marks are found where they are', () => {
  const found = ['', 'x', 'xx'].map((before) =>
    MARKS.findIndex((mark) => base64(`${before}${MARK}yyy`).includes(mark)),
  );
  expect(found).toEqual([1, 2, 3]);
  expect(KINDS.filter((kind) => !MARKS.some((mark) => basicOf(kind).includes(mark)))).toEqual([]);
});

test('success: every credential is used, and none is written anywhere', async () => {
  const run = await container.generate(await everyKind(bearer, basic), options);
  expect(run).toMatchObject({ stderr: '', exitCode: 0 });
  expect(run.stdout.match(/:1\.0\.6$/gm)).toHaveLength(2 * KINDS.length);
  expect(await leaks(run)).toEqual([]);
});

test.for(FAULTS)(
  '$name, with an answer known and without: nothing is written anywhere',
  async ({ fault, matching }) => {
    const application = await everyKind(bearer, basic);
    await useStateWithAnswers(application);
    for (const registry of [bearer, basic]) registry.fail(matching ?? /tags\/list/, [fault], 'last');
    onTestFinished(async () => {
      for (const registry of [bearer, basic]) registry.heal();
      await rm(container.state, { recursive: true });
    });
    const stale = await container.generate(application, options);
    expect(stale.exitCode).toBe(0);
    expect(stale.stderr).toContain('ANSWER_STALE');
    expect(await leaks(stale)).toEqual([]);

    await rm(container.state, { recursive: true });
    const failed = await container.generate(application, options);
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
    expect(Buffer.byteLength(failed.stderr)).toBeLessThanOrEqual(4096);
    expect(await leaks(failed)).toEqual([]);
  },
);

/** A state folder as it is after everything went well; made once. */
async function useStateWithAnswers(application: TestApplication): Promise<void> {
  const kept = join(container.folder, 'kept-state');
  await rm(container.state, { recursive: true, force: true });
  if (!existsSync(kept)) {
    await container.generate(application, options);
    await cp(container.state, kept, { recursive: true });
  }
  await cp(kept, container.state, { recursive: true });
}

test('commands for people: explain, test and validate', async () => {
  const application = await everyKind(bearer);
  const inApplication = { ...options, cwd: application.directory };
  const environment = {
    ...options.environment,
    ARGOCD_APP_PARAMETERS: JSON.stringify(application.parameters),
  };
  const runs = [
    await container.run(['explain', '--json'], { ...inApplication, environment }),
    await container.run(['explain'], { ...inApplication, environment }),
    await container.run(['validate'], { ...inApplication, environment }),
    ...(await Promise.all(
      KINDS.map(async (kind) => container.run(['test', `${bearer.host}/${kind}/api`, '--json'], options)),
    )),
  ];
  expect(runs.map(({ exitCode }) => exitCode)).toEqual(runs.map(() => 0));
  expect(await leaks(...runs)).toEqual([]);
});

test('credentials that cannot be read', async () => {
  const application = await everyKind(basic);
  await container.write('docker/config.json', `{"auths": {"${basic.host}/docker": {"auth": "${MARK}!"}`);
  await container.write('secrets/shop/pair/field', `${MARK} without a colon`);
  await container.write('secrets/shop/pull/.dockerconfigjson', `{"auths": "${MARK}"`);
  await container.write('etc/print', `#!/bin/sh\necho ${MARK}; echo ${MARK} >&2; exit 7\n`, 0o755);
  const run = await container.generate(application, {
    ...options,
    environment: { ...options.environment, MARKED: MARK },
  });
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toContain('CREDENTIAL_UNREADABLE');
  expect(await leaks(run)).toEqual([]);
});

test('a proxy with a password that does not answer', async () => {
  const application = await container.application(
    { 'app/api.yaml': deployment('behind.proxy.invalid/acme/api:1.0.0') },
    { parameters: [images('api=behind.proxy.invalid/acme/api:~1.0')] },
  );
  await container.write('docker/config.json', '{}');
  const run = await container.generate(application, options);
  expect(run).toMatchObject({ exitCode: 1, stdout: '' });
  expect(run.stderr).toContain('REGISTRY_UNAVAILABLE');
  expect(await leaks(run)).toEqual([]);
});

test('values and charts that cannot be read', async () => {
  const chart = { 'app/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 0.1.0\n' };
  const text = `password: ${MARK}\n bad: [`;
  const runs = [
    await container.generate(
      await container.application(chart, { parameters: [{ name: 'helm-values', string: text }] }),
      options,
    ),
    await container.generate(
      await container.application(
        { ...chart, 'app/values-prod.yaml': text },
        { parameters: [{ name: 'helm-value-files', array: ['values-prod.yaml'] }] },
      ),
      options,
    ),
    await container.generate(
      await container.application({
        'app/kustomization.yaml': `resources: ["https://user:${MARK}@git.invalid/x?token=${MARK}"]\n`,
      }),
      options,
    ),
    await container.generate(
      await container.application({
        'app/secret.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n  password: ${MARK}\n bad: [\n`,
      }),
      options,
    ),
  ];
  expect(runs.map(({ exitCode, stdout }) => ({ exitCode, stdout }))).toEqual(
    runs.map(() => ({ exitCode: 1, stdout: '' })),
  );
  expect(await leaks(...runs)).toEqual([]);
});

test('an operator configuration with a password in a URL', async () => {
  const registries = await container.write(
    'etc/registries.conf',
    `registries:\n- name: x\n  api_url: https://user:${MARK}@registry.invalid\n  prefix: registry.invalid\n`,
  );
  const application = await container.application({ 'app/api.yaml': deployment('ghcr.io/acme/api:1.0.0') });
  const runs = [];
  for (const configuration of [
    { registriesFile: registries },
    { registries: { hosts: [{ host: 'registry.invalid', apiUrl: `https://user:${MARK}@registry.invalid` }] } },
    { registries: { hosts: [{ host: `user:${MARK}@registry.invalid` }] } },
    { registries: { hosts: [{ host: 'registry.invalid', credentials: `${MARK}:x` }] } },
  ]) {
    await rm(container.state, { recursive: true, force: true });
    await container.configure(configuration);
    runs.push(await container.generate(application, options));
  }
  expect(runs.slice(0, 3).map(({ exitCode }) => exitCode)).toEqual([1, 1, 1]);
  expect(await leaks(...runs)).toEqual([]);
});
