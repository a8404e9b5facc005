import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleepForReal } from '../../src/registry/time.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';
import { type RealKubernetes, startRealKubernetes } from '../support/real-kubernetes.ts';
import { clientInCluster, eventually, Recorder, reduceConfigMap, startNetwork } from './kubernetes-fixture.ts';

const READER = { namespace: 'default', name: 'reader' };
let kubernetes: RealKubernetes;
let network: Awaited<ReturnType<typeof startNetwork>>;
const over = new AbortController();

beforeAll(async () => {
  kubernetes = await startRealKubernetes({ argoCd: false });
  network = await startNetwork(Number(new URL(kubernetes.server).port));
  await kubernetes.makeNamespace('default');
  await kubernetes.tokenFor(READER);
  await kubernetes.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
  });
  await kubernetes.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', ...READER }],
  });
}, 120_000);
afterAll(async () => {
  over.abort();
  await network.stop();
  await kubernetes.stop();
});

function configMap(namespace: string, name: string, v: string | undefined): ApiObject {
  const data = v === undefined ? {} : { v };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

/** Follows the ConfigMaps of a new namespace through the network. */
async function followed(
  namespace: string,
  sleep?: typeof sleepForReal,
): Promise<{
  readonly seen: Recorder;
  readonly set: (name: string, v: string | undefined) => Promise<void>;
  readonly unset: (name: string) => Promise<void>;
}> {
  await kubernetes.makeNamespace(namespace);
  const seen = new Recorder();
  const client = await clientInCluster(await kubernetes.inClusterMount(READER), {
    port: network.port,
    ...(sleep === undefined ? {} : { sleep }),
  });
  const set = async (name: string, v: string | undefined): Promise<void> => {
    await kubernetes.apply(configMap(namespace, name, v));
  };
  const unset = (name: string): Promise<void> => kubernetes.delete(configMap(namespace, name, ''));
  await Promise.all([set('kept', '1'), set('gone', '1')]);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  void client.follow({ path }, reduceConfigMap, seen, over.signal);
  await eventually(() => expect(seen.lists).toBe(1));
  return { seen, set, unset };
}

test('tells what is there, then every change, addition and removal', async () => {
  const { seen, set, unset } = await followed('plain');
  expect(Object.fromEntries(seen.there)).toEqual({ kept: '1', gone: '1' });
  await set('kept', '2');
  await set('new', '1');
  await unset('gone');
  await eventually(() => expect(Object.fromEntries(seen.there)).toEqual({ kept: '2', new: '1' }));
  expect(seen.lists).toBe(1);
  expect(seen.troubles).toEqual([]);
});

test('an object that is not understood is left out and told as trouble, and the rest goes on', async () => {
  const { seen, set } = await followed('strange');
  await set('strange', undefined);
  await eventually(() =>
    expect(seen.problem).toBe('strange/strange of /api/v1/namespaces/strange/configmaps is not understood'),
  );
  await set('kept', '2');
  await eventually(() => expect(seen.there.get('kept')).toBe('2'));
});

test('more objects than fit into a page are all told, at once', async () => {
  const namespace = 'many';
  await kubernetes.makeNamespace(namespace);
  const names = Array.from({ length: 510 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => kubernetes.apply(configMap(namespace, name, '1'))));
  const client = await clientInCluster(await kubernetes.inClusterMount(READER));
  const seen = new Recorder();
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  void client.follow({ path }, reduceConfigMap, seen, over.signal);
  await eventually(() => expect(seen.lists).toBe(1));
  expect([...seen.there.keys()].toSorted()).toEqual(names.toSorted());
});

test('a field selector follows one object alone', async () => {
  const { set } = await followed('selected');
  const client = await clientInCluster(await kubernetes.inClusterMount(READER));
  const seen = new Recorder();
  const collection = { path: '/api/v1/namespaces/selected/configmaps', fieldSelector: 'metadata.name=kept' };
  void client.follow(collection, reduceConfigMap, seen, over.signal);
  await eventually(() => expect(seen.lists).toBe(1));
  await set('new', '1');
  await set('kept', '2');
  await eventually(() => expect(seen.there.get('kept')).toBe('2'));
  expect([...seen.there.keys()]).toEqual(['kept']);
});

test('a connection that broke goes on where it was: nothing is listed again, and nothing is lost', async () => {
  const { seen, set, unset } = await followed('broken');
  network.cut();
  await set('kept', '2');
  await unset('gone');
  await eventually(() => expect(seen.problem).toContain('was not answered'));
  network.mend();
  await eventually(() => expect(Object.fromEntries(seen.there)).toEqual({ kept: '2' }));
  expect(seen.removals).toEqual(['gone']);
  expect(seen.lists).toBe(1);
  expect(seen.problem).toBeUndefined();
});

test('a connection on which nothing comes any more is given up, and what it did not tell is told', async () => {
  const guards: (() => void)[] = [];
  const { seen, set } = await followed('silent', (ms, signal) =>
    ms < 100_000
      ? sleepForReal(20, signal)
      : new Promise((done, failed) => {
          guards.push(done);
          signal.addEventListener('abort', () => failed(new Error('over')), { once: true });
        }),
  );
  // The watch is there: before, it would be its answer that does not come.
  await set('told', '1');
  await eventually(() => expect(seen.there.get('told')).toBe('1'));
  network.silence();
  await set('kept', '2');
  // Time passes, twice: something may have come since the first began.
  await eventually(() => {
    for (const pass of guards.splice(0)) pass();
    expect(seen.there.get('kept')).toBe('2');
  });
});

test('an API server that was restarted is followed again', async () => {
  const { seen, set, unset } = await followed('restarted');
  await kubernetes.stopApiServer();
  await eventually(() => expect(seen.problem).toContain('was not answered'));
  await kubernetes.startApiServer();
  await set('kept', '2');
  await unset('gone');
  await eventually(() => expect(Object.fromEntries(seen.there)).toEqual({ kept: '2' }));
  await eventually(() => expect(seen.problem).toBeUndefined());
});

test('when the server forgot what happened since, everything is listed again, and what is gone is told as removed', async () => {
  const { seen, set, unset } = await followed('forgotten');
  network.cut();
  await set('made-and-gone', '1');
  await unset('made-and-gone');
  await unset('gone');
  await set('kept', '2');
  await set('new', '1');
  await kubernetes.compact();
  // Its cache knows more than the database.
  await kubernetes.stopApiServer();
  await kubernetes.startApiServer();
  network.mend();
  await eventually(() => expect(Object.fromEntries(seen.there)).toEqual({ kept: '2', new: '1' }));
  expect(seen.lists).toBe(2);
  expect(seen.removals).toEqual(['gone']);
});

test('without the right to it, trouble says so, and following begins when the right is there', async () => {
  const account = { namespace: 'default', name: 'nobody' };
  const client = await clientInCluster(await kubernetes.inClusterMount(account));
  const seen = new Recorder();
  void client.follow({ path: '/api/v1/namespaces/default/configmaps' }, reduceConfigMap, seen, over.signal);
  await eventually(() =>
    expect(seen.problem).toBe('GET /api/v1/namespaces/default/configmaps was answered with 403 Forbidden'),
  );
  await kubernetes.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace: 'default', name: 'nobody' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
  await eventually(() => expect(seen.lists).toBe(1));
  expect(seen.problem).toBeUndefined();
});
