import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { FakeArgoCd, type NewApplication } from '../support/fake-argo-cd.ts';

const PATH = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/one';
const HARD = { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } };
const { signal } = new AbortController();

async function argoWith(application: Partial<NewApplication> = {}): Promise<{
  clock: FakeClock;
  argo: FakeArgoCd;
  images: { now: string };
  renderings: () => number;
}> {
  const clock = new FakeClock();
  const images = { now: 'v1' };
  let renderings = 0;
  const argo = new FakeArgoCd(clock, async () => {
    renderings += 1;
    return { manifests: images.now };
  });
  await argo.add({ ...application, name: 'one' });
  return { clock, argo, images, renderings: () => renderings };
}

test('a hard refresh renders, and is taken away with the status of its reconcile', async () => {
  const { clock, argo, images, renderings } = await argoWith();
  const before = argo.byInstanceName('one')?.reconciledAt;
  images.now = 'v2';
  await clock.advance(5000);
  await argo.kubernetes.patch(PATH, HARD, signal);
  expect(argo.byInstanceName('one')).toMatchObject({
    refreshAsked: 'hard',
    syncStatus: 'Synced',
    reconciledAt: before,
  });
  await clock.advance(5000);
  expect(argo.byInstanceName('one')).not.toHaveProperty('refreshAsked');
  expect(argo.byInstanceName('one')?.syncStatus).toBe('OutOfSync');
  expect(argo.byInstanceName('one')?.reconciledAt).not.toBe(before);
  expect(renderings()).toBe(2);
});

test('a timed refresh takes what was rendered before', async () => {
  const { argo, images, renderings } = await argoWith();
  images.now = 'v2';
  argo.reconcile('one');
  expect(argo.byInstanceName('one')?.syncStatus).toBe('Synced');
  expect(renderings()).toBe(1);
});

test('a failed comparison shows as Unknown, with its error', async () => {
  const { clock, argo } = await argoWith();
  argo.behaviourOf('one').brokenBy = 'broken';
  argo.hardRefresh('one');
  await clock.advance(1000);
  expect(argo.byInstanceName('one')).toMatchObject({ syncStatus: 'Unknown', comparisonError: 'broken' });
});

test.for([
  { name: 'self-heal syncs the changed resources', automated: { selfHeal: true, prune: true }, want: [true] },
  { name: 'without self-heal a revision is not synced twice', automated: { selfHeal: false, prune: true }, want: [] },
])('$name', async ({ automated, want }) => {
  const { clock, argo, images } = await argoWith({ automated });
  images.now = 'v2';
  argo.hardRefresh('one');
  await clock.advance(10_000);
  expect(argo.syncs.map(({ selective }) => selective)).toEqual(want);
  expect(argo.liveOf('one')).toBe(want.length > 0 ? 'v2' : 'v1');
});

test('a new revision is synced as a whole', async () => {
  const { clock, argo, images } = await argoWith({ automated: { selfHeal: false, prune: true } });
  images.now = 'v2';
  await argo.push('one', 'commit-2');
  await clock.advance(10_000);
  expect(argo.syncs.map(({ selective }) => selective)).toEqual([false]);
});

test('a patch for an older version is a conflict; one that is not ours is a bug; one of nothing is 404', async () => {
  const { argo } = await argoWith();
  const { kubernetes } = argo;
  const object = await kubernetes.get(PATH, signal);
  argo.edit('one', { project: 'other' });
  const { resourceVersion } = object.metadata;
  const late = kubernetes.patch(PATH, { metadata: { resourceVersion }, operation: {} }, signal);
  await expect(late).rejects.toMatchObject({ status: 409 });
  await expect(kubernetes.patch(PATH, { spec: {} }, signal)).rejects.toThrow('not a patch of ours');
  await expect(kubernetes.patch(PATH.replace('one', 'two'), HARD, signal)).rejects.toMatchObject({ status: 404 });
});
