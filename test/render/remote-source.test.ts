import { expect, test } from 'vitest';
import { checkRemote } from '../../src/render/remote-source.ts';

const anyPublic = { remoteHosts: ['*'] };

test.for(['deployment.yaml', '../base', './a b.yaml', 'name:with-colon.yaml', 'dir/https', '@scope/x', 'a@/b', ''])(
  '%s is local',
  (text) => {
    expect(checkRemote(text, anyPublic)).toStrictEqual({ kind: 'local' });
  },
);

test.for([
  { text: 'https://github.com/acme/bases//web?ref=v1', host: 'github.com' },
  { text: 'https://user:token@gitlab.com:8443/acme/bases.git', host: 'gitlab.com' },
  { text: 'HTTPS://Raw.GitHubUserContent.com/acme/x.yaml', host: 'raw.githubusercontent.com' },
  { text: 'git::https://github.com/acme/bases', host: 'github.com' },
  { text: 'git@github.com:acme/bases.git', host: 'github.com' },
  { text: 'github.com/acme/bases', host: 'github.com' },
  { text: 'ssh://git@bitbucket.org:22/acme/bases', host: 'bitbucket.org' },
  { text: 'oci://ghcr.io/acme/charts/web', host: 'ghcr.io' },
  { text: 'https://acme.github.io/charts', host: 'acme.github.io' },
])('$text comes from the public host $host', ({ text, host }) => {
  expect(checkRemote(text, anyPublic)).toMatchObject({ kind: 'remote-allowed', host, named: false });
});

test.for([
  'http://github.com/acme/bases',
  'git://github.com/acme/bases',
  'file:///etc/passwd',
  'file:etc/passwd',
  'https:/github.com/x',
  'https:github.com/x',
  'https:///etc',
  'git::ext::sh -c id',
  's3::https://s3.amazonaws.com/x',
  'https://127.0.0.1/x',
  'https://127.1/x',
  'https://2130706433/x',
  'https://0x7f000001/x',
  'https://0x7f.1/x',
  'https://017700000001/x',
  'https://1.2.3.4./x',
  'https://[::1]/x',
  'https://[::ffff:7f00:1]/x',
  'https://%31%32%37.0.0.1/x',
  'https://①②⑦.0.0.1/x',
  'https://localhost/x',
  'https://LocalHost./x',
  'https://a.localhost/x',
  'https://printer.local/x',
  'https://metadata.google.internal/computeMetadata',
  'https://router.home.arpa/x',
  'https://intranet/x',
  'https://redis.argocd/x',
  'https://redis.argocd.svc/x',
  'https://redis.argocd.svc.cluster.local/x',
  'https://github.com\\@127.0.0.1/x',
  'https://github.com#@127.0.0.1/x',
  'https://a@github.com@127.0.0.1/x',
  'https://github.com:443:80/x',
  'https://git hub.com/x',
  'https://github.com/x\n',
  ' https://127.0.0.1/x',
  'https://-github.com/x',
  'git@-oProxyCommand=id:x/y',
  'ssh://-oProxyCommand=id/x',
  'git@127.0.0.1:x/y',
  'git@internal-git:x/y',
])('%s is refused', (text) => {
  expect(checkRemote(text, anyPublic).kind).toBe('refused');
});

test.for([
  { globs: ['github.com'], host: 'github.com', allowed: true },
  { globs: ['GitHub.com'], host: 'github.com', allowed: true },
  { globs: ['github.com'], host: 'evil-github.com', allowed: false },
  { globs: ['github.com'], host: 'github.com.evil.example', allowed: false },
  { globs: ['*.example.com'], host: 'git.eu.example.com', allowed: true },
  { globs: ['*.example.com'], host: 'example.com', allowed: false },
  { globs: ['git-*.example.*'], host: 'git-1.example.org', allowed: true },
  { globs: ['a*a.example.com'], host: 'a.example.com', allowed: false },
  { globs: ['gitea.corp.lan'], host: 'gitea.corp.lan', allowed: true },
  { globs: ['gitea.corp.internal'], host: 'gitea.corp.internal', allowed: false },
  { globs: [], host: 'github.com', allowed: false },
])('with $globs, $host is allowed: $allowed', ({ globs, host, allowed }) => {
  const check = checkRemote(`https://${host}/acme/x`, { remoteHosts: globs });
  expect(check.kind).toBe(allowed ? 'remote-allowed' : 'refused');
});

test('a host that is named, not only covered by *, is told apart', () => {
  const check = checkRemote('https://github.com/acme/x', { remoteHosts: ['*', 'github.com'] });
  expect(check).toMatchObject({ kind: 'remote-allowed', named: true });
});
