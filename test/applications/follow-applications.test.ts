import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Application, ApplicationChange } from '../../src/applications/application.ts';
import { followApplications } from '../../src/applications/follow-applications.ts';
import { clientInCluster, eventually } from '../kubernetes/kubernetes-fixture.ts';
import { type RealKubernetes, startRealKubernetes } from '../support/real-kubernetes.ts';
import { applicationObject, STATUS } from './application-fixture.ts';

const CONTROLLER = { namespace: 'argocd', name: 'image-resolver' };
let real: RealKubernetes;
const over = new AbortController();

beforeAll(async () => {
  real = await startRealKubernetes();
  for (const namespace of ['argocd', 'team-a', 'team-b']) await real.makeNamespace(namespace);
  const name = 'applications';
  const rbac = 'rbac.authorization.k8s.io';
  const rules = [{ apiGroups: ['argoproj.io'], resources: ['applications', 'appprojects'], verbs: ['list', 'watch'] }];
  await real.apply({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name }, rules });
  await real.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...CONTROLLER }],
  });
  await real.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { namespace: 'argocd', name: 'default' },
    spec: { syncWindows: [{ kind: 'deny', schedule: '0 22 * * *', duration: '1h', applications: ['*'] }] },
  });
}, 120_000);
afterAll(async () => {
  over.abort();
  await real.stop();
});

test('Applications of all namespaces are known by their instance names, and their changes are told', async () => {
  await real.apply(applicationObject('argocd', 'web'));
  const kubernetes = await clientInCluster(await real.inClusterMount(CONTROLLER));
  const applications = followApplications({ kubernetes, controlPlaneNamespace: 'argocd', signal: over.signal });
  const changes: ApplicationChange[] = [];
  const stop = applications.onChange((change) => {
    // What is told is visible already.
    const name = (change.after ?? change.before)?.instanceName ?? '';
    expect(applications.byInstanceName(name)).toBe(change.after);
    changes.push(change);
  });
  expect(applications.complete).toBe(false);
  await eventually(() => expect(applications.complete).toBe(true));
  const windows = [{ kind: 'deny', schedule: '0 22 * * *' }];
  await eventually(() => expect(applications.project('default')?.syncWindows).toMatchObject(windows));

  await real.apply({ ...applicationObject('team-a', 'web'), status: STATUS });
  await eventually(() => expect(applications.byInstanceName('team-a_web')?.comparisonError).toBe('two'));
  await real.delete(applicationObject('argocd', 'web'));
  await eventually(() => expect(applications.byInstanceName('web')).toBeUndefined());
  expect([...applications.all()].map(({ instanceName }) => instanceName)).toEqual(['team-a_web']);
  const told = changes.map(({ before, after }) => [before?.instanceName, after?.instanceName]);
  expect(told).toEqual([
    [undefined, 'web'],
    [undefined, 'team-a_web'],
    ['web', undefined],
  ]);

  stop();
  await real.delete(applicationObject('team-a', 'web'));
  await eventually(() => expect([...applications.all()]).toEqual([]));
  expect(changes).toHaveLength(3);
});

test('an update of nothing that is kept is not told', async () => {
  const kubernetes = await clientInCluster(await real.inClusterMount(CONTROLLER));
  const applications = followApplications({ kubernetes, controlPlaneNamespace: 'argocd', signal: over.signal });
  await real.apply({ ...applicationObject('argocd', 'quiet'), status: STATUS });
  await eventually(() => expect(applications.byInstanceName('quiet')).toBeDefined());
  const seen: (Application | undefined)[] = [];
  applications.onChange(({ after }) => seen.push(after));
  await real.apply({ ...applicationObject('argocd', 'quiet'), status: { ...STATUS, health: { status: 'Degraded' } } });
  await real.apply({
    ...applicationObject('argocd', 'quiet'),
    status: { ...STATUS, reconciledAt: '2026-03-01T12:02:00Z' },
  });
  await eventually(() => expect(seen.map((after) => after?.reconciledAt)).toEqual(['2026-03-01T12:02:00Z']));
});

test('with named namespaces only those are followed', async () => {
  await real.apply(applicationObject('team-a', 'one'));
  await real.apply(applicationObject('team-b', 'two'));
  const kubernetes = await clientInCluster(await real.inClusterMount(CONTROLLER));
  const options = { kubernetes, controlPlaneNamespace: 'argocd', namespaces: ['team-b'], signal: over.signal };
  const applications = followApplications(options);
  await eventually(() => expect(applications.complete).toBe(true));
  expect([...applications.all()].map(({ instanceName }) => instanceName)).toEqual(['team-b_two']);
});
