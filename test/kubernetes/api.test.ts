import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAccessBroker } from '../../src/credentials/broker.ts';
import { createKubernetes } from '../../src/kubernetes/client.ts';
import { findConnection } from '../../src/kubernetes/connection.ts';
import { createEventRecorder } from '../../src/kubernetes/events.ts';
import { type Kubernetes, KubernetesError } from '../../src/kubernetes/kubernetes.ts';
import { createApiSecrets } from '../../src/kubernetes/secrets.ts';
import { createTokenReviewer } from '../../src/kubernetes/token-reviews.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { systemFiles } from '../../src/operator/files.ts';
import { FakeClock } from '../support/clock.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import { type InClusterMount, type RealKubernetes, startRealKubernetes } from '../support/real-kubernetes.ts';
import { clientInCluster, eventually, impatient } from './kubernetes-fixture.ts';

const CONTROLLER = { namespace: 'argocd', name: 'image-resolver' };
const SIDECAR = { namespace: 'argocd', name: 'argocd-repo-server' };
const APPLICATION = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/web';
const RBAC = 'rbac.authorization.k8s.io';

let real: RealKubernetes;
let mount: InClusterMount;
let kubernetes: Kubernetes;
const over = new AbortController();
const { signal } = over;

beforeAll(async () => {
  real = await startRealKubernetes();
  for (const namespace of ['argocd', 'team-a']) await real.makeNamespace(namespace);
  mount = await real.inClusterMount(CONTROLLER);
  kubernetes = await clientInCluster(mount);
  await grantInCluster('image-resolver', CONTROLLER, [
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    { apiGroups: ['argoproj.io'], resources: ['applications'], verbs: ['get', 'list', 'watch', 'patch'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  ]);
  await real.apply({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'argocd' },
    spec: {
      project: 'default',
      destination: { server: 'https://kubernetes.default.svc', namespace: 'web' },
      source: { repoURL: 'https://example.com/deploy', path: 'web', targetRevision: 'main' },
    },
  });
}, 120_000);
afterAll(async () => {
  over.abort();
  await real.stop();
});

async function grantInCluster(
  name: string,
  account: { readonly namespace: string; readonly name: string },
  rules: readonly object[],
): Promise<void> {
  await real.apply({ apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules });
  await real.apply({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
}

describe('requests', () => {
  test('an annotation is patched, and nothing else of the Application changes', async () => {
    const before = await kubernetes.get(APPLICATION, signal);
    await kubernetes.patch(
      APPLICATION,
      { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } },
      signal,
    );
    const after = await kubernetes.get(APPLICATION, signal);
    expect(after.metadata['annotations']).toEqual({ 'argocd.argoproj.io/refresh': 'hard' });
    expect(after['spec']).toEqual(before['spec']);
    expect(after.metadata.uid).toBe(before.metadata.uid);
  });

  test('a refusal says what was asked and with which status, and no token', async () => {
    const path = '/api/v1/namespaces/argocd/secrets/argocd-secret';
    const error = await kubernetes.get(path, signal).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(KubernetesError);
    expect(error).toMatchObject({ message: `GET ${path} was answered with 403 Forbidden`, status: 403 });
  });

  test('a rotated token is used by the next request', async () => {
    const account = { namespace: 'argocd', name: 'rotating' };
    const rotating = await real.inClusterMount(account);
    await grantInCluster('rotating', account, [
      { apiGroups: ['argoproj.io'], resources: ['applications'], verbs: ['get'] },
    ]);
    await writeFile(join(rotating.directory, 'token'), 'expired');
    const client = await clientInCluster(rotating);
    await expect(client.get(APPLICATION, signal)).rejects.toMatchObject({ status: 401 });
    await rotating.rotate();
    await expect(client.get(APPLICATION, signal)).resolves.toMatchObject({ metadata: { name: 'web' } });
  });

  test('a kubeconfig works as well', async () => {
    const environment = { KUBECONFIG: await real.kubeconfig(CONTROLLER) };
    const connection = await findConnection({ environment, files: systemFiles });
    const client = createKubernetes({ connection, sleep: impatient, random: Math.random });
    await expect(client.get(APPLICATION, signal)).resolves.toMatchObject({ metadata: { name: 'web' } });
  });

  test('a server with another certificate gets no token', async () => {
    const other = await real.inClusterMount(CONTROLLER);
    // A certificate authority, but not that of this server.
    await writeFile(join(other.directory, 'ca.crt'), '');
    const client = await clientInCluster(other);
    await expect(client.get(APPLICATION, signal)).rejects.toMatchObject({ status: undefined });
  });
});

describe('reviews', () => {
  test('a token proves who sent it to the audience it was made for alone', async () => {
    const token = await real.tokenFor(SIDECAR, 'image-resolver');
    const username = 'system:serviceaccount:argocd:argocd-repo-server';
    const review = await kubernetes.reviewToken(token, ['image-resolver'], signal);
    expect(review).toMatchObject({ kind: 'authenticated', username });
    expect(review.kind === 'authenticated' && review.groups).toContain('system:serviceaccounts:argocd');
    for (const audiences of [['somebody-else'], []])
      expect(await kubernetes.reviewToken(token, audiences, signal)).toEqual({ kind: 'rejected' });
    const forTheApi = await real.tokenFor(SIDECAR);
    expect(await kubernetes.reviewToken(forTheApi, ['image-resolver'], signal)).toEqual({ kind: 'rejected' });
    expect(await kubernetes.reviewToken('nonsense', ['image-resolver'], signal)).toEqual({ kind: 'rejected' });
  });

  test('who may get one Application may not get another', async () => {
    const reader = { namespace: 'team-a', name: 'reader' };
    await real.tokenFor(reader);
    const rule = { apiGroups: ['argoproj.io'], resources: ['applications'], resourceNames: ['web'], verbs: ['get'] };
    await real.apply({
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: { namespace: 'argocd', name: 'web' },
      rules: [rule],
    });
    await real.apply({
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { namespace: 'argocd', name: 'web' },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: 'web' },
      subjects: [{ kind: 'ServiceAccount', ...reader }],
    });
    const user = { username: 'system:serviceaccount:team-a:reader', groups: ['system:authenticated'], uid: '' };
    const may = (namespace: string, name: string, verb: 'get' | 'update' = 'get'): Promise<boolean> =>
      kubernetes.mayAccessApplication(user, verb, { namespace, name }, signal);
    await eventually(async () => expect(await may('argocd', 'web')).toBe(true));
    expect(await may('argocd', 'web', 'update')).toBe(false);
    expect(await may('argocd', 'other')).toBe(false);
    expect(await may('team-a', 'web')).toBe(false);
    expect(
      await kubernetes.mayAccessApplication(
        { ...user, groups: ['system:masters'] },
        'update',
        { namespace: 'x', name: 'y' },
        signal,
      ),
    ).toBe(true);
  });

  test('the reviewer asks once for a token that comes often', async () => {
    const token = await real.tokenFor(SIDECAR, 'image-resolver');
    let asked = 0;
    const counted: Pick<Kubernetes, 'reviewToken'> = {
      reviewToken: (...args) => {
        asked += 1;
        return kubernetes.reviewToken(...args);
      },
    };
    const reviewer = createTokenReviewer({
      kubernetes: counted,
      audiences: ['image-resolver'],
      now: Date.now,
      sleep: impatient,
    });
    const answers = await Promise.all(Array.from({ length: 20 }, () => reviewer.review(token, signal)));
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['authenticated']));
    expect(asked).toBe(1);
  });
});

describe('secrets', () => {
  const pull = (name: string, data: Readonly<Record<string, string>>, namespace = 'team-a'): ApiObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  });

  async function grantSecret(name: string): Promise<void> {
    const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get', 'list', 'watch'] };
    const metadata = { namespace: 'team-a', name };
    await real.apply({ apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules: [rule] });
    await real.apply({
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', ...CONTROLLER }],
    });
  }

  test('a secret granted by name is read, and its renewal, removal and return are seen', async () => {
    await real.apply(pull('granted', { 'config.json': 'first', other: 'x' }));
    await real.apply(pull('neighbour', { 'config.json': 'secret' }));
    await grantSecret('granted');
    const secrets = createApiSecrets({ kubernetes, now: Date.now, sleep: impatientRead, signal });
    const read = (): ReturnType<typeof secrets.read> =>
      secrets.read('team-a', 'granted', ['.dockerconfigjson', 'config.json']);

    await eventually(async () => expect(await read()).toMatchObject({ kind: 'read', text: 'first' }));
    const before = await read();
    await real.apply(pull('granted', { 'config.json': 'second' }));
    await eventually(async () => expect(await read()).toMatchObject({ kind: 'read', text: 'second' }));
    const after = await read();
    expect(before.kind === 'read' && after.kind === 'read' && before.stamp !== after.stamp).toBe(true);
    expect(await secrets.read('team-a', 'granted', ['other'])).toMatchObject({ kind: 'unreadable' });

    await real.delete(pull('granted', {}));
    await eventually(async () => expect(await read()).toMatchObject({ kind: 'unreadable', problem: 'is not there' }));
    await real.apply(pull('granted', { '.dockerconfigjson': 'third' }));
    await eventually(async () => expect(await read()).toMatchObject({ kind: 'read', text: 'third' }));

    expect(await secrets.read('team-a', 'neighbour', ['config.json'])).toEqual({
      kind: 'unreadable',
      problem: 'may not be read by the controller',
      fix: 'grant the controller\'s service account a Role in namespace team-a with apiGroups [""], resources [secrets], resourceNames [neighbour], verbs [list, watch]',
    });
    expect(await secrets.read('team-a', 'granted,metadata.name!=x', ['a'])).toMatchObject({ kind: 'unreadable' });
  });

  test('a credential from a secret is the renewed one at the next request, and none when the secret is gone', async () => {
    const config = (password: string): Readonly<Record<string, string>> => ({
      '.dockerconfigjson': JSON.stringify({
        auths: { 'r.example': { auth: Buffer.from(`robot:${password}`).toString('base64') } },
      }),
    });
    await real.apply(pull('credential', config('first')));
    await grantSecret('credential');
    const file = { registries: { hosts: [{ host: 'r.example', credentials: 'pullsecret:team-a/credential' }] } };
    const configuration = completeConfiguration(file, [], {});
    const secrets = createApiSecrets({ kubernetes, now: Date.now, sleep: impatientRead, signal });
    const broker = createAccessBroker(configuration, {}, { files: systemFiles, now: Date.now, secrets });
    const answer = broker.accessFor({ host: 'r.example', path: 'a/b', name: 'r.example/a/b' }, { application: 'web' });
    const credential = answer.kind === 'granted' ? answer.access.credential : undefined;
    const current = async (): Promise<string> => {
      const found = await credential?.get({ fresh: false, signal });
      return found?.kind === 'basic' ? found.password.reveal() : 'none';
    };
    await eventually(async () => expect(await current()).toBe('first'));
    await real.apply(pull('credential', config('second')));
    await eventually(async () => expect(await current()).toBe('second'));
    await real.delete(pull('credential', {}));
    await eventually(() =>
      expect(current()).rejects.toMatchObject({
        code: 'CREDENTIAL_UNREADABLE',
        fix: 'make the secret team-a/credential',
      }),
    );
  });

  test('a secret that is not there yet is read when it comes', async () => {
    await grantSecret('late');
    const secrets = createApiSecrets({ kubernetes, now: Date.now, sleep: impatientRead, signal });
    const read = (): ReturnType<typeof secrets.read> => secrets.read('team-a', 'late', ['field']);
    await eventually(async () => expect(await read()).toMatchObject({ problem: 'is not there' }));
    await real.apply(pull('late', { field: 'user:password' }));
    await eventually(async () => expect(await read()).toMatchObject({ kind: 'read', text: 'user:password' }));
  });
});

/** Waits as long as the reader does: real answers come first. */
const impatientRead = impatientFor(5_000);

function impatientFor(most: number): typeof impatient {
  return (ms, aborted) =>
    ms === most
      ? new Promise((_, failed) => aborted.addEventListener('abort', () => failed(new Error('over')), { once: true }))
      : impatient(ms, aborted);
}

test('events are written once and counted, also after a restart', async () => {
  const { metadata } = await kubernetes.get(APPLICATION, signal);
  const subject = { namespace: 'argocd', name: 'web', uid: metadata.uid ?? '' };
  const clock = new FakeClock();
  const recorder = createEventRecorder({ kubernetes, now: clock.now, sleep: impatient, signal });
  const moved = { type: 'Normal', reason: 'ImageMoved', message: `from 1.0.0\u202e to ${'x'.repeat(2000)}` } as const;
  const written = async (): Promise<readonly Record<string, unknown>[]> => {
    const { items } = await real.admin.must<{ items: Record<string, unknown>[] }>(
      'GET',
      '/api/v1/namespaces/argocd/events',
    );
    return items;
  };
  recorder.record(subject, moved);
  await eventually(async () => expect(await written()).toHaveLength(1));
  const [event] = await written();
  expect(event).toMatchObject({
    type: 'Normal',
    reason: 'ImageMoved',
    count: 1,
    involvedObject: { kind: 'Application', ...subject },
  });
  expect(event?.['message']).toMatch(/^from 1\.0\.0\\u202e to x+ … \[cut\]$/);
  recorder.record(subject, moved);
  clock.jump(600_000);
  recorder.record(subject, moved);
  await eventually(async () => expect(await written()).toMatchObject([{ count: 3 }]));
  const restarted = createEventRecorder({ kubernetes, now: clock.now, sleep: impatient, signal });
  restarted.record(subject, moved);
  restarted.record(subject, { ...moved, type: 'Warning', reason: 'ImageStale' });
  await eventually(async () => expect(await written()).toHaveLength(2));
});
