import { expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';

const BEARER = { kind: 'bearer', realm: 'https://auth.docker.io/token', service: 'registry.docker.io' };

test.for([
  {
    name: 'Docker Hub: one Bearer challenge, its scope is not read',
    headers: [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:x:pull,push"',
    ],
    want: [BEARER],
  },
  {
    name: 'Forgejo: Bearer and Basic in one header',
    headers: [
      'Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*",Basic realm="Gitea Container Registry"',
    ],
    want: [
      { kind: 'bearer', realm: 'https://codeberg.org/v2/token', service: 'container_registry' },
      { kind: 'basic' },
    ],
  },
  {
    name: 'one challenge per header',
    headers: ['Basic realm="x"', 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
    want: [{ kind: 'basic' }, BEARER],
  },
  {
    name: 'commas, quotes and scheme names inside a quoted string are text',
    headers: [String.raw`Bearer realm="https://a/t?x=1,Basic",service="say \"hi\", Basic realm="`],
    want: [{ kind: 'bearer', realm: 'https://a/t?x=1,Basic', service: 'say "hi", Basic realm=' }],
  },
  {
    name: 'values without quotes, other letter case, spaces after commas',
    headers: ['BEARER Realm=https://auth.docker.io/token, Service=registry.docker.io'],
    want: [BEARER],
  },
  {
    name: 'a second realm in one challenge is ignored',
    headers: ['Bearer realm="https://a/",realm="https://b/"'],
    want: [{ kind: 'bearer', realm: 'https://a/' }],
  },
  {
    name: 'schemes nobody here can answer are left out',
    headers: ['Negotiate abc==, NTLM', 'Digest realm="x",qop="auth"'],
    want: [],
  },
  { name: 'a Bearer challenge without realm is left out', headers: ['Bearer service="x"'], want: [] },
  {
    name: 'a quote that never ends',
    headers: ['Bearer realm="https://a/'],
    want: [{ kind: 'bearer', realm: 'https://a/' }],
  },
  { name: 'nothing', headers: ['', ',,,', '="'], want: [] },
])('$name', ({ headers, want }) => {
  expect(parseChallenges(headers)).toEqual(want);
});
