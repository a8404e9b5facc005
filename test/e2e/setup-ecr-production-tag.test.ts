// Plain YAML whose image is one mutable tag, `production`, in a registry with short-lived passwords for the user AWS.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startRealRegistry, type RealRegistry } from '../support/real-registry.ts';
import { deployment, plainHttp, startArgoCd, type Application, type ArgoCd } from './argo-cd.ts';

let registry: RealRegistry;

beforeAll(async () => {
  registry = await startRealRegistry({ auth: { kind: 'htpasswd', users: { AWS: 'first-password' } } });
  for (const tag of ['staging', 'production-old', '7f3c9a1']) {
    await registry.pushImage({ repository: 'gitops-praq', tag, created: '2026-05-01T00:00:00Z' });
  }
});
afterAll(async () => {
  await registry.stop();
});

const repository = (): string => `${registry.host}/gitops-praq`;

function application(settings: Readonly<Record<string, string>> = {}): Application {
  return {
    name: 'gitops-praq-prod',
    path: 'k8s/production',
    files: {
      'k8s/production/deployment.yaml': deployment('gitops-praq', { app: `${repository()}:production` }),
      'k8s/production/service.yaml':
        'apiVersion: v1\nkind: Service\nmetadata:\n  name: gitops-praq\nspec:\n  ports: [{port: 80}]\n',
    },
    parameters: [
      { name: 'images', array: [`app=${repository()}`] },
      {
        name: 'image-settings',
        map: {
          'argocd-image-updater.argoproj.io/app.image-tag-filter': '^production$',
          'argocd-image-updater.argoproj.io/app.update-strategy': 'latest',
          'argocd-image-updater.argoproj.io/write-back-method': 'application',
          ...settings,
        },
      },
    ],
  };
}

/** What CI does: the same tag, another image. It may be older: `production` can be re-pointed to roll back. */
async function release(content: string, created: string): Promise<object> {
  const { digest } = await registry.pushImage({ repository: 'gitops-praq', tag: 'production', content, created });
  return { 'Deployment/gitops-praq/app': `${repository()}:production@${digest}` };
}

const SCRIPT = `#!/bin/sh
printf 'AWS:%s' "$(cat "{{operator}}/password")"
`;

describe.for([
  {
    credentials: 'a docker config',
    host: {},
    files: (password: string) => ({
      'docker/config.json': JSON.stringify({
        auths: { [registry.host]: { auth: Buffer.from(`AWS:${password}`).toString('base64') } },
      }),
    }),
  },
  {
    credentials: 'a script of the operator',
    host: { credentials: 'ext:{{operator}}/ecr-login.sh' },
    files: (password: string) => ({ 'ecr-login.sh': SCRIPT, password }),
  },
])('with $credentials', ({ host, files }) => {
  let argoCd: ArgoCd;
  beforeAll(async () => {
    argoCd = await startArgoCd({
      configuration: { registries: { hosts: [{ ...plainHttp(registry), ...host }] } },
      files: files('first-password'),
    });
  });
  beforeEach(async () => registry.setPassword('AWS', 'first-password'));
  afterAll(async () => argoCd[Symbol.asyncDispose]());

  test('a re-push of production rolls out by its digest, and so does a re-push of an older build', async () => {
    for (const [content, created] of [
      ['first', '2026-05-02T00:00:00Z'],
      ['second', '2026-05-03T00:00:00Z'],
      ['first', '2026-05-02T00:00:00Z'],
    ] as const) {
      const want = await release(content, created);
      expect(await argoCd.images(application())).toEqual(want);
    }
  });

  test('a password that expired is fetched anew, without a restart', async () => {
    const before = await release('before expiry', '2026-05-04T00:00:00Z');
    expect(await argoCd.images(application())).toEqual(before);
    await registry.setPassword('AWS', 'second-password');
    for (const [path, content] of Object.entries(files('second-password'))) await argoCd.write(path, content, 0o700);
    const after = await release('after expiry', '2026-05-05T00:00:00Z');
    expect(await argoCd.images(application())).toEqual(after);
    for (const [path, content] of Object.entries(files('first-password'))) await argoCd.write(path, content, 0o700);
  });

  test('with a poll interval the registry is left alone in between', async () => {
    const want = await release('polled', '2026-05-06T00:00:00Z');
    expect(await argoCd.images(application())).toEqual(want);
    const polled = application({ 'app.image-poll-interval': '5m' });
    expect(await argoCd.images(polled)).toEqual(want);
    await release('not seen yet', '2026-05-07T00:00:00Z');
    registry.clearRequests();
    expect(await argoCd.images(polled)).toEqual(want);
    expect(registry.requests).toEqual([]);
  });

  test('settings of the write-back are named once as without meaning', async () => {
    argoCd.warnings();
    await argoCd.generate(application());
    expect(argoCd.warnings().match(/SETTING_WITHOUT_MEANING/g)).toHaveLength(1);
  });
});
