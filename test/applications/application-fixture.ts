import type { KubernetesObject } from '../../src/kubernetes/kubernetes.ts';
import type { ApiObject } from '../support/real-kubernetes-api.ts';

/** An Application as a team writes it. */
export function applicationObject(
  namespace: string,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
): ApiObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { namespace, name },
    spec: {
      project: 'default',
      destination: { server: 'https://kubernetes.default.svc', namespace: 'web' },
      source: {
        repoURL: 'https://example.com/deploy',
        path: 'overlays/production',
        targetRevision: 'main',
        plugin: { name: 'image-resolver', parameters: [{ name: 'images', array: ['web=example.com/web:^1'] }] },
      },
      ...spec,
    },
  };
}

/** What Argo CD wrote of it, in the shape of Argo CD 3.2. */
export const STATUS: Readonly<Record<string, unknown>> = {
  sync: {
    status: 'OutOfSync',
    revision: '4b1f1b2f6c3a0f0f1e2d3c4b5a69788796a5b4c3',
    comparedTo: { destination: {}, source: { repoURL: 'https://example.com/deploy' } },
  },
  health: { status: 'Healthy' },
  reconciledAt: '2026-03-01T12:00:00Z',
  conditions: [
    { type: 'OrphanedResourceWarning', message: 'one' },
    { type: 'ComparisonError', message: 'two', lastTransitionTime: '2026-03-01T12:00:00Z' },
    { type: 'InvalidSpecError', message: 'three' },
  ],
  operationState: {
    phase: 'Succeeded',
    message: 'successfully synced',
    startedAt: '2026-03-01T11:00:00Z',
    finishedAt: '2026-03-01T11:00:01Z',
    operation: { sync: { revision: 'main', resources: [{ kind: 'Deployment', name: 'web' }] } },
    syncResult: { revision: 'aaaa', source: { repoURL: 'https://example.com/deploy' } },
  },
  resources: [
    { kind: 'Deployment', name: 'web', status: 'OutOfSync', version: 'v1' },
    { kind: 'Job', name: 'migrate', hook: true, version: 'v1' },
  ],
  summary: { images: ['example.com/web:1.0.0'] },
};

/** As the API answers it. */
export function answered(object: ApiObject, more: Readonly<Record<string, unknown>> = {}): KubernetesObject {
  return { ...object, ...more, metadata: { uid: 'u-1', resourceVersion: '1', ...object.metadata } };
}
