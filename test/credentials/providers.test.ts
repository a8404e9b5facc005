import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  base64,
  dockerConfig,
  granted,
  operatorsWorld,
  patient,
  repository,
  sentFor,
  shown,
} from './credential-fixture.ts';

/** As `ps` shows it: `S` sleeps, `Z` is dead and waits to be reaped; empty when there is none. */
function stateOf(pid: string): string {
  return spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim();
}

const canary = 'c4n4ry-p4ssw0rd';
const withCredential = (credentials: string) => ({ registries: { hosts: [{ host: 'r.example', credentials }] } });

describe('docker configuration', () => {
  test('gives the entry of the registry, and nobody else one', async () => {
    const world = operatorsWorld();
    world.write('docker.json', dockerConfig({ 'ghcr.io': 'bob:pw' }));
    expect(await sentFor(world.broker(), 'ghcr.io/acme/api')).toBe('bob:pw');
    expect(await sentFor(world.broker(), 'quay.io/acme/api')).toBe('anonymous');
  });

  test.for(['https://index.docker.io/v1/', 'https://registry-1.docker.io'])('serves Docker Hub by %s', async (url) => {
    const world = operatorsWorld();
    world.write('docker.json', dockerConfig({ [url]: 'bob:pw' }));
    expect(await sentFor(world.broker(), 'docker.io/library/nginx')).toBe('bob:pw');
  });

  test('uses a rotated password for the next request, with a new generation', async () => {
    const world = operatorsWorld();
    world.write('docker.json', dockerConfig({ 'ghcr.io': 'bob:old' }));
    const { credential } = granted(world.broker().accessFor(repository('ghcr.io/a/b'), { application: '' }));
    const before = await credential.get({ fresh: false, signal: patient });
    world.write('docker.json', dockerConfig({ 'ghcr.io': 'bob:new' }));
    const after = await credential.get({ fresh: false, signal: patient });
    expect([shown(before), shown(after)]).toEqual(['bob:old', 'bob:new']);
    expect(after.generation).not.toBe(before.generation);
  });

  test('uses a file that comes later, and does without one that goes', async () => {
    const world = operatorsWorld();
    const broker = world.broker();
    expect(await sentFor(broker, 'ghcr.io/a/b')).toBe('anonymous');
    const file = world.write('docker.json', dockerConfig({ 'ghcr.io': 'bob:pw' }));
    expect(await sentFor(broker, 'ghcr.io/a/b')).toBe('bob:pw');
    rmSync(file);
    expect(await sentFor(broker, 'ghcr.io/a/b')).toBe('anonymous');
  });

  test('refuses every registry while the file is broken, rather than ask without credentials', () => {
    const world = operatorsWorld();
    world.write('docker.json', `{"auths": {"ghcr.io": {"auth": "${canary}"`);
    const answer = world.broker().accessFor(repository('ghcr.io/a/b'), { application: '' });
    expect(answer).toMatchObject({
      kind: 'refused',
      error: { code: 'DOCKER_CONFIG_INVALID', where: join(world.path, 'docker.json') },
    });
    expect(JSON.stringify(answer)).not.toContain(canary);
  });

  test('fails for the one registry whose entry is broken', async () => {
    const world = operatorsWorld();
    world.write(
      'docker.json',
      JSON.stringify({ auths: { 'ghcr.io': { auth: canary }, 'quay.io': { auth: base64('a:b') } } }),
    );
    expect(await sentFor(world.broker(), 'quay.io/a/b')).toBe('a:b');
    const failure: unknown = await sentFor(world.broker(), 'ghcr.io/a/b').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'DOCKER_CONFIG_INVALID',
      message: expect.stringContaining('an entry for ghcr.io that has an auth') as string,
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(canary);
  });
});

describe('docker credential helpers', () => {
  const answer = (user: string, secret: string) =>
    `printf '{"ServerURL":"x","Username":"%s","Secret":"%s"}' '${user}' '${secret}'`;

  test('asks the helper of the registry, with the server on standard input and no other argument', async () => {
    const world = operatorsWorld();
    world.write('docker.json', JSON.stringify({ credHelpers: { 'ghcr.io': 'mine' } }));
    world.program(
      'docker-credential-mine',
      `cat > "${world.path}/input"; echo "$#:$*" > "${world.path}/arguments"; ${answer('AWS', 'pw')}`,
    );
    expect(await sentFor(world.broker(), 'ghcr.io/a/b')).toBe('AWS:pw');
    expect(readFileSync(join(world.path, 'input'), 'utf8')).toBe('ghcr.io');
    expect(readFileSync(join(world.path, 'arguments'), 'utf8')).toBe('1:get\n');
  });

  test("asks for Docker Hub by docker's own name for it", async () => {
    const world = operatorsWorld();
    world.write('docker.json', JSON.stringify({ credsStore: 'mine' }));
    world.program('docker-credential-mine', `printf '{"Username":"u","Secret":"%s"}' "$(cat)"`);
    expect(await sentFor(world.broker(), 'docker.io/library/nginx')).toBe('u:https://index.docker.io/v1/');
  });

  test('asks the store by the key that docker wrote, where the entry is empty', async () => {
    const world = operatorsWorld();
    world.write(
      'docker.json',
      JSON.stringify({ auths: { 'https://ghcr.io': {}, 'quay.io': { auth: base64('a:b') } }, credsStore: 'mine' }),
    );
    world.program('docker-credential-mine', `printf '{"Username":"u","Secret":"%s"}' "$(cat)"`);
    expect(await sentFor(world.broker(), 'ghcr.io/a/b')).toBe('u:ghcr.io');
    expect(await sentFor(world.broker(), 'quay.io/a/b')).toBe('a:b');
  });

  test('takes the user <token> for an identity token', async () => {
    const world = operatorsWorld();
    world.write('docker.json', JSON.stringify({ credHelpers: { 'ghcr.io': 'mine' } }));
    world.program('docker-credential-mine', answer('<token>', 'idt'));
    expect(await sentFor(world.broker(), 'ghcr.io/a/b')).toBe('identity-token idt');
  });

  test('asks without credentials when the helper has none', async () => {
    const world = operatorsWorld();
    world.write('docker.json', JSON.stringify({ credsStore: 'mine' }));
    world.program('docker-credential-mine', 'echo "credentials not found in native keychain"; exit 1');
    expect(await sentFor(world.broker(), 'ghcr.io/a/b')).toBe('anonymous');
  });

  test.for([
    { name: 'is missing', lines: undefined, problem: 'needs a program that is not there' },
    { name: 'fails', lines: `echo ${canary}; echo ${canary} >&2; exit 3`, problem: 'ended with exit code 3' },
    { name: 'prints no JSON', lines: `echo ${canary}`, problem: 'prints JSON with Username and Secret' },
    {
      name: 'prints other JSON',
      lines: `echo '{"Username":5,"Secret":"${canary}"}'`,
      problem: 'prints JSON with Username and Secret',
    },
    { name: 'prints null', lines: 'echo null', problem: 'prints JSON with Username and Secret' },
    { name: 'prints without end', lines: `while :; do echo ${canary}; done`, problem: 'printed more than 64 KiB' },
    { name: 'hangs', lines: `echo ${canary}; sleep 600`, problem: 'did not end within 0.3 s' },
    { name: 'is killed', lines: 'kill -9 $$', problem: 'was stopped (SIGKILL)' },
  ])('fails when the helper $name, without quoting it', async ({ lines, problem }) => {
    const world = operatorsWorld();
    world.write('docker.json', JSON.stringify({ credHelpers: { 'ghcr.io': 'mine' } }));
    if (lines !== undefined) world.program('docker-credential-mine', lines);
    const timeout = problem.includes('0.3 s') ? '300ms' : '30s';
    const failure: unknown = await sentFor(world.broker({ credentialHelpers: { timeout } }), 'ghcr.io/a/b').catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
      message: expect.stringContaining(problem) as string,
      where: 'credential helper:mine#ghcr.io',
    });
    expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain(canary);
  });
});

/** Pipes and sockets of this process. */
function openPipes(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return /^(?:pipe|socket):/.test(target) ? [target] : [];
    } catch {
      return []; // the one that the folder was read by
    }
  });
}

describe('ext:', () => {
  test('keeps nothing open of a script that left a daemon behind', async () => {
    const world = operatorsWorld();
    const script = world.program('login.sh', `setsid sleep 60 & echo $! > "${world.path}/daemon"; echo user:password`);
    const before = new Set(openPipes());
    const file = { ...withCredential(`ext:${script}`), credentialHelpers: { timeout: '300ms' } };
    await expect(sentFor(world.broker(file), 'r.example/a')).rejects.toThrow('did not end within 0.3 s');
    try {
      await expect.poll(() => openPipes().filter((pipe) => !before.has(pipe))).toEqual([]);
    } finally {
      process.kill(Number(readFileSync(join(world.path, 'daemon'), 'utf8')));
    }
  });

  test('takes the credential that a script prints', async () => {
    const world = operatorsWorld();
    const script = world.program('login.sh', 'echo "AWS:pw:with:colons"');
    expect(await sentFor(world.broker(withCredential(`ext:${script}`)), 'r.example/a')).toBe('AWS:pw:with:colons');
  });

  test('hands on the listed variables and nothing else', async () => {
    vi.stubEnv('SECRET_OF_THE_PROCESS', canary);
    const world = operatorsWorld();
    const script = world.program('login.sh', `env > "${world.path}/environment"; echo "$#:x"`);
    const file = { ...withCredential(`ext:${script}`), credentialHelpers: { environment: ['AWS_REGION', 'NOT_SET'] } };
    const broker = world.broker(file, { environment: { AWS_REGION: 'eu', SECRET: canary, ARGOCD_APP_NAME: 'tenant' } });
    expect(await sentFor(broker, 'r.example/a')).toBe('0:x');
    const environment = readFileSync(join(world.path, 'environment'), 'utf8');
    expect(environment).toContain('AWS_REGION=eu\n');
    expect(environment).not.toMatch(/SECRET|ARGOCD|PATH=.*credentials-/);
  });

  const counting = (world: ReturnType<typeof operatorsWorld>, more = '') =>
    world.program('login.sh', `echo x >> "${world.path}/runs"; ${more} echo "u:$(wc -l < "${world.path}/runs")"`);
  const runs = (world: ReturnType<typeof operatorsWorld>) => readFileSync(join(world.path, 'runs'), 'utf8').length / 2;

  test('runs once until credsexpire has passed, for all repositories', async () => {
    const world = operatorsWorld();
    const script = counting(world);
    const broker = world.broker({
      registries: { hosts: [{ host: 'r.example', credentials: `ext:${script}`, credentialsExpire: '1m' }] },
    });
    expect(await sentFor(broker, 'r.example/a')).toBe('u:1');
    world.clock.now = 59_999;
    expect(await sentFor(broker, 'r.example/b')).toBe('u:1');
    world.clock.now = 60_000;
    expect(await sentFor(broker, 'r.example/b')).toBe('u:2');
  });

  test('runs again at once when the answer was refused, and only then has another generation', async () => {
    const world = operatorsWorld();
    const { credential } = granted(
      world.broker(withCredential(`ext:${counting(world)}`)).accessFor(repository('r.example/a'), { application: '' }),
    );
    const first = await credential.get({ fresh: false, signal: patient });
    const again = await credential.get({ fresh: false, signal: patient });
    const fresh = await credential.get({ fresh: true, signal: patient });
    expect([first, again, fresh].map(shown)).toEqual(['u:1', 'u:1', 'u:2']);
    expect(again.generation).toBe(first.generation);
    expect(fresh.generation).not.toBe(first.generation);
  });

  test('runs once for all who ask at the same time', async () => {
    const world = operatorsWorld();
    const broker = world.broker(withCredential(`ext:${counting(world, 'sleep 0.2;')}`));
    const answers = await Promise.all(['a', 'b', 'c'].map(async (path) => sentFor(broker, `r.example/${path}`)));
    expect(answers).toEqual(['u:1', 'u:1', 'u:1']);
    expect(runs(world)).toBe(1);
  });

  test('one caller who goes away does not take the answer from the others', async () => {
    const world = operatorsWorld();
    const broker = world.broker(withCredential(`ext:${counting(world, 'sleep 0.3;')}`));
    const { credential } = granted(broker.accessFor(repository('r.example/a'), { application: '' }));
    const leaving = new AbortController();
    const left = credential.get({ fresh: false, signal: leaving.signal });
    const stays = credential.get({ fresh: false, signal: patient });
    leaving.abort();
    await expect(left).rejects.toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
      message: expect.stringContaining('time for it had passed') as string,
    });
    expect(shown(await stays)).toBe('u:1');
  });

  test('the script and what it started end when the last caller goes away', async () => {
    const world = operatorsWorld();
    const pidFile = join(world.path, 'pid');
    const script = world.program(
      'login.sh',
      `sleep 600 & echo $! > "${pidFile}.new"; mv "${pidFile}.new" "${pidFile}"; wait`,
    );
    const broker = world.broker({ ...withCredential(`ext:${script}`), credentialHelpers: { timeout: '10m' } });
    const { credential } = granted(broker.accessFor(repository('r.example/a'), { application: '' }));
    const leaving = new AbortController();
    const left = credential.get({ fresh: false, signal: leaving.signal });
    await expect.poll(() => existsSync(pidFile), { timeout: 10_000 }).toBe(true);
    const started = readFileSync(pidFile, 'utf8').trim();
    expect(stateOf(started)).toMatch(/^[RSD]/);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'CREDENTIAL_UNREADABLE' });
    await expect.poll(() => stateOf(started), { timeout: 10_000 }).toMatch(/^Z|^$/);
  });

  test.for([
    { name: 'prints no pair', lines: `echo ${canary}`, problem: 'prints user:password on one line' },
    { name: 'prints two lines', lines: `echo u:${canary}; echo more`, problem: 'prints user:password on one line' },
    { name: 'prints nothing', lines: 'true', problem: 'prints user:password on one line' },
    { name: 'fails', lines: `echo u:${canary}; exit 1`, problem: 'ended with exit code 1' },
    { name: 'may not be executed', lines: undefined, problem: 'may not be executed' },
  ])('fails when the script $name, without quoting it', async ({ lines, problem }) => {
    const world = operatorsWorld();
    const script =
      lines === undefined ? world.write('bin/login.sh', '#!/bin/sh\n', 0o600) : world.program('login.sh', lines);
    const failure: unknown = await sentFor(world.broker(withCredential(`ext:${script}`)), 'r.example/a').catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
      message: expect.stringContaining(problem) as string,
    });
    expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain(canary);
  });
});

describe('env:', () => {
  test('takes the variable of the resolver', async () => {
    const broker = operatorsWorld().broker(withCredential('env:REGISTRY_SECRET'), {
      environment: { REGISTRY_SECRET: 'bob:p:w' },
    });
    expect(await sentFor(broker, 'r.example/a')).toBe('bob:p:w');
  });

  test.for([
    { name: 'is not set', environment: {}, problem: 'is not set' },
    { name: 'is empty', environment: { REGISTRY_SECRET: '' }, problem: 'is not set' },
    { name: 'has no colon', environment: { REGISTRY_SECRET: canary }, problem: 'is not of the form user:password' },
  ])('fails when the variable $name, without quoting it', async ({ environment, problem }) => {
    const broker = operatorsWorld().broker(withCredential('env:REGISTRY_SECRET'), { environment });
    const failure: unknown = await sentFor(broker, 'r.example/a').catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
      message: `the credential env:REGISTRY_SECRET ${problem}`,
    });
  });
});

describe('mounted secrets', () => {
  test.for([
    { key: '.dockerconfigjson', text: dockerConfig({ 'r.example': 'bob:pw' }) },
    { key: '.dockercfg', text: JSON.stringify({ 'r.example': { auth: base64('bob:pw') } }) },
    { key: 'config.json', text: dockerConfig({ 'r.example': 'bob:pw' }) },
  ])('takes a pull secret with $key', async ({ key, text }) => {
    const world = operatorsWorld();
    world.write(`secrets/argocd/pull/${key}`, text);
    expect(await sentFor(world.broker(withCredential('pullsecret:argocd/pull')), 'r.example/a')).toBe('bob:pw');
  });

  test('takes one field of a secret', async () => {
    const world = operatorsWorld();
    world.write('secrets/argocd/creds/registry', 'bob:pw\n');
    expect(await sentFor(world.broker(withCredential('secret:argocd/creds#registry')), 'r.example/a')).toBe('bob:pw');
  });

  test('follows the links of a Secret volume, and its renewal, without a restart', async () => {
    const world = operatorsWorld();
    const secret = join(world.path, 'secrets/argocd/creds');
    const renew = (version: string, pair: string) => {
      world.write(`secrets/argocd/creds/${version}/registry`, pair);
      symlinkSync(version, join(secret, '..data_tmp'));
      renameSync(join(secret, '..data_tmp'), join(secret, '..data'));
    };
    renew('..2026_01', 'bob:old');
    symlinkSync('..data/registry', join(secret, 'registry'));
    const { credential } = granted(
      world
        .broker(withCredential('secret:argocd/creds#registry'))
        .accessFor(repository('r.example/a'), { application: '' }),
    );
    const before = await credential.get({ fresh: false, signal: patient });
    renew('..2026_02', 'bob:new');
    const after = await credential.get({ fresh: false, signal: patient });
    expect([shown(before), shown(after)]).toEqual(['bob:old', 'bob:new']);
    expect(after.generation).not.toBe(before.generation);
  });

  test('has a generation that every process agrees on and that does not come from the value', async () => {
    const world = operatorsWorld();
    world.write('secrets/argocd/creds/registry', `bob:${canary}`);
    const generation = async () => {
      const { credential } = granted(
        world
          .broker(withCredential('secret:argocd/creds#registry'))
          .accessFor(repository('r.example/a'), { application: '' }),
      );
      return (await credential.get({ fresh: false, signal: patient })).generation;
    };
    expect(await generation()).toBe(await generation());
    expect(await generation()).not.toContain(canary);
  });

  test('has another generation when a pull secret is renewed', async () => {
    const world = operatorsWorld();
    const broker = world.broker(withCredential('pullsecret:argocd/pull'));
    const generations = new Set<string>();
    for (const pair of ['bob:old', 'bob:new']) {
      world.write('secrets/argocd/pull/.dockerconfigjson', dockerConfig({ 'r.example': pair }));
      const { credential } = granted(broker.accessFor(repository('r.example/a'), { application: '' }));
      generations.add((await credential.get({ fresh: false, signal: patient })).generation);
    }
    expect(generations.size).toBe(2);
  });

  test('finds the entry by the host of the API, as argocd-image-updater does', async () => {
    const world = operatorsWorld();
    world.write('secrets/argocd/pull/.dockerconfigjson', dockerConfig({ 'https://api.example': 'bob:pw' }));
    const file = {
      registries: {
        hosts: [{ host: 'r.example', apiUrl: 'https://api.example', credentials: 'pullsecret:argocd/pull' }],
      },
    };
    expect(await sentFor(world.broker(file), 'r.example/a')).toBe('bob:pw');
  });

  test.for([
    { name: 'is not there', write: undefined, credential: 'pullsecret:argocd/pull', problem: 'is not there' },
    {
      name: 'has no entry for the registry',
      write: ['pull/.dockerconfigjson', dockerConfig({ 'other.example': `u:${canary}` })],
      credential: 'pullsecret:argocd/pull',
      problem: 'has no entry for r.example',
    },
    {
      name: 'is not JSON',
      write: ['pull/.dockerconfigjson', `{${canary}`],
      credential: 'pullsecret:argocd/pull',
      problem: 'is not valid JSON',
    },
    {
      name: 'has an entry that is broken',
      write: ['pull/.dockerconfigjson', `{"auths":{"r.example":{"auth":"${canary}"}}}`],
      credential: 'pullsecret:argocd/pull',
      problem: 'has an entry for r.example that has an auth',
    },
    {
      name: 'has an empty entry',
      write: ['pull/.dockerconfigjson', '{"auths":{"r.example":{}}}'],
      credential: 'pullsecret:argocd/pull',
      problem: 'has an empty entry for r.example',
    },
    {
      name: 'names a program instead',
      write: ['pull/.dockerconfigjson', '{"credsStore":"mine","credHelpers":{"r.example":"mine"}}'],
      credential: 'pullsecret:argocd/pull',
      problem: 'has no entry for r.example',
    },
    {
      name: 'has no such field',
      write: ['pull/other', `u:${canary}`],
      credential: 'secret:argocd/pull#registry',
      problem: 'is not there (looked for registry)',
    },
    {
      name: 'has a field without colon',
      write: ['pull/registry', canary],
      credential: 'secret:argocd/pull#registry',
      problem: 'is not of the form user:password',
    },
  ])('fails when the secret $name, without quoting it', async ({ write, credential, problem }) => {
    const world = operatorsWorld();
    const [name, text] = write ?? [];
    if (name !== undefined && text !== undefined) world.write(`secrets/argocd/${name}`, text);
    const failure: unknown = await sentFor(world.broker(withCredential(credential)), 'r.example/a').catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'CREDENTIAL_UNREADABLE',
      message: expect.stringContaining(problem) as string,
      where: `credential ${credential}`,
    });
    expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain(canary);
  });

  test('fails when a folder or too much is where the secret should be', async () => {
    const world = operatorsWorld();
    mkdirSync(join(world.path, 'secrets/argocd/creds/folder'), { recursive: true });
    writeFileSync(join(world.path, 'secrets/argocd/creds/large'), Buffer.alloc(1024 * 1024 + 1, 97));
    await expect(
      sentFor(world.broker(withCredential('secret:argocd/creds#folder')), 'r.example/a'),
    ).rejects.toMatchObject({ message: expect.stringContaining('is a directory') as string });
    await expect(
      sentFor(world.broker(withCredential('secret:argocd/creds#large')), 'r.example/a'),
    ).rejects.toMatchObject({ message: expect.stringContaining('larger than 1 MiB') as string });
  });
});
