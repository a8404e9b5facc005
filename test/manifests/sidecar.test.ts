import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { argoCdSources } from '../support/argo-cd-module.ts';
import { buildTool } from '../tools/build.mjs';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}
interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly serviceAccountName: string;
  readonly shareProcessNamespace?: boolean;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly emptyDir?: object; readonly projected?: object }[];
}
interface Deployment {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

const manifests = resolve(import.meta.dirname, '../../manifests');
let folder: string;
let native: PodSpec;
let pod: PodSpec;
let sidecar: Container;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  const deployment = join(argoCdSources(), 'manifests/base/repo-server/argocd-repo-server-deployment.yaml');
  cpSync(deployment, join(folder, 'deployment.yaml'));
  const component = relative(folder, join(manifests, 'sidecar'));
  writeFileSync(join(folder, 'kustomization.yaml'), `resources: [deployment.yaml]\ncomponents: [${component}]\n`);
  const kustomize = await buildTool('kustomize');
  const rendered = execFileSync(kustomize, ['build', '--load-restrictor', 'LoadRestrictionsNone', folder], {
    encoding: 'utf8',
  });
  native = (parse(readFileSync(deployment, 'utf8')) as Deployment).spec.template.spec;
  pod = (parse(rendered) as Deployment).spec.template.spec;
  sidecar = pod.containers.find(({ name }) => name === 'image-resolver') as Container;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the component on Argo CD's own repo-server Deployment", () => {
  test('leaves everything native as it was', () => {
    const { containers, volumes, ...rest } = pod;
    const { containers: nativeContainers, volumes: nativeVolumes, ...nativeRest } = native;
    expect(rest).toEqual(nativeRest);
    expect(containers.filter(({ name }) => name !== 'image-resolver')).toEqual(nativeContainers);
    expect(volumes.filter(({ name }) => !name.startsWith('image-resolver-'))).toEqual(nativeVolumes);
  });

  test('runs the sidecar as 999 without privileges on a read-only root file system', () => {
    expect(sidecar.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 999,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(sidecar.resources.limits.memory).toBe('1Gi');
  });

  test('gives the pod no service-account token and no shared process namespace', () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.shareProcessNamespace).toBeUndefined();
    expect(JSON.stringify(pod.volumes)).not.toContain('serviceAccountToken');
  });

  test('mounts only volumes that exist, and a /tmp that is not the one of repo-server', () => {
    const volumes = new Set(pod.volumes.map(({ name }) => name));
    for (const mount of sidecar.volumeMounts) expect(volumes).toContain(mount.name);
    const tmp = sidecar.volumeMounts.find(({ mountPath }) => mountPath === '/tmp')?.name;
    expect(native.volumes.map(({ name }) => name)).not.toContain(tmp);
  });

  test('finds the binary and the socket folder where Argo CD puts them', () => {
    const repoServer = native.containers[0] as Container;
    const plugins = repoServer.volumeMounts.find(({ name }) => name === 'plugins');
    expect(sidecar.volumeMounts).toContainEqual(plugins);
    expect(sidecar.volumeMounts).toContainEqual({ name: 'var-files', mountPath: '/var/run/argocd', readOnly: true });
  });

  test("keeps the image's entry point, which reaps children", () => {
    expect(sidecar.command).toBeUndefined();
  });

  test("sets no variable that Argo CD's request could override", () => {
    for (const { name } of sidecar.env ?? []) expect(name).not.toMatch(/^(ARGOCD_|PARAM_|KUBE_)/);
  });
});

test('the values for the argo-cd Helm chart hold the same container and volumes', () => {
  const values = parse(readFileSync(join(manifests, 'argo-cd-values.yaml'), 'utf8')) as {
    repoServer: {
      automountServiceAccountToken: boolean;
      extraContainers: readonly Container[];
      volumes: PodSpec['volumes'];
    };
  };
  expect(values.repoServer.extraContainers).toEqual([sidecar]);
  expect(values.repoServer.volumes).toEqual(pod.volumes.filter(({ name }) => name.startsWith('image-resolver-')));
  expect(values.repoServer.automountServiceAccountToken).toBe(false);
});

test('the image is tagged with the version of the package', () => {
  const { version } = JSON.parse(readFileSync(resolve(manifests, '../package.json'), 'utf8')) as { version: string };
  expect(sidecar.image.endsWith(`:v${version}`)).toBe(true);
});
