// Everything in manifests/, installed onto a real kube-apiserver.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import { type RealKubernetes, startRealKubernetes } from '../support/real-kubernetes.ts';
import { buildManifests, type Deployment, MANIFESTS, objectOf, readObjects } from './build-manifests.ts';

const CONTROLLER = 'image-resolver-controller';

let kubernetes: RealKubernetes;
let objects: readonly ApiObject[];

beforeAll(async () => {
  objects = await buildManifests(['controller', 'monitoring']);
  kubernetes = await startRealKubernetes();
  await kubernetes.makeNamespace('argocd');
  await installPrometheusOperatorTypes();
});
afterAll(() => kubernetes.stop());

test('Argo CD with controller and monitoring is taken as it is: no unknown field, nothing invalid', async () => {
  for (const object of objects) await kubernetes.apply(object);
  const kinds = new Set(objects.map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual([
    'ClusterRole',
    'ClusterRoleBinding',
    'ConfigMap',
    'Deployment',
    'NetworkPolicy',
    'PersistentVolumeClaim',
    'PodMonitor',
    'PrometheusRule',
    'Role',
    'RoleBinding',
    'Service',
    'ServiceAccount',
  ]);
});

test('applied once more, nothing changes', async () => {
  const versions = async (): Promise<readonly unknown[]> =>
    Promise.all(objects.map(async (object) => (await kubernetes.apply(object)).metadata['resourceVersion']));
  const before = await versions();
  expect(await versions()).toEqual(before);
});

test('the objects in the values for the argo-cd Helm chart are taken, too', async () => {
  const text = readFileSync(join(MANIFESTS, 'argo-cd-values-controller.yaml'), 'utf8');
  const { extraObjects } = parse(text.replaceAll('{{ .Release.Namespace }}', 'from-helm')) as {
    extraObjects: readonly ApiObject[];
  };
  await kubernetes.makeNamespace('from-helm');
  for (const object of extraObjects) {
    const namespaced = { ...object, metadata: { ...object.metadata, namespace: 'from-helm' } };
    await expect(kubernetes.apply(object.kind.startsWith('Cluster') ? object : namespaced)).resolves.toBeDefined();
  }
  // The names of what is not in a namespace are the same: put back what the other tests are about.
  for (const object of objects.filter(({ kind }) => kind.startsWith('Cluster'))) await kubernetes.apply(object);
});

test.for([CONTROLLER, 'argocd-repo-server'])(
  'a pod of %s is let into a namespace that enforces the restricted Pod Security Standard',
  async (name) => {
    await kubernetes.apply({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'restricted', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const { template } = objectOf<Deployment>(objects, 'Deployment', name).spec;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...template.metadata, name, namespace: 'restricted' } };
    await expect(kubernetes.apply({ ...pod, spec: template.spec })).resolves.toBeDefined();
    // The standard is enforced here: without one of its conditions the pod is refused.
    const lax = { ...template.spec, hostNetwork: true };
    await expect(kubernetes.apply({ ...pod, metadata: { ...pod.metadata, name: 'lax' }, spec: lax })).rejects.toThrow(
      'violates PodSecurity',
    );
  },
);

describe('rights, as the API server sees them', () => {
  /** `verb group/resource`, asked for one by one. */
  async function allowed(account: string, namespace: string): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    const asks = (await resources()).flatMap((resource) => VERBS.map((verb) => ({ ...resource, verb })));
    for (let at = 0; at < asks.length; at += 50) {
      await Promise.all(
        asks.slice(at, at + 50).map(async (ask) => {
          if (await may(account, { ...ask, namespace })) found.add(`${ask.verb} ${ask.group}/${ask.resource}`);
        }),
      );
    }
    return found;
  }

  const projects = ['list argoproj.io/appprojects', 'watch argoproj.io/appprojects'];
  test.for([
    { namespace: 'argocd', more: projects },
    { namespace: 'team-a', more: [] },
  ])('in $namespace the controller may do exactly this, and nothing more', async ({ namespace, more }) => {
    // What every account may do is not of our making.
    const nobody = await allowed('nobody', namespace);
    const controller = await allowed(CONTROLLER, namespace);
    const rights = [
      'create /events',
      'create authentication.k8s.io/tokenreviews',
      'create authorization.k8s.io/subjectaccessreviews',
      'get argoproj.io/applications',
      'list argoproj.io/applications',
      'patch /events',
      'patch argoproj.io/applications',
      'watch argoproj.io/applications',
    ];
    expect([...controller].filter((right) => !nobody.has(right)).toSorted()).toEqual([...rights, ...more].toSorted());
  });

  test('with the commented Role it may follow the named Secret, and no other one', async () => {
    const text = readFileSync(join(MANIFESTS, 'controller/rbac.yaml'), 'utf8');
    await kubernetes.makeNamespace('team-a');
    for (const object of readObjects(text.slice(text.indexOf('# apiVersion:')).replaceAll(/^# ?/gm, ''))) {
      await kubernetes.apply(object);
    }
    const secret = (verb: string, name?: string, namespace = 'team-a'): Promise<boolean> =>
      may(CONTROLLER, { group: '', resource: 'secrets', verb, namespace, ...(name === undefined ? {} : { name }) });
    const verbs = ['get', 'list', 'watch', 'update', 'patch', 'delete'];
    const of = (name?: string, namespace?: string): Promise<readonly boolean[]> =>
      Promise.all(verbs.map((verb) => secret(verb, name, namespace)));
    // The API server judges by what it has watched, which comes a moment after what was applied.
    const isInForce = { timeout: 30_000, interval: 50 };
    await expect.poll(() => of('registry'), isInForce).toEqual([false, true, true, false, false, false]);
    expect(await of('other')).toEqual([false, false, false, false, false, false]);
    expect(await of()).toEqual([false, false, false, false, false, false]);
    expect(await of('registry', 'argocd')).toEqual([false, false, false, false, false, false]);
  });

  test('the account of repo-server has none', async () => {
    expect(await allowed('argocd-repo-server', 'argocd')).toEqual(await allowed('nobody', 'argocd'));
  });
});

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

interface Attributes {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace: string;
  readonly name?: string;
}

async function may(account: string, resourceAttributes: Attributes): Promise<boolean> {
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:argocd:${account}`,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:argocd', 'system:authenticated'],
      resourceAttributes,
    },
  };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const { status } = await kubernetes.admin.must<{ status: { allowed: boolean } }>('POST', path, { body });
  return status.allowed;
}

/** Every resource that the API server has, parts of them included, and one that it does not have. */
async function resources(): Promise<readonly { readonly group: string; readonly resource: string }[]> {
  interface Groups {
    readonly groups: readonly { readonly name: string; readonly preferredVersion: { readonly groupVersion: string } }[];
  }
  const { groups } = await kubernetes.admin.must<Groups>('GET', '/apis');
  const paths = [
    { group: '', path: '/api/v1' },
    ...groups.map(({ name, preferredVersion }) => ({ group: name, path: `/apis/${preferredVersion.groupVersion}` })),
  ];
  const found = await Promise.all(
    paths.map(async ({ group, path }) => {
      const list = await kubernetes.admin.must<{ resources: readonly { name: string }[] }>('GET', path);
      return list.resources.map(({ name }) => ({ group, resource: name }));
    }),
  );
  return [...found.flat(), { group: 'example.com', resource: 'anything' }];
}

/** The operator's own types are large; what they check of a rule is checked in monitoring.test.ts. */
async function installPrometheusOperatorTypes(): Promise<void> {
  for (const kind of ['PodMonitor', 'PrometheusRule']) {
    const plural = `${kind.toLowerCase()}s`;
    const spec = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await kubernetes.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.monitoring.coreos.com` },
      spec: {
        group: 'monitoring.coreos.com',
        scope: 'Namespaced',
        names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', required: ['spec'], properties: { spec } } },
          },
        ],
      },
    });
    const path = `/apis/monitoring.coreos.com/v1/${plural}?limit=1`;
    while ((await kubernetes.admin.send('GET', path)).status !== 200) await delay(50);
  }
}
