import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ConfigurationFile } from '../../src/operator/configuration-file.ts';
import { parseRegistriesConf } from '../../src/operator/registries-conf.ts';
import type { AccessAnswer } from '../../src/registry/access.ts';
import {
  dockerConfig,
  granted,
  operatorsWorld,
  type OperatorsWorld,
  repository,
  sentFor,
} from './credential-fixture.ts';

type Hosts = NonNullable<NonNullable<ConfigurationFile['registries']>['hosts']>;
const ask = (world: OperatorsWorld, name: string, file: Partial<ConfigurationFile> = {}): AccessAnswer =>
  world.broker(file).accessFor(repository(name), { application: 'app', project: 'team' });
const codeOf = (answer: AccessAnswer): string => (answer.kind === 'refused' ? answer.error.code : 'granted');

describe('which hosts are allowed', () => {
  test.for([
    { name: 'a preset', host: 'ghcr.io', want: 'granted' },
    { name: 'a preset pattern', host: 'eu-docker.pkg.dev', want: 'granted' },
    { name: 'another host', host: 'registry.example.com', want: 'HOST_NOT_ALLOWED' },
    { name: 'another port of a preset', host: 'ghcr.io:8443', want: 'HOST_NOT_ALLOWED' },
    { name: 'a host that ends like a preset', host: 'x.ghcr.io', want: 'HOST_NOT_ALLOWED' },
    { name: 'a loopback address', host: '127.0.0.1:5000', want: 'HOST_NOT_ALLOWED' },
    { name: 'a metadata address', host: '169.254.169.254', want: 'HOST_NOT_ALLOWED' },
    {
      name: 'a host that is configured',
      host: 'registry.example.com',
      hosts: [{ host: 'registry.example.com' }],
      want: 'granted',
    },
    {
      name: 'another port of a host that is configured',
      host: 'registry.example.com:444',
      hosts: [{ host: 'registry.example.com' }],
      want: 'HOST_NOT_ALLOWED',
    },
    {
      name: 'a host that is configured for another path',
      host: 'registry.example.com',
      hosts: [{ host: 'registry.example.com', prefix: 'x/' }],
      want: 'granted',
    },
    { name: 'a host of the docker configuration', host: 'docker.example.com', want: 'granted' },
    {
      name: 'a host of the docker configuration, named there for another path',
      host: 'path.example.com',
      want: 'granted',
    },
    { name: 'a preset that the operator took away', host: 'ghcr.io', allow: ['quay.io'], want: 'HOST_NOT_ALLOWED' },
    { name: 'any host when the operator says so', host: 'anything.example', allow: ['*'], want: 'granted' },
  ])('$name: $want', ({ host, hosts, allow, want }) => {
    const world = operatorsWorld();
    world.write(
      'docker.json',
      dockerConfig({ 'https://docker.example.com/v1/': 'a:b', 'path.example.com/team': 'a:b' }),
    );
    const registries = { ...(hosts && { hosts }), ...(allow && { allow }) };
    expect(codeOf(ask(world, `${host}/a/b`, { registries }))).toBe(want);
  });

  test.for([
    { name: 'a host that is configured', host: 'registry.example.com', want: true },
    { name: 'a host of the docker configuration', host: 'docker.example.com', want: false },
    { name: 'a host that is allowed only', host: 'ghcr.io', want: false },
  ])('$name may have a private address: $want', ({ host, want }) => {
    const world = operatorsWorld();
    world.write('docker.json', dockerConfig({ 'docker.example.com': 'a:b' }));
    const file = { registries: { hosts: [{ host: 'registry.example.com', prefix: 'x/' }] } };
    expect(granted(ask(world, `${host}/a`, file)).endpoint.privateAddressAllowed).toBe(want);
  });

  test('a refused host is told with the setting that allows it', () => {
    expect(ask(operatorsWorld(), 'evil.example/a')).toEqual({
      kind: 'refused',
      error: {
        code: 'HOST_NOT_ALLOWED',
        what: 'the registry evil.example is not one that the operator allows',
        where: 'image evil.example/a',
        fix: 'use an allowed registry, or have the operator add evil.example to registries.hosts or registries.allow',
      },
    });
  });
});

describe('how a host is talked to', () => {
  const endpoint = (name: string, hosts: Hosts = []) =>
    granted(ask(operatorsWorld(), name, { registries: { hosts } })).endpoint;

  test.for([
    {
      name: 'docker.io/library/nginx',
      want: { apiUrl: 'https://registry-1.docker.io', requestsPerSecond: 10, pageSize: 1000 },
    },
    { name: 'quay.io/a/b', want: { apiUrl: 'https://quay.io', requestsPerSecond: 20, pageSize: 100 } },
    {
      name: 'ghcr.io/a/b',
      want: {
        apiUrl: 'https://ghcr.io',
        requestsPerSecond: 20,
        pageSize: 1000,
        concurrency: 10,
        insecure: false,
        tokenHosts: [],
      },
    },
  ])('has defaults for $name', ({ name, want }) => {
    expect(endpoint(name)).toMatchObject(want);
  });

  test('takes everything the operator wrote', () => {
    const world = operatorsWorld();
    const caFile = world.write('ca.pem', '-----BEGIN CERTIFICATE-----\n');
    const hosts = [
      {
        host: 'r.example:5000',
        apiUrl: 'https://api.example',
        caFile,
        tokenHosts: ['auth.example'],
        rateLimit: { requestsPerSecond: 3, concurrency: 2 },
        pageSize: 7,
        interval: '15m',
      },
    ];
    expect(granted(ask(world, 'r.example:5000/a', { registries: { hosts } })).endpoint).toEqual({
      apiUrl: 'https://api.example',
      host: 'r.example:5000',
      id: `https://api.example ca=${caFile}`,
      insecure: false,
      ca: '-----BEGIN CERTIFICATE-----\n',
      privateAddressAllowed: true,
      tokenHosts: ['auth.example'],
      requestsPerSecond: 3,
      concurrency: 2,
      pageSize: 7,
      intervalMs: 900_000,
    });
  });

  test('takes plain http as insecure, and that is part of its identity', () => {
    expect(endpoint('r.example/a', [{ host: 'r.example', apiUrl: 'http://r.example' }])).toMatchObject({
      insecure: true,
      id: 'http://r.example insecure',
    });
  });

  test('uses the entry with the longest prefix, that is open to the caller before one that is not', () => {
    const hosts = [
      { host: 'r.example', pageSize: 1 },
      { host: 'r.example', prefix: 'a/', pageSize: 2 },
      { host: 'r.example', prefix: 'a/b/', pageSize: 3, projects: ['other'] },
      { host: 'r.example', prefix: 'ab', pageSize: 4 },
    ];
    expect(endpoint('r.example/a/b/c', hosts).pageSize).toBe(2);
    expect(endpoint('r.example/abc', hosts).pageSize).toBe(1);
  });

  test('uses an entry for other projects where there is no other: how a host is reached is no secret, its credential is', async () => {
    const world = operatorsWorld();
    const hosts = [
      { host: 'r.example', apiUrl: 'https://api.example', credentials: 'pullsecret:a/b', projects: ['other'] },
    ];
    const { endpoint: found, credential } = granted(ask(world, 'r.example/a', { registries: { hosts } }));
    expect([found.apiUrl, credential.id]).toEqual(['https://api.example', 'anonymous']);
  });

  test('trusts the certificates that are in the file now, and finds the entry of the longest prefix each time', async () => {
    const world = operatorsWorld();
    const caFile = world.write('ca.pem', '-----BEGIN CERTIFICATE-----\nold');
    const broker = world.broker({
      registries: {
        hosts: [
          { host: 'r.example', apiUrl: 'https://all.example' },
          { host: 'r.example', prefix: 'private/', caFile },
        ],
      },
    });
    const endpointOf = (name: string): unknown =>
      granted(broker.accessFor(repository(name), { application: 'app', project: 'team' })).endpoint;
    expect(endpointOf('r.example/private/a')).toMatchObject({ ca: '-----BEGIN CERTIFICATE-----\nold' });
    expect(endpointOf('r.example/public/a')).toMatchObject({ apiUrl: 'https://all.example' });
    world.write('ca.pem', '-----BEGIN CERTIFICATE-----\nnew');
    // What is asked at one go sees files as they were when it began.
    await Promise.resolve();
    expect(endpointOf('r.example/private/a')).toMatchObject({ ca: '-----BEGIN CERTIFICATE-----\nnew' });
    expect(endpointOf('r.example/public/a')).toMatchObject({ apiUrl: 'https://all.example' });
  });

  test.for([
    { name: 'missing', text: undefined, what: 'cannot be read: the file is not there' },
    { name: 'no certificates', text: 'hello', what: 'are not PEM' },
  ])('refuses to go on when the CA file is $name', ({ text, what }) => {
    const world = operatorsWorld();
    const caFile = join(world.path, 'ca.pem');
    if (text !== undefined) world.write('ca.pem', text);
    expect(ask(world, 'r.example/a', { registries: { hosts: [{ host: 'r.example', caFile }] } })).toMatchObject({
      kind: 'refused',
      error: { code: 'OPERATOR_CONFIG_INVALID', what: expect.stringContaining(what) as string },
    });
  });

  test('takes registries.conf after the hosts of the configuration', () => {
    const conf = `registries:
- {name: Own, api_url: "http://registry.local:5000", prefix: registry.local, insecure: yes, limit: 7, tagsortmode: latest-last, defaultns: base, ca_data: "-----BEGIN CERTIFICATE-----"}
- {name: Other, api_url: "https://mirror.example", prefix: ghcr.io}`;
    const world = operatorsWorld();
    const broker = world.broker(
      { registries: { hosts: [{ host: 'ghcr.io', pageSize: 5 }] } },
      { registriesConf: parseRegistriesConf(conf, 'registries.conf') },
    );
    const own = granted(broker.accessFor(repository('registry.local/nginx'), { application: '' }));
    expect(own.endpoint).toMatchObject({
      apiUrl: 'http://registry.local:5000',
      insecure: true,
      requestsPerSecond: 7,
      tagSortMode: 'latest-last',
      ca: '-----BEGIN CERTIFICATE-----',
    });
    expect(own.endpoint.id).toMatch(/^http:\/\/registry.local:5000 insecure ca=sha256:[0-9a-f]{64}$/);
    expect(own.repository).toEqual({ host: 'registry.local', path: 'base/nginx', name: 'registry.local/base/nginx' });
    const both = granted(broker.accessFor(repository('ghcr.io/a/b'), { application: '' }));
    expect(both.endpoint).toMatchObject({ apiUrl: 'https://ghcr.io', pageSize: 5 });
  });
});

/** Secrets of several teams; what is sent names the secret. */
function worldOfTeams(): OperatorsWorld {
  const world = operatorsWorld();
  for (const [namespace, name] of [
    ['argocd', 'all'],
    ['argocd', 'team-a'],
    ['argocd', 'deep'],
    ['team-a', 'own'],
    ['team-b', 'own'],
  ] as const) {
    world.write(
      `secrets/${namespace}/${name}/.dockerconfigjson`,
      dockerConfig({ 'r.example': `${namespace}/${name}:pw`, 'ghcr.io': `${namespace}/${name}:pw` }),
    );
    world.write(`secrets/${namespace}/${name}/creds`, `${namespace}/${name}:pw`);
  }
  return world;
}

describe("which of the operator's credentials is used", () => {
  const hosts: Hosts = [
    { host: 'r.example', credentials: 'pullsecret:argocd/all', projects: ['team-*', 'shop'] },
    { host: 'r.example', prefix: 'team-a/', credentials: 'pullsecret:argocd/team-a', projects: ['team-a'] },
    { host: 'r.example', prefix: 'team-a/deep', credentials: 'pullsecret:argocd/deep' },
    { host: 'r.example', prefix: 'slow', pageSize: 10 },
  ];
  test.for([
    { name: 'that of the host', of: 'r.example/x', project: 'shop', want: 'argocd/all:pw' },
    { name: 'that of a project by glob', of: 'r.example/x', project: 'team-b', want: 'argocd/all:pw' },
    { name: 'that of the longest prefix', of: 'r.example/team-a/x', project: 'team-a', want: 'argocd/team-a:pw' },
    {
      name: 'the shorter one where the longer is for others',
      of: 'r.example/team-a/x',
      project: 'team-b',
      want: 'argocd/all:pw',
    },
    {
      name: 'one that is open to all, for all',
      of: 'r.example/team-a/deep/x',
      project: 'stranger',
      want: 'argocd/deep:pw',
    },
    { name: 'the prefix ending at a slash', of: 'r.example/team-a/deeper', project: 'stranger', want: 'docker:pw' },
    {
      name: "the docker configuration's for a project without one",
      of: 'r.example/x',
      project: 'stranger',
      want: 'docker:pw',
    },
    {
      name: "the docker configuration's for a caller without a project",
      of: 'r.example/x',
      project: undefined,
      want: 'docker:pw',
    },
    { name: "the docker configuration's for an empty project", of: 'r.example/x', project: '', want: 'docker:pw' },
    {
      name: 'one that is open to all, for a caller without a project',
      of: 'r.example/team-a/deep',
      project: undefined,
      want: 'argocd/deep:pw',
    },
    {
      name: 'past an entry that only sets the page size',
      of: 'r.example/slow/x',
      project: 'shop',
      want: 'argocd/all:pw',
    },
    { name: 'none where there is none', of: 'quay.io/a/b', project: 'shop', want: 'anonymous' },
  ])('$name', async ({ of, project, want }) => {
    const world = worldOfTeams();
    world.write('docker.json', dockerConfig({ 'r.example': 'docker:pw' }));
    expect(await sentFor(world.broker({ registries: { hosts } }), of, project === undefined ? {} : { project })).toBe(
      want,
    );
  });

  test('projects of "*" still need a project', async () => {
    const broker = worldOfTeams().broker({
      registries: { hosts: [{ host: 'r.example', credentials: 'pullsecret:argocd/all', projects: ['*'] }] },
    });
    expect(await sentFor(broker, 'r.example/x')).toBe('anonymous');
    expect(await sentFor(broker, 'r.example/x', { project: '' })).toBe('anonymous');
    expect(await sentFor(broker, 'r.example/x', { project: 'any' })).toBe('argocd/all:pw');
  });

  test('who asks for the very same again gets what it may have by now, and not what another got', async () => {
    const world = worldOfTeams();
    world.write('docker.json', dockerConfig({ 'r.example': 'docker:pw' }));
    const broker = world.broker({
      registries: { hosts: [{ host: 'r.example', credentials: 'pullsecret:argocd/all', projects: ['shop'] }] },
      grants: [{ projects: ['team-a'], credentials: ['pullsecret:team-a/*'], hosts: ['r.example'] }],
    });
    const same = repository('r.example/x');
    const idFor = (project: string, wish?: string): string => {
      const answer = broker.accessFor(same, { application: 'app', project }, wish);
      return answer.kind === 'granted' ? answer.access.credential.id : answer.error.code;
    };
    const docker = `docker-config:${join(world.path, 'docker.json')}#r.example`;
    for (const _ of [1, 2]) {
      expect(idFor('shop')).toBe('pullsecret:argocd/all');
      expect(idFor('team-a')).toBe(docker);
      expect(idFor('team-a', 'pullsecret:team-a/own')).toBe('pullsecret:team-a/own');
      expect(idFor('team-b', 'pullsecret:team-a/own')).toBe(docker);
    }
    expect(idFor('team-a')).toBe(docker);
    rmSync(join(world.path, 'docker.json'));
    // Files are looked at once in a turn.
    await Promise.resolve();
    expect(idFor('team-a')).toBe('anonymous');
  });

  test('does not try another when the one that is bound is unreadable', async () => {
    const world = worldOfTeams();
    world.write('docker.json', dockerConfig({ 'r.example': 'docker:pw' }));
    const broker = world.broker({
      registries: { hosts: [{ host: 'r.example', credentials: 'pullsecret:argocd/absent' }] },
    });
    await expect(sentFor(broker, 'r.example/x')).rejects.toMatchObject({ code: 'CREDENTIAL_UNREADABLE' });
  });
});

describe('what a tenant may name', () => {
  const grants: NonNullable<ConfigurationFile['grants']> = [
    { projects: ['team-a'], credentials: ['pullsecret:team-a/*'], hosts: ['ghcr.io/team-a/', 'r.example'] },
    { projects: ['team-?'], credentials: ['secret:team-a/own#creds'], hosts: ['ghcr.io/shared/'] },
  ];
  test.for([
    {
      name: 'granted by project, credential and path',
      of: 'ghcr.io/team-a/x',
      project: 'team-a',
      wish: 'pullsecret:team-a/own',
      want: 'team-a/own:pw',
    },
    {
      name: 'granted for a whole host',
      of: 'r.example/anything',
      project: 'team-a',
      wish: 'pullsecret:team-a/own',
      want: 'team-a/own:pw',
    },
    {
      name: 'granted to a project by glob',
      of: 'ghcr.io/shared/x',
      project: 'team-b',
      wish: 'secret:team-a/own#creds',
      want: 'team-a/own:pw',
    },
    {
      name: 'another project',
      of: 'ghcr.io/team-a/x',
      project: 'team-b',
      wish: 'pullsecret:team-a/own',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: 'no project',
      of: 'ghcr.io/team-a/x',
      project: undefined,
      wish: 'pullsecret:team-a/own',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: 'another credential',
      of: 'ghcr.io/team-a/x',
      project: 'team-a',
      wish: 'pullsecret:team-b/own',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: 'a field that is not granted',
      of: 'ghcr.io/shared/x',
      project: 'team-a',
      wish: 'secret:team-a/own#other',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: 'a secret where a pull secret is granted',
      of: 'ghcr.io/team-a/x',
      project: 'team-a',
      wish: 'secret:team-a/own#creds',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: "an attacker's path",
      of: 'ghcr.io/evil/x',
      project: 'team-a',
      wish: 'pullsecret:team-a/own',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: 'a path that begins like the granted one',
      of: 'ghcr.io/team-ab/x',
      project: 'team-a',
      wish: 'pullsecret:team-a/own',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: "an attacker's host",
      of: 'quay.io/team-a/x',
      project: 'team-a',
      wish: 'pullsecret:team-a/own',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    {
      name: 'a variable of the resolver',
      of: 'r.example/x',
      project: 'team-a',
      wish: 'env:PATH',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    { name: 'a program', of: 'r.example/x', project: 'team-a', wish: 'ext:/bin/env', want: 'CREDENTIAL_NOT_GRANTED' },
    {
      name: 'a way out of the secrets folder',
      of: 'r.example/x',
      project: 'team-a',
      wish: 'pullsecret:team-a/../argocd/all',
      want: 'CREDENTIAL_NOT_GRANTED',
    },
    { name: 'nothing', of: 'r.example/x', project: 'team-a', wish: '', want: 'CREDENTIAL_NOT_GRANTED' },
  ])('$name: $want', async ({ of, project, wish, want }) => {
    const broker = worldOfTeams().broker({ grants, registries: { allow: ['presets', 'r.example'] } });
    const who = { application: 'app', ...(project !== undefined && { project }) };
    const answer = broker.accessFor(repository(of), who, wish);
    const got =
      answer.kind === 'refused'
        ? answer.error.code
        : await sentFor(broker, of, { wish, ...(project !== undefined && { project }) });
    expect(got).toBe(want);
  });

  test('an ungranted name is answered alike whether the secret exists or not', () => {
    const broker = worldOfTeams().broker({ grants });
    const asked = (wish: string) =>
      broker.accessFor(repository('ghcr.io/team-a/x'), { application: 'app', project: 'team-b' }, wish);
    const there = JSON.stringify(asked('pullsecret:team-b/own'));
    const absent = JSON.stringify(asked('pullsecret:team-b/not'));
    expect(there.replace('team-b/own', 'NAME')).toBe(absent.replace('team-b/not', 'NAME'));
    expect(there).toContain('CREDENTIAL_NOT_GRANTED');
  });

  test('a long or hostile name is shown short and quoted', () => {
    const answer = worldOfTeams()
      .broker()
      .accessFor(repository('ghcr.io/a/b'), { application: '' }, `pullsecret:"\n${'x'.repeat(10_000)}`);
    expect(answer.kind === 'refused' && answer.error.what.length).toBeLessThan(400);
    expect(answer.kind === 'refused' && answer.error.what).toContain(String.raw`pullsecret:\"\nxxx`);
  });

  describe("where the operator's own credential covers the registry", () => {
    const own = { registries: { hosts: [{ host: 'r.example', credentials: 'pullsecret:argocd/all' }] } };
    const who = { application: 'app', project: 'team-b' };

    test.for(['pullsecret:team-a/own', 'pullsecret:no/such'])('%s is replaced by it, with a notice', (wish) => {
      const answer = worldOfTeams().broker(own).accessFor(repository('r.example/x'), who, wish);
      expect(answer).toMatchObject({
        kind: 'granted',
        noticeWishReplaced: true,
        access: { credential: { id: 'pullsecret:argocd/all' } },
      });
    });

    test('naming just that one gives no notice', () => {
      const answer = worldOfTeams().broker(own).accessFor(repository('r.example/x'), who, 'pullsecret:argocd/all');
      expect(answer).toMatchObject({ kind: 'granted', access: { credential: { id: 'pullsecret:argocd/all' } } });
      expect(answer).not.toHaveProperty('noticeWishReplaced');
    });

    test('a program or variable is refused all the same', () => {
      for (const wish of ['env:HOME', 'ext:/bin/true']) {
        expect(codeOf(worldOfTeams().broker(own).accessFor(repository('r.example/x'), who, wish))).toBe(
          'CREDENTIAL_NOT_GRANTED',
        );
      }
    });

    test('one that is for other projects covers nothing', () => {
      const closed = {
        registries: { hosts: [{ ...own.registries.hosts[0], host: 'r.example', projects: ['team-a'] }] },
      };
      expect(
        codeOf(worldOfTeams().broker(closed).accessFor(repository('r.example/x'), who, 'pullsecret:team-a/own')),
      ).toBe('CREDENTIAL_NOT_GRANTED');
    });

    test('an entry of the docker configuration covers, a store that is asked for every registry does not', () => {
      const world = worldOfTeams();
      world.write('docker.json', JSON.stringify({ auths: { 'ghcr.io': {} }, credsStore: 'mine' }));
      const asked = (name: string) => world.broker().accessFor(repository(name), who, 'pullsecret:team-a/own');
      expect(asked('ghcr.io/x')).toMatchObject({ kind: 'granted', noticeWishReplaced: true });
      expect(codeOf(asked('quay.io/x'))).toBe('CREDENTIAL_NOT_GRANTED');
    });
  });
});

describe('who may see an answer', () => {
  const hosts: Hosts = [
    { host: 'r.example', credentials: 'pullsecret:team-a/own', projects: ['team-a'] },
    { host: 'r.example', credentials: 'pullsecret:team-b/own', projects: ['team-b', 'team-c'] },
  ];
  const scopeFor = (
    project: string | undefined,
    name = 'r.example/x',
    file: Partial<ConfigurationFile> = { registries: { hosts } },
  ) =>
    granted(
      worldOfTeams()
        .broker(file)
        .accessFor(repository(name), { application: 'app', ...(project !== undefined && { project }) }),
    ).scope;

  test('A and B, whose rights select different credentials, never share', () => {
    const scopes = [scopeFor('team-a'), scopeFor('team-b'), scopeFor(undefined)];
    expect(new Set(scopes).size).toBe(3);
  });

  test('projects whose rights select the same credential do share', () => {
    expect(scopeFor('team-b')).toBe(scopeFor('team-c'));
  });

  test('everybody who is anonymous shares', () => {
    expect(scopeFor('x')).toBe(scopeFor(undefined));
  });

  test('names endpoint and credential, so the same secret at another API is another scope', () => {
    expect(scopeFor('team-a')).toBe('https://r.example as pullsecret:team-a/own');
    const elsewhere = {
      registries: {
        hosts: [{ host: 'r.example', apiUrl: 'https://other.example', credentials: 'pullsecret:team-a/own' }],
      },
    };
    expect(scopeFor('team-a', 'r.example/x', elsewhere)).toBe('https://other.example as pullsecret:team-a/own');
  });

  test('is the same over renewals of the secret, and for a secret that is named or attached', () => {
    const world = worldOfTeams();
    const broker = world.broker({
      registries: { hosts },
      grants: [{ projects: ['*'], credentials: ['pullsecret:team-a/own'], hosts: ['r.example'] }],
    });
    const before = granted(broker.accessFor(repository('r.example/x'), { application: '', project: 'team-a' })).scope;
    world.write('secrets/team-a/own/.dockerconfigjson', dockerConfig({ 'r.example': 'new:pw' }));
    expect(granted(broker.accessFor(repository('r.example/x'), { application: '', project: 'team-a' })).scope).toBe(
      before,
    );
    expect(
      granted(
        broker.accessFor(repository('r.example/x'), { application: '', project: 'team-z' }, 'pullsecret:team-a/own'),
      ).scope,
    ).toBe(before);
  });

  test('of the docker configuration is the entry, and of a helper its name and server', () => {
    const world = operatorsWorld();
    world.write(
      'docker.json',
      JSON.stringify({
        auths: { 'ghcr.io': { auth: 'YTpi' }, 'ghcr.io/b': { auth: 'YTpi' } },
        credHelpers: { 'quay.io': 'mine' },
      }),
    );
    const scope = (name: string) => granted(ask(world, name)).scope;
    expect(scope('ghcr.io/a/x')).toBe(`https://ghcr.io as docker-config:${world.path}/docker.json#ghcr.io`);
    expect(scope('ghcr.io/b/x')).toBe(`https://ghcr.io as docker-config:${world.path}/docker.json#ghcr.io/b`);
    expect(scope('quay.io/a/x')).toBe('https://quay.io as helper:mine#quay.io');
  });
});
