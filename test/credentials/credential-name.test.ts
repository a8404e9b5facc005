import { expect, test } from 'vitest';
import { credentialId, parseCredentialName } from '../../src/operator/credential-name.ts';

test.for([
  {
    written: 'pullsecret:argocd/dockerhub-credentials',
    want: { kind: 'pullsecret', namespace: 'argocd', name: 'dockerhub-credentials' },
  },
  { written: 'secret:argocd/a.b#creds', want: { kind: 'secret', namespace: 'argocd', name: 'a.b', field: 'creds' } },
  {
    written: 'secret:argocd/a#.hidden_FIELD-1',
    want: { kind: 'secret', namespace: 'argocd', name: 'a', field: '.hidden_FIELD-1' },
  },
  { written: 'env:REGISTRY_SECRET', want: { kind: 'env', variable: 'REGISTRY_SECRET' } },
  { written: 'ext:/scripts/login.sh', want: { kind: 'ext', path: '/scripts/login.sh' } },
])('$written names a credential, and is its identity', ({ written, want }) => {
  const source = parseCredentialName(written);
  expect(source).toEqual({ ok: true, value: want });
  expect(source.ok && credentialId(source.value)).toBe(written);
});

test('the kind is read without regard to case, and has one spelling after that', () => {
  const source = parseCredentialName('PullSecret:a/b');
  expect(source.ok && credentialId(source.value)).toBe('pullsecret:a/b');
});

test.for([
  '',
  'dockerhub-secret',
  'pullsecret:',
  'pullsecret:name',
  'pullsecret:../name',
  'pullsecret:a/..',
  'pullsecret:a/../b',
  'pullsecret:a/b/c',
  'pullsecret:/b',
  'pullsecret:A/b',
  'pullsecret:a/b_c',
  'pullsecret:a/b#c',
  'pullsecret:a/.dockerconfigjson',
  'pullsecret:a.b/c',
  `pullsecret:${'a'.repeat(64)}/b`,
  'secret:a/b',
  'secret:a/b#',
  'secret:a/b#.',
  'secret:a/b#..',
  'secret:a/b#..data',
  'secret:a/b#../../x',
  'secret:a/b#c/d',
  'secret:a/b#c\u0000',
  'env:',
  'env:A-B',
  'env:A=B',
  'ext:',
  'ext:login.sh',
  'ext:/a\u0000b',
  'vault:a/b',
])('"%s" names no credential', (written) => {
  expect(parseCredentialName(written)).toMatchObject({ ok: false, problem: 'is not the name of a credential' });
});
