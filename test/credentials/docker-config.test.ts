import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bestKey,
  parseDockerAuth,
  parseDockerConfig,
  parseUserAndPassword,
} from '../../src/credentials/docker-config.ts';

const canary = 'c4n4ry-p4ssw0rd';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('parseDockerConfig', () => {
  test('reads entries, helpers and the store', () => {
    const config = parseDockerConfig(
      JSON.stringify({
        auths: { 'ghcr.io': { auth: base64('u:p') } },
        credHelpers: { 'gcr.io': 'gcloud' },
        credsStore: 'secretservice',
        HttpHeaders: {},
      }),
    );
    expect(config).toEqual({
      ok: true,
      value: {
        auths: new Map([['ghcr.io', { auth: base64('u:p') }]]),
        helpers: new Map([['gcr.io', 'gcloud']]),
        store: 'secretservice',
      },
    });
  });

  test('reads a .dockercfg, and takes other settings for no registry', () => {
    const config = parseDockerConfig(
      JSON.stringify({ 'ghcr.io': { username: 'u', password: 'p' }, plugins: { x: 1 }, psFormat: 'y' }),
    );
    expect(config.ok && [...config.value.auths.keys()]).toEqual(['ghcr.io']);
  });

  test.for([
    { name: 'is empty', text: '', problem: 'is not valid JSON' },
    {
      name: 'breaks off',
      text: `{"auths":\n {"a": {"auth": "${canary}"`,
      problem: 'is not valid JSON at line 2, column 34',
    },
    { name: 'has a stray value', text: `{"auths": ${canary}}`, problem: 'is not valid JSON' },
    { name: 'is a list', text: '[]', problem: 'is not a JSON object' },
    { name: 'has auths that are a text', text: `{"auths": "${canary}"}`, problem: 'has auths that are not an object' },
    {
      name: 'has a helper with a path',
      text: '{"credHelpers": {"a.b": "../x"}}',
      problem: 'has credHelpers that are not names',
    },
    {
      name: 'has a helper with an option',
      text: '{"credHelpers": {"a.b": "x --y"}}',
      problem: 'has credHelpers that are not names',
    },
    {
      name: 'has a store that is an object',
      text: '{"credsStore": {}}',
      problem: 'has a credsStore that is not the name',
    },
    {
      name: 'has a store that begins like an option',
      text: '{"credsStore": "-x"}',
      problem: 'has a credsStore that is not the name',
    },
  ])('refuses a file that $name, without quoting it', ({ text, problem }) => {
    const config = parseDockerConfig(text);
    expect(config).toMatchObject({ ok: false, problem: expect.stringContaining(problem) as string });
    expect(JSON.stringify(config)).not.toContain(canary);
  });

  test('never quotes what it cannot parse', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const text = `${before}${canary}${after}`;
        expect(JSON.stringify(parseDockerConfig(text))).not.toContain('c4n4ry-p');
      }),
    );
  });
});

describe('bestKey', () => {
  test.for([
    { name: 'finds a host', keys: ['ghcr.io'], of: 'ghcr.io/acme/api', want: 'ghcr.io' },
    { name: 'finds a host in a URL', keys: ['https://ghcr.io/'], of: 'ghcr.io/acme/api', want: 'https://ghcr.io/' },
    {
      name: 'finds a host in an http URL with API version',
      keys: ['http://r.example:5000/v2/'],
      of: 'r.example:5000/a',
      want: 'http://r.example:5000/v2/',
    },
    {
      name: "finds Docker Hub by Kubernetes' URL",
      keys: ['https://index.docker.io/v1/'],
      of: 'docker.io/library/nginx',
      want: 'https://index.docker.io/v1/',
    },
    {
      name: "finds Docker Hub by argocd-image-updater's URL",
      keys: ['https://registry-1.docker.io'],
      of: 'docker.io/library/nginx',
      want: 'https://registry-1.docker.io',
    },
    {
      name: 'takes the first of two names of Docker Hub',
      keys: ['https://index.docker.io/v1/', 'https://registry-1.docker.io'],
      of: 'docker.io/a/b',
      want: 'https://index.docker.io/v1/',
    },
    {
      name: 'takes the longest path',
      keys: ['ghcr.io', 'ghcr.io/acme', 'ghcr.io/acme/api', 'ghcr.io/ac'],
      of: 'ghcr.io/acme/api',
      want: 'ghcr.io/acme/api',
    },
    { name: 'ends a path at a slash', keys: ['ghcr.io/org'], of: 'ghcr.io/organization/x', want: undefined },
    {
      name: 'does not take a host for its subdomain',
      keys: ['example.com'],
      of: 'registry.example.com/x',
      want: undefined,
    },
    { name: 'does not take the port for another', keys: ['r.example:5000'], of: 'r.example/x', want: undefined },
    { name: 'takes a pattern for one label', keys: ['*.example.com'], of: 'r.example.com/x', want: '*.example.com' },
    {
      name: 'takes a host before a pattern with a longer path',
      keys: ['*.example.com/team', 'r.example.com'],
      of: 'r.example.com/team/x',
      want: 'r.example.com',
    },
    { name: 'does not take * for every host', keys: ['*'], of: 'r.example.com/x', want: undefined },
    {
      name: 'is not misled by userinfo',
      keys: ['https://ghcr.io@evil.example', 'https://u:p@ghcr.io'],
      of: 'ghcr.io/x',
      want: undefined,
    },
    { name: 'reads hosts without regard to case', keys: ['GHCR.io'], of: 'ghcr.io/x', want: 'GHCR.io' },
  ])('$name', ({ keys, of, want }) => {
    const [host = '', ...path] = of.split('/');
    expect(bestKey(keys, { host, path: path.join('/') })).toBe(want);
  });
});

describe('parseDockerAuth', () => {
  test.for([
    { name: 'auth', entry: { auth: base64('bob:p:w') }, want: ['bob', 'p:w'] },
    { name: 'auth without padding', entry: { auth: base64('bob:pw').replace(/=+$/, '') }, want: ['bob', 'pw'] },
    {
      name: 'auth with line breaks',
      entry: { auth: `${base64('bob:pw').slice(0, 4)}\n${base64('bob:pw').slice(4)}\n` },
      want: ['bob', 'pw'],
    },
    { name: 'auth with letters beyond ASCII', entry: { auth: base64('bob:pässwört') }, want: ['bob', 'pässwört'] },
    { name: 'username and password', entry: { username: 'bob', password: 'pw' }, want: ['bob', 'pw'] },
    { name: 'auth before username', entry: { auth: base64('a:b'), username: 'bob', password: 'pw' }, want: ['a', 'b'] },
    { name: 'username when auth is empty', entry: { auth: '', username: 'bob', password: 'pw' }, want: ['bob', 'pw'] },
  ])('reads $name', ({ entry, want }) => {
    const auth = parseDockerAuth(entry);
    expect(auth.ok && auth.value.kind === 'basic' && [auth.value.username, auth.value.password.reveal()]).toEqual(want);
  });

  test.for([
    {
      name: 'identitytoken before auth',
      entry: { auth: base64('a:b'), identitytoken: 'idt' },
      kind: 'identity-token',
      token: 'idt',
    },
    {
      name: 'registrytoken before identitytoken',
      entry: { registrytoken: 'rt', identitytoken: 'idt' },
      kind: 'registry-token',
      token: 'rt',
    },
  ])('reads $name', ({ entry, kind, token }) => {
    const auth = parseDockerAuth(entry);
    expect(auth).toMatchObject({ ok: true, value: { kind } });
    expect(auth.ok && 'token' in auth.value && auth.value.token.reveal()).toBe(token);
  });

  test.for([{}, { auth: '' }, { email: 'a@b' }, { auth: null }])('takes %j for empty', (entry) => {
    expect(parseDockerAuth(entry)).toEqual({ ok: true, value: { kind: 'empty' } });
  });

  test.for([
    { name: 'a text', entry: canary, problem: 'is not an object' },
    {
      name: 'auth that is no base64',
      entry: { auth: `${canary}!` },
      problem: 'has an auth that is not base64 of username:password',
    },
    {
      name: 'auth without colon',
      entry: { auth: base64(canary) },
      problem: 'has an auth that is not base64 of username:password',
    },
    {
      name: 'a password that is a number',
      entry: { username: 'a', password: 5 },
      problem: 'has a password that is not a string',
    },
    {
      name: 'a registrytoken that would be two headers',
      entry: { registrytoken: `${canary}\r\nX-Evil: 1` },
      problem: 'has a registrytoken with characters',
    },
  ])('refuses $name, without quoting it', ({ entry, problem }) => {
    const auth = parseDockerAuth(entry);
    expect(auth).toMatchObject({ ok: false, problem: expect.stringContaining(problem) as string });
    expect(JSON.stringify(auth)).not.toContain(canary);
  });
});

describe('parseUserAndPassword', () => {
  test.for([
    { text: 'bob:pw\n', want: ['bob', 'pw'] },
    { text: 'bob:pw\r\n', want: ['bob', 'pw'] },
    { text: 'bob:a:b', want: ['bob', 'a:b'] },
    { text: 'bob: pw ', want: ['bob', ' pw '] },
    { text: 'bob:', want: ['bob', ''] },
    { text: ':pw', want: undefined },
    { text: 'bob', want: undefined },
    { text: '', want: undefined },
    { text: 'bob:p\nw', want: undefined },
  ])('reads $text as $want', ({ text, want }) => {
    const auth = parseUserAndPassword(text);
    expect(auth && [auth.username, auth.password.reveal()]).toEqual(want);
  });
});
