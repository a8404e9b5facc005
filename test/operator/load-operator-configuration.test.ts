import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { describe, expect, test } from 'vitest';
import { configurationSchema } from '../../src/operator/configuration-schema.ts';
import { type FilePorts, systemFiles } from '../../src/operator/files.ts';
import { loadOperatorConfiguration } from '../../src/operator/load-operator-configuration.ts';
import { PRESET_HOSTS } from '../../src/operator/presets.ts';
import { operatorFolder } from './operator-files.ts';

const ports = { files: systemFiles };
const head = 'apiVersion: image-resolver.io/v1alpha1\nkind: ResolverConfiguration\n';

async function load(yaml: string, environment: Readonly<Record<string, string>> = {}) {
  const path = operatorFolder().write('config.yaml', head + yaml);
  return loadOperatorConfiguration({ IMAGE_RESOLVER_CONFIG: path, ...environment }, ports);
}

describe('loadOperatorConfiguration', () => {
  test('has a default for everything when there is no file', async () => {
    const nothing: FilePorts = { ...systemFiles, stamp: () => undefined, read: () => ({ kind: 'missing' }) };
    const configuration = await loadOperatorConfiguration({}, { files: nothing });
    expect(configuration).toMatchObject({
      intervalMs: 30_000,
      minimumIntervalMs: 30_000,
      budgetMs: 25_000,
      stateDirectory: '/var/lib/image-resolver',
      dockerConfig: '/etc/image-resolver/docker/config.json',
      secretsDirectory: '/etc/image-resolver/secrets',
      allowedHosts: PRESET_HOSTS,
      hosts: [],
      grants: [],
      rendering: { kustomizeBuildOptions: [], remoteHosts: ['*'], gitCredentials: false },
      unmatchedPolicy: { parameters: 'warn', file: 'error', annotations: 'error' },
      modes: [],
      controlPlaneNamespace: 'argocd',
      webhooks: [],
      refresh: { concurrency: 10, perRepository: 2, fullSyncProjects: [] },
    });
    expect(configuration).not.toHaveProperty('controller');
  });

  test('reads every key there is', async () => {
    const configuration = await load(`
interval: 1h30m
minimumInterval: 0s
budget: 1.5s
state: /state
dockerConfig: /docker/config.json
secretsDirectory: /secrets
controlPlaneNamespace: gitops
registries:
  allow: [presets, "*.example.com", "*"]
  hosts:
    - host: Registry.Example.com:5000
      prefix: /team-a/
      apiUrl: https://mirror.example.com/
      credentials: pullsecret:argocd/team-a
      credentialsExpire: 5h
      projects: [team-a, "a-*"]
      tokenHosts: [auth.example.com]
      caFile: /ca.pem
      insecure: true
      rateLimit: {requestsPerSecond: 5, concurrency: 2}
      pageSize: 50
      interval: 15m
    - {host: index.docker.io}
grants:
  - {projects: [team-b], credentials: ["pullsecret:team-b/*"], hosts: [ghcr.io/team-b/, r.example]}
credentialHelpers: {environment: [HOME], timeout: 3s}
rendering:
  kustomizeBuildOptions: "--enable-helm  --load-restrictor LoadRestrictionsNone"
  remoteSources: {hosts: []}
  gitCredentials: true
  helmRepositories: /helm/repositories.yaml
  helmRegistryConfig: /helm/registry.json
unmatchedPolicy: {file: warn}
modes:
  - {project: legacy-*, mode: observe}
controller: {url: "https://image-resolver.argocd.svc:8443", caFile: /controller-ca.pem}
webhooks:
  - {type: harbor, secret: "secret:argocd/webhooks#harbor", host: Harbor.example.com}
  - {type: quay, secret: env:QUAY_SECRET}
  - {type: generic, unauthenticated: true}
refresh: {concurrency: 4, perRepository: 1, fullSync: {projects: [payments-*]}}
`);
    expect(configuration).toEqual({
      intervalMs: 5_400_000,
      minimumIntervalMs: 0,
      budgetMs: 1500,
      stateDirectory: '/state',
      dockerConfig: '/docker/config.json',
      secretsDirectory: '/secrets',
      controlPlaneNamespace: 'gitops',
      allowedHosts: [...PRESET_HOSTS, '*.example.com', '*'],
      hosts: [
        {
          host: 'registry.example.com:5000',
          prefix: 'team-a/',
          apiUrl: 'https://mirror.example.com',
          credentials: 'pullsecret:argocd/team-a',
          credentialsExpireMs: 18_000_000,
          projects: ['team-a', 'a-*'],
          tokenHosts: ['auth.example.com'],
          caFile: '/ca.pem',
          insecure: true,
          isDefault: false,
          requestsPerSecond: 5,
          concurrency: 2,
          pageSize: 50,
          intervalMs: 900_000,
        },
        { host: 'docker.io', tokenHosts: [], insecure: false, isDefault: false },
      ],
      grants: [{ projects: ['team-b'], credentials: ['pullsecret:team-b/*'], hosts: ['ghcr.io/team-b/', 'r.example'] }],
      credentialHelpers: { environment: ['HOME'], timeoutMs: 3000 },
      rendering: {
        kustomizeBuildOptions: ['--enable-helm', '--load-restrictor', 'LoadRestrictionsNone'],
        remoteHosts: [],
        gitCredentials: true,
        helmRepositories: '/helm/repositories.yaml',
        helmRegistryConfig: '/helm/registry.json',
      },
      unmatchedPolicy: { parameters: 'warn', file: 'warn', annotations: 'error' },
      modes: [{ project: 'legacy-*', mode: 'observe' }],
      controller: { url: 'https://image-resolver.argocd.svc:8443', caFile: '/controller-ca.pem' },
      webhooks: [
        { type: 'harbor', secret: 'secret:argocd/webhooks#harbor', unauthenticated: false, host: 'harbor.example.com' },
        { type: 'quay', secret: 'env:QUAY_SECRET', unauthenticated: false },
        { type: 'generic', unauthenticated: true },
      ],
      refresh: { concurrency: 4, perRepository: 1, fullSyncProjects: ['payments-*'] },
    });
  });

  test('looks less often by default when there is a controller', async () => {
    const configuration = await load('controller: {url: "https://c:8443"}');
    expect(configuration.intervalMs).toBe(120_000);
  });

  test('takes interval, state and docker folder from the environment before the file', async () => {
    const configuration = await load('interval: 5m\nstate: /file\ndockerConfig: /file/d.json\n', {
      IMAGE_RESOLVER_INTERVAL: '0s',
      IMAGE_RESOLVER_STATE: '/environment',
      DOCKER_CONFIG: '/home/me/.docker',
    });
    expect(configuration).toMatchObject({
      intervalMs: 0,
      stateDirectory: '/environment',
      dockerConfig: '/home/me/.docker/config.json',
    });
  });

  test('takes an empty variable for one that is not set', async () => {
    const configuration = await load('interval: 5m', { IMAGE_RESOLVER_INTERVAL: '', IMAGE_RESOLVER_REGISTRIES: '' });
    expect(configuration.intervalMs).toBe(300_000);
  });

  test('puts registries.conf after the hosts of the file, and the environment names another', async () => {
    const folder = operatorFolder();
    const fromFile = folder.write(
      'file.conf',
      'registries: [{name: F, api_url: https://f.example, prefix: f.example}]',
    );
    const fromEnvironment = folder.write(
      'env.conf',
      'registries: [{name: E, api_url: https://e.example, prefix: e.example}]',
    );
    const yaml = `registriesFile: ${fromFile}\nregistries: {hosts: [{host: h.example}]}\n`;
    const hosts = async (environment: Readonly<Record<string, string>>) =>
      (await load(yaml, environment)).hosts.map(({ host }) => host);
    expect(await hosts({})).toEqual(['h.example', 'f.example']);
    expect(await hosts({ IMAGE_RESOLVER_REGISTRIES: fromEnvironment })).toEqual(['h.example', 'e.example']);
  });

  test.for([
    {
      name: 'an unknown key, naming the near one',
      yaml: 'intervall: 30s',
      at: '3:1',
      what: 'unknown key intervall',
      fix: 'did you mean interval?',
    },
    {
      name: 'an unknown key deep inside',
      yaml: 'registries:\n  hosts:\n    - host: a.b\n      prefx: x/',
      at: '6:7',
      what: 'unknown key registries.hosts[0].prefx',
      fix: 'did you mean prefix?',
    },
    {
      name: 'an unknown key that is near none',
      yaml: 'credentialHelpers: {zzz: 1}',
      at: '3:21',
      what: 'unknown key credentialHelpers.zzz',
      fix: 'remove it; known here: environment, timeout',
    },
    {
      name: 'a key of an object prototype',
      yaml: '__proto__: {x: 1}',
      at: '3:1',
      what: 'unknown key __proto__',
      fix: '',
    },
    {
      name: 'a missing key',
      yaml: 'grants: [{projects: [a], hosts: [b/c]}]',
      at: '3:10',
      what: 'grants[0].credentials is missing',
      fix: 'add credentials',
    },
    {
      name: 'a number for a duration',
      yaml: 'interval: 30',
      at: '3:1',
      what: 'interval must be text, and is 30',
      fix: '',
    },
    {
      name: 'a duration without unit',
      yaml: 'interval: "30"',
      at: '3:1',
      what: 'interval must be a duration with a unit',
      fix: '',
    },
    { name: 'a negative duration', yaml: 'interval: -30s', at: '3:1', what: 'interval must be a duration', fix: '' },
    {
      name: 'a budget of nothing',
      yaml: 'budget: 0m',
      at: '3:1',
      what: 'budget must be longer than nothing',
      fix: '25s',
    },
    { name: 'a relative path', yaml: 'state: here', at: '3:1', what: 'state must be an absolute path', fix: '' },
    {
      name: 'a webhook without a secret',
      yaml: 'webhooks:\n  - {type: harbor}',
      at: '4:5',
      what: 'webhooks[0] must have either a secret or unauthenticated: true',
      fix: 'secret:<namespace>/<name>#<field>',
    },
    {
      name: 'a webhook secret that holds more than one value',
      yaml: 'webhooks:\n  - {type: harbor, secret: "pullsecret:a/b"}',
      at: '4:20',
      what: 'webhooks[0].secret is no single value',
      fix: 'env:<NAME>',
    },
    {
      name: 'an unknown mode',
      yaml: 'modes:\n  - {mode: freez}',
      at: '4:6',
      what: 'modes[0].mode must be ("enforce" | "observe" | "freeze")',
      fix: '',
    },
    {
      name: 'a mode with a broken glob',
      yaml: 'modes:\n  - {repository: "ghcr.io/[", mode: freeze}',
      at: '4:6',
      what: 'modes[0].repository has a character class',
      fix: '',
    },
    {
      name: 'a host with a scheme',
      yaml: 'registries: {hosts: [{host: "https://ghcr.io"}]}',
      at: '3:23',
      what: 'registries.hosts[0].host is not a host name',
      fix: 'without https://',
    },
    {
      name: 'a prefix that climbs',
      yaml: 'registries: {hosts: [{host: a.b, prefix: x/../y}]}',
      at: '3:34',
      what: 'registries.hosts[0].prefix is not a repository path',
      fix: '',
    },
    {
      name: 'an API address with a password in it',
      yaml: 'registries: {hosts: [{host: a.b, apiUrl: "https://u:p@a.b"}]}',
      at: '3:34',
      what: 'registries.hosts[0].apiUrl must be an http or https URL',
      fix: '',
    },
    {
      name: 'a credential of no known kind',
      yaml: 'registries: {hosts: [{host: a.b, credentials: dockerhub-secret}]}',
      at: '3:34',
      what: 'is not the name of a credential',
      fix: 'pullsecret:<namespace>/<name>',
    },
    {
      name: 'an allowed host with a scheme',
      yaml: 'registries: {allow: [presets, "https://x"]}',
      at: '3:31',
      what: 'registries.allow[1] is not a host name',
      fix: '',
    },
    {
      name: 'a grant of what tenants can never name',
      yaml: 'grants: [{projects: [a], credentials: ["env:*"], hosts: [b/c]}]',
      at: '3:40',
      what: 'grants[0].credentials[0] is not a pattern',
      fix: '',
    },
    {
      name: 'a grant of everything',
      yaml: 'grants: [{projects: [a], credentials: ["*"], hosts: [b/c]}]',
      at: '3:40',
      what: 'grants[0].credentials[0] is not a pattern',
      fix: '',
    },
    {
      name: 'a grant of a bare secret for a host without saying how much of it',
      yaml: 'grants: [{projects: [a], credentials: ["secret:a/b#c"], hosts: [ghcr.io]}]',
      at: '3:65',
      what: 'names a host without a path',
      fix: 'write ghcr.io/<path>/, or ghcr.io/',
    },
    {
      name: 'a grant without hosts',
      yaml: 'grants: [{projects: [a], credentials: ["secret:a/b#c"], hosts: []}]',
      at: '3:57',
      what: 'grants[0].hosts must name a host',
      fix: '',
    },
    {
      name: 'build options that run programs',
      yaml: 'rendering: {kustomizeBuildOptions: "--enable-helm --enable-alpha-plugins"}',
      at: '3:13',
      what: 'has --enable-alpha-plugins',
      fix: 'remove',
    },
    {
      name: 'build options that write elsewhere',
      yaml: 'rendering: {kustomizeBuildOptions: "-o /tmp/x"}',
      at: '3:13',
      what: 'has -o',
      fix: 'remove',
    },
    {
      name: 'a controller without https or http',
      yaml: 'controller: {url: "unix:///x"}',
      at: '3:14',
      what: 'controller.url must be an http or https URL',
      fix: '',
    },
    {
      name: 'YAML that is broken',
      yaml: 'interval: "30s',
      at: '3:',
      what: 'the file is not valid YAML',
      fix: 'correct the YAML',
    },
    {
      name: 'a key given twice',
      yaml: 'interval: 30s\ninterval: 40s',
      at: '4:1',
      what: 'Map keys must be unique',
      fix: '',
    },
    { name: 'a second document', yaml: '---\nkind: x', at: '3:1', what: 'the file is not valid YAML', fix: '' },
    {
      name: 'aliases that unfold without end',
      yaml: `state: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e'].map((name, index) => `k${index}: &${name} [${`*${'abcd'[index]},`.repeat(9)}]`).join('\n')}`,
      at: '1:1',
      what: 'aliases',
      fix: '',
    },
  ])('refuses $name, with its place and a cure', async ({ yaml, at, what, fix }) => {
    const error: unknown = await load(yaml).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'OPERATOR_CONFIG_INVALID',
      message: expect.stringContaining(what) as string,
      where: expect.stringMatching(new RegExp(`/config\\.yaml:${at}`)) as string,
      fix: expect.stringContaining(fix) as string,
    });
  });

  test('quotes a long key and a long value in part', async () => {
    const long = 'x'.repeat(100_000);
    for (const yaml of [`${long}: 1`, `modes: [{mode: ${long}}]`]) {
      const error: unknown = await load(yaml).catch((reason: unknown) => reason);
      expect((error as Error).message.length).toBeLessThan(300);
    }
  });

  test.for([
    { name: 'empty', text: '', what: 'the file must be a map, and is empty' },
    { name: 'a list', text: '[]', what: 'apiVersion is missing' },
    {
      name: 'of another kind',
      text: 'apiVersion: v1\nkind: ConfigMap\n',
      what: 'apiVersion must be "image-resolver.io/v1alpha1"',
    },
  ])('refuses a file that is $name', async ({ text, what }) => {
    const path = operatorFolder().write('config.yaml', text);
    await expect(loadOperatorConfiguration({ IMAGE_RESOLVER_CONFIG: path }, ports)).rejects.toMatchObject({
      code: 'OPERATOR_CONFIG_INVALID',
      message: expect.stringContaining(what) as string,
    });
  });

  test('refuses an interval in the environment that is none', async () => {
    await expect(loadOperatorConfiguration({ IMAGE_RESOLVER_INTERVAL: 'soon' }, ports)).rejects.toMatchObject({
      code: 'OPERATOR_CONFIG_INVALID',
      where: 'environment variable IMAGE_RESOLVER_INTERVAL',
      fix: 'write a number with a unit: 30s, 2m, 1h30m',
    });
  });

  test.for([
    { name: 'a missing configuration', variable: 'IMAGE_RESOLVER_CONFIG', code: 'OPERATOR_CONFIG_INVALID' },
    { name: 'a missing registries.conf', variable: 'IMAGE_RESOLVER_REGISTRIES', code: 'REGISTRIES_CONF_INVALID' },
  ])('refuses $name that was named', async ({ variable, code }) => {
    const path = join(operatorFolder().path, 'absent');
    await expect(loadOperatorConfiguration({ [variable]: path }, ports)).rejects.toMatchObject({
      code,
      message: `the file, named by ${variable}, is not there`,
      where: path,
    });
  });

  test('refuses a folder where a file should be', async () => {
    const { path } = operatorFolder();
    await expect(loadOperatorConfiguration({ IMAGE_RESOLVER_CONFIG: path }, ports)).rejects.toMatchObject({
      message: 'the file, named by IMAGE_RESOLVER_CONFIG, is a directory',
    });
  });
});

test('the schema of the configuration file can be published as JSON Schema', () => {
  const schema = toJsonSchema(configurationSchema);
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false, required: ['apiVersion', 'kind'] });
  expect(schema.properties).toHaveProperty('controller');
});
