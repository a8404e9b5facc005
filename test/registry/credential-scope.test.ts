import { expect, test } from 'vitest';
import { belongsToRegistry } from '../../src/registry/credential-scope.ts';
import { accessTo } from './client-under-test.ts';

const endpoint = (apiUrl: string, insecure = false, tokenHosts: readonly string[] = []) =>
  accessTo(apiUrl, { endpoint: { insecure, tokenHosts } }).endpoint;

test.for([
  { name: 'its own host', api: 'https://r.example.com', realm: 'https://r.example.com/token' },
  { name: 'its own address and port', api: 'https://10.0.0.1:5000', realm: 'https://10.0.0.1:5000/token' },
  {
    name: 'another host of its registrable domain',
    api: 'https://r.example.co.uk',
    realm: 'https://auth.x.example.co.uk/token',
  },
  { name: 'another port of its own name', api: 'https://r.example.com:5000', realm: 'https://r.example.com:5001/auth' },
  { name: "Docker Hub's token server", api: 'https://registry-1.docker.io', realm: 'https://auth.docker.io/token' },
  {
    name: "Docker Hub's token server, from its other name",
    api: 'https://registry.hub.docker.com',
    realm: 'https://auth.docker.io/token',
  },
  { name: "GitLab's token server", api: 'https://registry.gitlab.com', realm: 'https://gitlab.com/jwt/auth' },
])('a credential may go to $name', async ({ api, realm }) => {
  expect(await belongsToRegistry(endpoint(api), new URL(realm))).toBe(true);
});

test.for([
  { name: 'another domain', api: 'https://r.example.com', realm: 'https://evil.example.net/token' },
  {
    name: 'a domain that only ends like its own',
    api: 'https://r.example.com',
    realm: 'https://evilexample.com/token',
  },
  { name: 'a neighbour under a public suffix', api: 'https://r.co.uk', realm: 'https://evil.co.uk/token' },
  { name: 'a neighbour under a private suffix', api: 'https://me.github.io', realm: 'https://evil.github.io/token' },
  {
    name: 'a neighbour under no listed suffix',
    api: 'https://r.ns.svc.cluster.local',
    realm: 'https://evil.ns.svc.cluster.local/',
  },
  { name: 'an address', api: 'https://r.example.com', realm: 'https://93.184.216.34/token' },
  { name: 'another port of an address', api: 'https://10.0.0.1:5000', realm: 'https://10.0.0.1:5001/token' },
  { name: 'an address with the same ending', api: 'https://10.0.0.1', realm: 'https://11.0.0.1/token' },
  { name: 'its own host by plain http', api: 'https://r.example.com', realm: 'http://r.example.com/token' },
  {
    name: 'a host that names itself like ours in front',
    api: 'https://r.example.com',
    realm: 'https://r.example.com@evil.net/token',
  },
  { name: 'no http URL', api: 'https://r.example.com', realm: 'ftp://r.example.com/token' },
])('a credential may not go to $name', async ({ api, realm }) => {
  expect(await belongsToRegistry(endpoint(api), new URL(realm))).toBe(false);
});

test('the operator can name a token host, with its port when it has one', async () => {
  const named = endpoint('https://r.example.com', false, ['auth.example.net', '10.0.0.2:5001']);
  const allowed = [
    'https://auth.example.net/t',
    'https://10.0.0.2:5001/t',
    'https://auth.example.net:444/t',
    'http://auth.example.net/t',
  ];
  expect(await Promise.all(allowed.map((realm) => belongsToRegistry(named, new URL(realm))))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('plain http goes with insecure only', async () => {
  const insecure = endpoint('http://r.example.com', true);
  expect(await belongsToRegistry(insecure, new URL('http://r.example.com/token'))).toBe(true);
});
