import { describe, expect, test } from 'vitest';
import { parseRegistriesConf } from '../../src/operator/registries-conf.ts';

const parse = (text: string) => parseRegistriesConf(text, 'registries.conf');
const plain = { tokenHosts: [], insecure: false, isDefault: false };

describe('parseRegistriesConf', () => {
  test('reads every key that argocd-image-updater has, with its YAML 1.1 booleans', () => {
    const text = `
registries:
  - name: Docker Hub
    api_url: https://registry-1.docker.io
    prefix: docker.io
    ping: yes
    defaultns: library
    default: true
    credentials: pullsecret:argocd/dockerhub-credentials
  - name: ECR
    api_url: https://123456789012.dkr.ecr.us-west-2.amazonaws.com/
    prefix: 123456789012.dkr.ecr.us-west-2.amazonaws.com
    ping: off
    insecure: no
    credentials: ext:/scripts/login.sh
    credsexpire: 10h
    limit: 15
    tagsortmode: latest-first
  - name: Own
    api_url: http://registry.local:5000
    prefix: registry.local:5000/team
    insecure: yes
    ca_file: /app/config/certs/ca.pem
    ca_data: |
      -----BEGIN CERTIFICATE-----
`;
    expect(parse(text)).toEqual([
      {
        ...plain,
        host: 'docker.io',
        apiUrl: 'https://registry-1.docker.io',
        credentials: 'pullsecret:argocd/dockerhub-credentials',
        defaultNamespace: 'library',
        isDefault: true,
      },
      {
        ...plain,
        host: '123456789012.dkr.ecr.us-west-2.amazonaws.com',
        apiUrl: 'https://123456789012.dkr.ecr.us-west-2.amazonaws.com',
        credentials: 'ext:/scripts/login.sh',
        credentialsExpireMs: 36_000_000,
        requestsPerSecond: 15,
        tagSortMode: 'latest-first',
      },
      {
        ...plain,
        host: 'registry.local:5000',
        prefix: 'team/',
        apiUrl: 'http://registry.local:5000',
        insecure: true,
        caFile: '/app/config/certs/ca.pem',
        caData: '-----BEGIN CERTIFICATE-----\n',
      },
    ]);
  });

  test.for([
    { name: "Docker Hub's API", apiUrl: 'https://registry-1.docker.io', host: 'docker.io' },
    { name: 'another API', apiUrl: 'https://Registry.example.com:5000/path', host: 'registry.example.com:5000' },
  ])('takes the host of $name where there is no prefix', ({ apiUrl, host }) => {
    expect(parse(`registries: [{name: x, api_url: "${apiUrl}"}]`)[0]?.host).toBe(host);
  });

  test.for([
    { name: 'an empty prefix, credential and sort mode', more: "prefix: '', credentials: '', tagsortmode: ''" },
    { name: 'sort mode none', more: 'tagsortmode: None' },
    { name: 'a limit of 0, which is no limit there', more: 'limit: 0' },
  ])('takes $name as not given', ({ more }) => {
    expect(parse(`registries: [{name: x, api_url: "https://a.b", ${more}}]`)).toEqual([
      { ...plain, host: 'a.b', apiUrl: 'https://a.b' },
    ]);
  });

  test.for([
    {
      name: 'an unknown key, naming the near one',
      text: 'registries:\n- {name: x, api_url: "https://a.b", credential: "env:X"}',
      at: '2:37',
      what: 'unknown key registries[0].credential',
      fix: 'did you mean credentials?',
    },
    { name: 'an unknown key at the top', text: 'registry: []\n', at: '1:1', what: 'registries is missing', fix: '' },
    {
      name: 'a registry without name',
      text: 'registries: [{api_url: "https://a.b"}]',
      at: '1:14',
      what: 'registries[0].name is missing',
      fix: 'add name',
    },
    {
      name: 'a registry without API address',
      text: 'registries: [{name: x}]',
      at: '1:14',
      what: 'registries[0].api_url is missing',
      fix: 'add api_url',
    },
    {
      name: 'an API address that is none',
      text: 'registries: [{name: x, api_url: a.b}]',
      at: '1:24',
      what: 'registries[0].api_url must be',
      fix: '',
    },
    {
      name: 'a credential without kind',
      text: 'registries: [{name: x, api_url: "https://a.b", credentials: image-update-secret}]',
      at: '1:48',
      what: 'registries[0].credentials is not the name of a credential',
      fix: '',
    },
    {
      name: 'a lifetime without unit',
      text: 'registries: [{name: x, api_url: "https://a.b", credsexpire: "10"}]',
      at: '1:48',
      what: 'registries[0].credsexpire is not a duration',
      fix: '30s, 2m, 1h30m',
    },
    {
      name: 'a boolean that is none',
      text: 'registries: [{name: x, api_url: "https://a.b", insecure: maybe}]',
      at: '1:48',
      what: 'registries[0].insecure must be true or false',
      fix: '',
    },
    {
      name: 'a limit that is no number',
      text: 'registries: [{name: x, api_url: "https://a.b", limit: 1.5}]',
      at: '1:48',
      what: 'registries[0].limit must be a whole number',
      fix: '',
    },
    {
      name: 'an unknown sort mode',
      text: 'registries: [{name: x, api_url: "https://a.b", tagsortmode: latest}]',
      at: '1:48',
      what: 'is not a sort mode',
      fix: 'latest-first',
    },
    {
      name: 'a prefix that is an address',
      text: 'registries: [{name: x, api_url: "https://a.b", prefix: "https://a.b"}]',
      at: '1:48',
      what: 'registries[0].prefix is not a host name',
      fix: '',
    },
    {
      name: 'two defaults',
      text: 'registries:\n- {name: x, api_url: "https://a.b", default: true}\n- {name: y, api_url: "https://c.d", default: true}',
      at: '3:37',
      what: 'is set for a second registry',
      fix: 'keep one default',
    },
    {
      name: 'two entries for one prefix',
      text: 'registries:\n- {name: x, api_url: "https://a.b", prefix: docker.io}\n- {name: y, api_url: "https://c.d", prefix: index.docker.io}',
      at: '3:3',
      what: 'is for docker.io/, which has an entry already',
      fix: 'keep one',
    },
    {
      name: 'a ConfigMap around it',
      text: 'apiVersion: v1\nkind: ConfigMap\ndata: {registries.conf: ""}',
      at: '1:1',
      what: 'registries is missing',
      fix: '',
    },
  ])('refuses $name', ({ text, at, what, fix }) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        code: 'REGISTRIES_CONF_INVALID',
        message: expect.stringContaining(what) as string,
        where: `registries.conf:${at}`,
        fix: expect.stringContaining(fix) as string,
      }) as Error,
    );
  });
});
