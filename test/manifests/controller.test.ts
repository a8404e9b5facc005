import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { FilePorts } from '../../src/operator/files.ts';
import { loadOperatorConfiguration } from '../../src/operator/load-operator-configuration.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import {
  buildManifests,
  type Container,
  type Deployment,
  MANIFESTS,
  objectOf,
  type PodSpec,
  readObjects,
} from './build-manifests.ts';

const NAME = 'image-resolver-controller';

let alone: readonly ApiObject[];
let objects: readonly ApiObject[];
let deployment: Deployment;
let pod: PodSpec;
let controller: Container;
let repoServer: PodSpec;
let sidecar: Container;

const repoServerOf = (from: readonly ApiObject[]): PodSpec =>
  objectOf<Deployment>(from, 'Deployment', 'argocd-repo-server').spec.template.spec;
const ours = (name: string): boolean => name.startsWith('image-resolver');

beforeAll(async () => {
  alone = await buildManifests(['sidecar']);
  objects = await buildManifests(['controller']);
  deployment = objectOf<Deployment>(objects, 'Deployment', NAME);
  pod = deployment.spec.template.spec;
  controller = pod.containers[0] as Container;
  repoServer = repoServerOf(objects);
  sidecar = repoServer.containers.find(({ name }) => name === 'image-resolver') as Container;
});

const ADDRESS = 'IMAGE_RESOLVER_CONTROLLER';

describe('the sidecar beside a controller', () => {
  test('is that of the component sidecar, but for a token, an address and where its configuration comes from', () => {
    const { containers, volumes, ...rest } = repoServer;
    const { containers: before, volumes: volumesBefore, ...restBefore } = repoServerOf(alone);
    expect(rest).toEqual(restBefore);
    const asBefore = containers.map((container) => ({
      ...container,
      ...(container.env !== undefined && { env: container.env.filter(({ name }) => name !== ADDRESS) }),
      volumeMounts: container.volumeMounts.filter(({ name }) => name !== 'image-resolver-token'),
    }));
    expect(asBefore).toEqual(before);
    const own = new Set(['image-resolver-token', 'image-resolver-config']);
    expect(volumes.filter(({ name }) => !own.has(name))).toEqual(volumesBefore.filter(({ name }) => !own.has(name)));
  });

  test('has the one token of the pod, which is good for the controller only', () => {
    const tokens = repoServer.volumes.flatMap(({ name, projected }) =>
      (projected?.sources ?? []).flatMap(({ serviceAccountToken }) =>
        serviceAccountToken === undefined ? [] : [{ name, ...serviceAccountToken }],
      ),
    );
    expect(tokens).toEqual([
      { name: 'image-resolver-token', audience: 'image-resolver', expirationSeconds: 600, path: 'token' },
    ]);
    expect(repoServer.automountServiceAccountToken).toBe(false);
    const mounted = repoServer.containers.filter(({ volumeMounts }) =>
      volumeMounts.some(({ name }) => name === 'image-resolver-token'),
    );
    expect(mounted.map(({ name }) => name)).toEqual(['image-resolver']);
    expect(sidecar.volumeMounts).toContainEqual({
      name: 'image-resolver-token',
      mountPath: '/var/run/secrets/image-resolver',
      readOnly: true,
    });
  });

  test('holds no credential: of secrets it sees the certificate of the CA alone', () => {
    const sources = repoServer.volumes
      .filter(({ name }) => ours(name))
      .flatMap(({ secret, projected }) => [
        ...(secret === undefined ? [] : [{ secret }]),
        ...(projected?.sources ?? []),
      ]);
    expect(sources.filter(({ secret }) => secret !== undefined)).toEqual([
      { secret: { name: 'image-resolver-tls', optional: true, items: [{ key: 'ca.crt', path: 'controller-ca.pem' }] } },
    ]);
  });

  test('is told where the controller is: a Service and a port that exist', async () => {
    const files: FilePorts = {
      stamp: () => undefined,
      read: () => ({ kind: 'missing' }),
      readPrivate: () => ({ kind: 'missing' }),
      replacePrivate: () => false,
    };
    const environment = Object.fromEntries((sidecar.env ?? []).map(({ name, value }) => [name, value]));
    const configuration = await loadOperatorConfiguration(environment, { files });
    const { hostname, port } = new URL(configuration.controller?.url ?? '');
    const { spec } = objectOf<{ spec: { ports: readonly { port: number }[] } }>(objects, 'Service', hostname);
    expect(spec.ports.map((one) => String(one.port))).toEqual([port]);
  });
});

describe('the controller', () => {
  test('runs once, is replaced and not doubled, and may be stopped in ten seconds', () => {
    expect(deployment.spec.replicas).toBe(1);
    expect(deployment.spec.strategy).toEqual({ type: 'Recreate' });
    expect(pod['terminationGracePeriodSeconds']).toBe(10);
  });

  test('is the same image as the sidecar, named with the version of the package, with its own command', () => {
    const { version } = JSON.parse(readFileSync(resolve(MANIFESTS, '../package.json'), 'utf8')) as { version: string };
    expect(controller.image).toBe(sidecar.image);
    expect(controller.image.endsWith(`:v${version}`)).toBe(true);
    expect(controller.command).toEqual(['image-resolver', 'controller']);
  });

  test('runs as 999 without privileges on a read-only root file system', () => {
    expect(pod.containers).toHaveLength(1);
    expect(pod['securityContext']).toEqual({
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(controller.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(controller.resources).toEqual({ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } });
  });

  test('gets no variables of Services, which would look like its settings', () => {
    expect(pod['enableServiceLinks']).toBe(false);
    expect(controller.env).toEqual([{ name: 'IMAGE_RESOLVER_STATE', value: '/var/lib/image-resolver' }]);
  });

  test('keeps its store on a volume that is claimed, and mounts what exists', () => {
    const volumes = new Map(pod.volumes.map((volume) => [volume.name, volume]));
    expect(controller.volumeMounts.filter(({ name }) => !volumes.has(name))).toEqual([]);
    const state = controller.volumeMounts.find(({ mountPath }) => mountPath === '/var/lib/image-resolver')?.name ?? '';
    const claim = volumes.get(state)?.persistentVolumeClaim?.claimName ?? '';
    expect(objectOf(objects, 'PersistentVolumeClaim', claim)['spec']).toEqual({
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    });
  });

  test('finds configuration, credentials and certificate where it looks, each only if it is there', () => {
    const sources = pod.volumes.find(({ name }) => name === 'config')?.projected?.sources ?? [];
    for (const { configMap, secret } of sources) expect((configMap ?? secret)?.optional).toBe(true);
    expect(sources.flatMap(({ secret }) => (secret?.items ?? []).map(({ path }) => path))).toEqual([
      'docker/config.json',
      'tls/tls.crt',
      'tls/tls.key',
      // For `image-resolver status` in the pod, which looks for it there.
      'controller-ca.pem',
    ]);
    expect(controller.volumeMounts).toContainEqual({
      name: 'config',
      mountPath: '/etc/image-resolver',
      readOnly: true,
    });
  });

  test('serves decisions, health, metrics and webhooks on ports of their own, and is probed for health alone', () => {
    expect(controller.ports).toEqual([
      { name: 'resolve', containerPort: 8443 },
      { name: 'health', containerPort: 8081 },
      { name: 'metrics', containerPort: 9090 },
      { name: 'webhooks', containerPort: 8082 },
    ]);
    const probes = (['startupProbe', 'readinessProbe', 'livenessProbe'] as const).map(
      (name) => controller[name]?.httpGet,
    );
    expect(probes).toEqual([
      { path: '/healthz', port: 'health' },
      { path: '/readyz', port: 'health' },
      { path: '/healthz', port: 'health' },
    ]);
  });
});

describe('rights', () => {
  test('are these and no others, and no Secret is among them', () => {
    const rules = objects
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
      .map(({ kind, metadata, rules: list }) => ({ kind, name: metadata.name, list }));
    expect(rules).toEqual([
      {
        kind: 'Role',
        name: NAME,
        list: [{ apiGroups: ['argoproj.io'], resources: ['appprojects'], verbs: ['list', 'watch'] }],
      },
      {
        kind: 'ClusterRole',
        name: NAME,
        list: [
          { apiGroups: ['argoproj.io'], resources: ['applications'], verbs: ['get', 'list', 'watch', 'patch'] },
          { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
          { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
          { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
        ],
      },
    ]);
  });

  test.for(['argocd', 'cd'])('go to the controller in whichever namespace it is: %s', async (namespace) => {
    const built = await buildManifests(['controller'], { namespace });
    const bindings = built.filter(({ kind }) => kind.endsWith('Binding'));
    const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace }];
    const apiGroup = 'rbac.authorization.k8s.io';
    expect(bindings.map(({ subjects: to, roleRef }) => ({ subjects: to, roleRef }))).toEqual([
      { subjects, roleRef: { apiGroup, kind: 'Role', name: NAME } },
      { subjects, roleRef: { apiGroup, kind: 'ClusterRole', name: NAME } },
    ]);
    expect(objectOf(built, 'ServiceAccount', NAME).metadata.namespace).toBe(namespace);
    expect(pod.serviceAccountName).toBe(NAME);
  });

  test('to the Kubernetes API are asked for by this pod, and by no other that may use the account', () => {
    expect(pod.automountServiceAccountToken).toBe(true);
    expect(objectOf(objects, 'ServiceAccount', NAME)['automountServiceAccountToken']).toBe(false);
  });
});

describe('networks', () => {
  interface Service {
    readonly spec: {
      readonly selector: Readonly<Record<string, string>>;
      readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
    };
  }

  test('each Service leads to one port of the controller, and none to health or metrics', () => {
    const found = ['image-resolver', 'image-resolver-webhooks'].map(
      (name) => objectOf<Service>(objects, 'Service', name).spec,
    );
    for (const { selector } of found) expect(deployment.spec.template.metadata.labels).toMatchObject(selector);
    expect(found.map(({ ports }) => ports)).toEqual([
      [{ name: 'resolve', port: 8443, targetPort: 'resolve' }],
      [{ name: 'webhooks', port: 80, targetPort: 'webhooks' }],
    ]);
  });

  test('only repo-servers reach decisions; who reaches metrics and webhooks is named', () => {
    const { spec } = objectOf<{
      spec: { podSelector: { matchLabels: object }; policyTypes: unknown; ingress: unknown };
    }>(objects, 'NetworkPolicy', NAME);
    expect(deployment.spec.template.metadata.labels).toMatchObject(spec.podSelector.matchLabels);
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    const repoServerLabels = objectOf<Deployment>(objects, 'Deployment', 'argocd-repo-server').spec.template.metadata
      .labels;
    expect(repoServerLabels).toMatchObject({ 'app.kubernetes.io/name': 'argocd-repo-server' });
    expect(spec.ingress).toEqual([
      {
        from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'argocd-repo-server' } } }],
        ports: [{ protocol: 'TCP', port: 'resolve' }],
      },
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ protocol: 'TCP', port: 'metrics' }],
      },
      {
        from: [
          {
            namespaceSelector: {
              matchExpressions: [
                {
                  key: 'kubernetes.io/metadata.name',
                  operator: 'In',
                  values: ['ingress-nginx', 'traefik', 'istio-system', 'envoy-gateway-system'],
                },
              ],
            },
          },
        ],
        ports: [{ protocol: 'TCP', port: 'webhooks' }],
      },
    ]);
  });

  test('the controller reaches DNS, https and the Kubernetes API, nothing else', () => {
    const { spec } = objectOf<{ spec: { egress: unknown } }>(objects, 'NetworkPolicy', NAME);
    expect(spec.egress).toEqual([
      {
        ports: [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port: 53 },
        ],
      },
      {
        ports: [
          { protocol: 'TCP', port: 443 },
          { protocol: 'TCP', port: 6443 },
        ],
      },
    ]);
  });
});

test('who lists both components gets the same as with the controller alone', async () => {
  expect(await buildManifests(['sidecar', 'controller'])).toEqual(objects);
});

test('the component sidecar adds no object and touches the repo-server only', () => {
  const added = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
  const mine = alone.filter(({ metadata }) => ours(metadata.name));
  expect(mine).toEqual([]);
  expect(added.size).toBe(alone.length + 10);
});

test('the commented example of a credential names its Secret and can do no more than follow it', () => {
  const text = readFileSync(join(MANIFESTS, 'controller/rbac.yaml'), 'utf8');
  const commented = text.slice(text.indexOf('# apiVersion:')).replaceAll(/^# ?/gm, '');
  const [role, binding] = readObjects(commented);
  expect(role?.['rules']).toEqual([
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['registry'], verbs: ['list', 'watch'] },
  ]);
  expect(binding).toMatchObject({ roleRef: { kind: 'Role', name: role?.metadata.name }, subjects: [{ name: NAME }] });
});

test('the values for the argo-cd Helm chart hold the same sidecar and the same objects', () => {
  // The chart evaluates templates in extraObjects, so this one value differs.
  const text = readFileSync(join(MANIFESTS, 'argo-cd-values-controller.yaml'), 'utf8').replaceAll(
    "'{{ .Release.Namespace }}'",
    'argocd',
  );
  const {
    repoServer: values,
    extraObjects,
    ...others
  } = parse(text) as {
    repoServer: { readonly volumes: PodSpec['volumes']; readonly [field: string]: unknown };
    extraObjects: readonly ApiObject[];
  };
  expect(others).toEqual({});
  expect(text).not.toMatch(/^[^#]*\{\{/m);
  const { volumes, ...rest } = values;
  expect(rest).toEqual({ automountServiceAccountToken: false, extraContainers: [sidecar] });
  expect(byName(volumes)).toEqual(byName(repoServer.volumes.filter(({ name }) => ours(name))));
  const key = ({ kind, metadata }: ApiObject): string => `${kind} ${metadata.name}`;
  const sorted = (list: readonly ApiObject[]): readonly ApiObject[] =>
    list.map(withoutNamespace).toSorted((a, b) => key(a).localeCompare(key(b)));
  expect(sorted(extraObjects)).toEqual(sorted(objects.filter(({ metadata }) => ours(metadata.name))));
});

const byName = (volumes: PodSpec['volumes']): ReadonlyMap<string, unknown> =>
  new Map(volumes.map((volume) => [volume.name, volume]));

/** Helm puts what has no namespace into the release's. */
function withoutNamespace(object: ApiObject): ApiObject {
  const metadata = { ...object.metadata };
  delete metadata.namespace;
  return { ...object, metadata };
}
