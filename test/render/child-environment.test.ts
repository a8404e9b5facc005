import { expect, test } from 'vitest';
import { childEnvironment } from '../../src/render/child-environment.ts';
import { run } from './render-checkout.ts';

const parent = {
  PATH: process.env['PATH'] ?? '',
  HTTPS_PROXY: 'http://proxy.example.com:3128',
  SSL_CERT_FILE: '/etc/ca.pem',
  HOME: '/home/argocd',
  KUBECONFIG: '/secret/kubeconfig',
  AWS_SECRET_ACCESS_KEY: 'canary-1',
  IMAGE_RESOLVER_CONFIG: 'canary-2',
  ARGOCD_APP_PARAMETERS: 'canary-3',
  ARGOCD_ENV_X: 'canary-4',
  PARAM_X: 'canary-5',
  GIT_ASKPASS: 'canary-6',
  GIT_SSH_COMMAND: 'canary-7',
  GIT_CONFIG_PARAMETERS: 'canary-8',
  LD_PRELOAD: 'canary-9',
  NODE_OPTIONS: 'canary-10',
  HELM_PLUGINS: 'canary-11',
};

test('only what a renderer needs is passed on, everything else is fresh', () => {
  const env = childEnvironment({ parent, temporary: '/tmp/w', gitCredentials: false });
  expect(JSON.stringify(env)).not.toContain('canary');
  expect(env).toMatchObject({
    HTTPS_PROXY: 'http://proxy.example.com:3128',
    SSL_CERT_FILE: '/etc/ca.pem',
    HOME: '/tmp/w/home',
    TMPDIR: '/tmp/w/tmp',
    KUBECONFIG: '/dev/null',
    GOGC: '200',
    HELM_PLUGINS: '/tmp/w/home/helm/plugins',
  });
});

test('git credentials are passed on only when the operator says so', () => {
  const env = childEnvironment({ parent, temporary: '/tmp/w', gitCredentials: true });
  expect(env).toMatchObject({ GIT_ASKPASS: 'canary-6', GIT_SSH_COMMAND: 'canary-7' });
  expect(JSON.stringify(env)).not.toMatch(/canary-(?![67])/);
});

test('a build variable cannot stand in for a setting of ours', () => {
  const env = childEnvironment({
    parent,
    temporary: '/tmp/w',
    gitCredentials: false,
    variables: { ARGOCD_APP_NAME: 'shop', PATH: '/evil', KUBECONFIG: '/evil', SSL_CERT_DIR: '/build' },
  });
  expect(env).toMatchObject({ ARGOCD_APP_NAME: 'shop', PATH: parent.PATH, KUBECONFIG: '/dev/null' });
});

test.for(['file:///tmp', 'ext::sh -c id', 'http://127.0.0.1:1/x', 'git://127.0.0.1:1/x'])(
  'git itself refuses %s in that environment',
  async (url) => {
    const env = childEnvironment({ parent: { PATH: process.env['PATH'] }, temporary: '/tmp/w', gitCredentials: false });
    await expect(run('git', ['ls-remote', url], { env })).rejects.toMatchObject({
      stderr: expect.stringContaining('not allowed') as string,
    });
  },
);

test('the last of two git settings wins', async () => {
  const env = childEnvironment({
    parent: { PATH: process.env['PATH'] },
    temporary: '/tmp/w',
    gitCredentials: false,
    gitConfig: [['protocol.file.allow', 'user']],
  });
  const { stdout } = await run('git', ['config', '--get', 'protocol.file.allow'], { env });
  expect(stdout).toBe('user\n');
});
