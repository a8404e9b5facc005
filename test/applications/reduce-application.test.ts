import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { reduceApplication } from '../../src/applications/reduce-application.ts';
import { reduceProject } from '../../src/applications/reduce-project.ts';
import { answered, applicationObject, STATUS } from './application-fixture.ts';

const web = applicationObject('argocd', 'web');
const reduce = (object: Parameters<typeof reduceApplication>[0]): ReturnType<typeof reduceApplication> =>
  reduceApplication(object, 'argocd');

test('an Application that Argo CD has not looked at yet', () => {
  expect(reduce(answered(web))).toEqual({
    namespace: 'argocd',
    name: 'web',
    uid: 'u-1',
    instanceName: 'web',
    project: 'default',
    sources: [
      {
        repoURL: 'https://example.com/deploy',
        path: 'overlays/production',
        targetRevision: 'main',
        plugin: 'image-resolver',
      },
    ],
    specFingerprint: expect.stringMatching(/^[\w-]{22}$/) as string,
    revisions: [],
    syncStatus: 'Unknown',
    operating: false,
    hasHooks: false,
    liveImages: [],
    destination: { server: 'https://kubernetes.default.svc', name: '', namespace: 'web' },
    deleting: false,
    refreshable: false,
    hasGeneratePaths: false,
  });
});

test('what Argo CD says of it', () => {
  expect(reduce(answered(web, { status: STATUS }))).toMatchObject({
    revisions: ['4b1f1b2f6c3a0f0f1e2d3c4b5a69788796a5b4c3'],
    syncStatus: 'OutOfSync',
    reconciledAt: '2026-03-01T12:00:00Z',
    comparisonError: 'two',
    operating: false,
    lastSync: { phase: 'Succeeded', revisions: ['aaaa'], finishedAt: '2026-03-01T11:00:01Z', selective: true },
    hasHooks: true,
    liveImages: ['example.com/web:1.0.0'],
  });
});

test('in another namespace the instance name has a prefix', () => {
  expect(reduce(answered(applicationObject('team-a', 'web'))).instanceName).toBe('team-a_web');
});

describe('sources', () => {
  const first = { repoURL: 'https://example.com/one', path: 'a', targetRevision: 'v1' };
  const second = { repoURL: 'https://example.com/charts', chart: 'web', targetRevision: '1.0.0' };
  test('of several, all in their order, with their revisions', () => {
    const spec = { source: undefined, sources: [first, second] };
    const { sources, revisions } = reduce(
      answered(applicationObject('argocd', 'web', spec), {
        status: { sync: { status: 'Synced', revisions: ['x', 'y'] } },
      }),
    );
    expect(sources).toEqual([first, { repoURL: second.repoURL, path: '', targetRevision: '1.0.0' }]);
    expect(revisions).toEqual(['x', 'y']);
  });
  test('of a hydrated Application, the dry one', () => {
    const spec = {
      source: undefined,
      sourceHydrator: { drySource: first, syncSource: { targetBranch: 'env', path: 'a' } },
    };
    expect(reduce(answered(applicationObject('argocd', 'web', spec))).sources).toEqual([first]);
  });
});

describe('automated sync', () => {
  test.for([
    { name: 'is on without a word', automated: {}, want: { selfHeal: false, prune: false } },
    {
      name: 'as it is written',
      automated: { selfHeal: true, prune: true, enabled: true },
      want: { selfHeal: true, prune: true },
    },
    { name: 'switched off', automated: { selfHeal: true, enabled: false }, want: undefined },
  ])('$name', ({ automated, want }) => {
    expect(reduce(answered(applicationObject('argocd', 'web', { syncPolicy: { automated } }))).automated).toEqual(want);
  });
});

test.for([
  { name: 'asked for', more: { operation: { sync: {} } }, operating: true },
  { name: 'running', more: { status: { operationState: { phase: 'Running', operation: {} } } }, operating: true },
  {
    name: 'being stopped',
    more: { status: { operationState: { phase: 'Terminating', operation: {} } } },
    operating: true,
  },
  { name: 'failed', more: { status: { operationState: { phase: 'Failed', operation: {} } } }, operating: false },
])('an operation that is $name: operating is $operating', ({ more, operating }) => {
  expect(reduce(answered(web, more)).operating).toBe(operating);
});

test.for([
  { value: 'hard', asked: 'hard' },
  { value: 'normal', asked: 'normal' },
  { value: 'true', asked: 'normal' },
])('a refresh annotation $value asks for $asked', ({ value, asked }) => {
  const metadata = { ...web.metadata, annotations: { 'argocd.argoproj.io/refresh': value } };
  expect(reduce(answered({ ...web, metadata })).refreshAsked).toBe(asked);
});

test('the fingerprint changes with what is rendered, and with nothing else', () => {
  const of = (spec: Readonly<Record<string, unknown>>, status?: unknown): string =>
    reduce(answered(applicationObject('argocd', 'web', spec), { status })).specFingerprint;
  const base = of({});
  expect(of({ syncPolicy: { automated: {} } }, STATUS)).toBe(base);
  const changed = [
    of({ project: 'other' }),
    of({ destination: { server: 'https://kubernetes.default.svc', namespace: 'other' } }),
    of({ source: { repoURL: 'https://example.com/deploy', path: 'overlays/production', targetRevision: 'main' } }),
    of({ sources: [{ repoURL: 'x' }] }),
  ];
  expect(new Set([base, ...changed]).size).toBe(5);
});

test('whatever stands in the status, the Application is there, and what is kept of it is bounded', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (part, whole) => {
      const keys = Object.keys(STATUS);
      const strange = Object.fromEntries(keys.map((key) => [key, part]));
      for (const status of [strange, whole]) expect(reduce(answered(web, { status })).name).toBe('web');
    }),
  );
  const long = 'x'.repeat(100_000);
  const huge = {
    ...STATUS,
    conditions: [{ type: 'ComparisonError', message: long }],
    summary: { images: Array.from({ length: 10_000 }, (_, index) => `${index}${long}`) },
  };
  expect(JSON.stringify(reduce(answered(web, { status: huge }))).length).toBeLessThan(250_000);
});

test('an AppProject without windows, and with one of no kind', () => {
  expect(reduceProject({ metadata: { name: 'a' }, spec: {} })).toEqual({ name: 'a', syncWindows: [] });
  const window = { kind: 'sometimes', schedule: '* * * * *', duration: '1h', andOperator: true };
  expect(reduceProject({ metadata: { name: 'a' }, spec: { syncWindows: [window] } }).syncWindows).toMatchObject([
    { kind: 'other', useAnd: true, manualSync: false, timeZone: '', applications: [] },
  ]);
});

test.for([
  { name: 'one that Argo CD has looked at is rendered by a hard refresh', metadata: {}, spec: {}, want: true },
  {
    name: 'one whose reconciliation is skipped is not',
    metadata: { annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' } },
    spec: {},
    want: false,
  },
  {
    name: 'one that the source hydrator renders is not',
    metadata: {},
    spec: {
      sourceHydrator: { drySource: { repoURL: 'https://example.com/deploy', path: '.', targetRevision: 'main' } },
    },
    want: false,
  },
])('$name', ({ metadata, spec, want }) => {
  const whole = {
    ...web,
    metadata: { ...web.metadata, ...metadata },
    spec: { ...(web['spec'] as object), ...spec },
    status: { reconciledAt: '2026-03-01T10:00:00Z' },
  };
  expect(reduce(answered(whole)).refreshable).toBe(want);
});
