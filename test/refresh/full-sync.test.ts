import { expect, test } from 'vitest';
import type { Application } from '../../src/applications/application.ts';
import type { KubernetesObject } from '../../src/kubernetes/kubernetes.ts';
import { fullSyncOf } from '../../src/refresh/full-sync.ts';

const application = {
  revisions: ['c1'],
  lastSync: { phase: 'Succeeded', finishedAt: 'then' },
} as unknown as Application;

interface Change {
  readonly metadata?: object;
  readonly operation?: object;
  readonly automated?: object;
  readonly syncPolicy?: object;
  readonly sync?: object;
  readonly operationState?: object;
  readonly resources?: readonly object[];
}

function object(change: Change = {}): KubernetesObject {
  return {
    metadata: { name: 'one', resourceVersion: '7', ...change.metadata },
    ...(change.operation && { operation: change.operation }),
    spec: {
      source: { repoURL: 'https://git.example.com/one', helm: { valuesObject: { a: null } } },
      syncPolicy: { automated: { prune: true, ...change.automated }, ...change.syncPolicy },
    },
    status: {
      sync: { status: 'OutOfSync', revision: 'c1', ...change.sync },
      operationState: { phase: 'Succeeded', finishedAt: 'then', ...change.operationState },
      resources: change.resources ?? [{ kind: 'Deployment', status: 'OutOfSync' }, { requiresPruning: true }],
    },
  };
}

test('sync options and retry are those of the Application', () => {
  const syncPolicy = { syncOptions: ['ServerSideApply=true'], retry: { limit: 2, backoff: { duration: '5s' } } };
  const patch = {
    metadata: { resourceVersion: '7' },
    operation: {
      initiatedBy: { username: 'image-resolver', automated: true },
      sync: { revision: 'c1', prune: true, syncOptions: ['ServerSideApply=true'], syncStrategy: { hook: {} } },
      retry: { limit: 2, backoff: { duration: '5s' } },
    },
    status: { operationState: null },
  };
  expect(fullSyncOf(object({ syncPolicy }), application)).toEqual({ kind: 'patch', patch });
});

test.for<{ readonly name: string; readonly change: Change; readonly kind?: 'prunes-all' }>([
  { name: 'an operation is asked for', change: { operation: { sync: {} } } },
  { name: 'an operation runs', change: { operationState: { phase: 'Running' } } },
  { name: 'an operation ended that was not seen yet', change: { operationState: { finishedAt: 'now' } } },
  { name: 'it is being deleted', change: { metadata: { deletionTimestamp: 'now' } } },
  { name: 'it is in sync', change: { sync: { status: 'Synced' } } },
  { name: 'its revision is another', change: { sync: { revision: 'c2' } } },
  { name: 'automated sync is disabled', change: { automated: { enabled: false } } },
  { name: 'it heals itself', change: { automated: { selfHeal: true } } },
  { name: 'everything would be pruned', change: { resources: [{ requiresPruning: true }] }, kind: 'prunes-all' },
])('nothing is started when $name', ({ change, kind = 'otherwise' }) => {
  expect(fullSyncOf(object(), application).kind).toBe('patch');
  expect(fullSyncOf(object(change), application)).toEqual({ kind });
});
