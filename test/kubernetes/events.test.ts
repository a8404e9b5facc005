import { expect, test } from 'vitest';
import { createEventRecorder } from '../../src/kubernetes/events.ts';
import { type EventRecorder, KubernetesError, type KubernetesObject } from '../../src/kubernetes/kubernetes.ts';
import { FakeClock } from '../support/clock.ts';

const DONE: KubernetesObject = { metadata: { name: 'done' } };

interface Written {
  readonly how: 'create' | 'patch';
  readonly body: Readonly<Record<string, unknown>>;
}

function setUp(answer: () => Promise<KubernetesObject> = () => Promise.resolve(DONE)): {
  readonly clock: FakeClock;
  readonly written: Written[];
  readonly troubles: (string | undefined)[];
  readonly recorder: EventRecorder;
} {
  const clock = new FakeClock();
  const written: Written[] = [];
  const troubles: (string | undefined)[] = [];
  const note = (how: Written['how'], body: unknown): Promise<KubernetesObject> => {
    written.push({ how, body: body as Written['body'] });
    return answer();
  };
  const recorder = createEventRecorder({
    kubernetes: { create: (_, body) => note('create', body), patch: (_, body) => note('patch', body) },
    now: clock.now,
    sleep: clock.sleep,
    signal: new AbortController().signal,
    trouble: (problem) => troubles.push(problem),
  });
  return { clock, written, troubles, recorder };
}

const subject = (index: number): Parameters<EventRecorder['record']>[0] => ({
  namespace: 'argocd',
  name: `app-${index}`,
  uid: `u-${index}`,
});
const moved = (message: string): Parameters<EventRecorder['record']>[1] => ({
  type: 'Normal',
  reason: 'ImageMoved',
  message,
});

test('the same event is written again every ten minutes at most, with how often it was', async () => {
  const { clock, written, recorder } = setUp();
  for (let minute = 0; minute < 25; minute++) {
    recorder.record(subject(1), moved('same'));
    await clock.advance(60_000);
  }
  expect(written.map(({ how, body }) => [how, body['count']])).toEqual([
    ['create', 1],
    ['patch', 11],
    ['patch', 21],
  ]);
});

test('an event that the API server has forgotten is made anew', async () => {
  const faults = [undefined, 404, undefined];
  const { clock, written, recorder } = setUp(() => {
    const status = faults.shift();
    return status === undefined ? Promise.resolve(DONE) : Promise.reject(new KubernetesError('no', status));
  });
  recorder.record(subject(1), moved('same'));
  await clock.advance(3_700_000);
  recorder.record(subject(1), moved('same'));
  await clock.advance(1_000);
  expect(written.map(({ how, body }) => [how, body['count']])).toEqual([
    ['create', 1],
    ['patch', 2],
    ['create', 2],
  ]);
});

test('one application that talks much is held back, and others are not', async () => {
  const { clock, written, recorder } = setUp();
  for (let index = 0; index < 100; index++) recorder.record(subject(1), moved(`message ${index}`));
  recorder.record(subject(2), moved('other'));
  await clock.advance(10_000);
  expect(written).toHaveLength(11);
  await clock.advance(120_000);
  for (let index = 0; index < 100; index++) recorder.record(subject(1), moved(`later ${index}`));
  await clock.advance(10_000);
  expect(written).toHaveLength(13);
});

test('what waits is bounded, and written one after the other', async () => {
  const { clock, written, recorder } = setUp();
  for (let index = 0; index < 5_000; index++) recorder.record(subject(index), moved('down'));
  await clock.advance(1_000);
  expect(written.length).toBeLessThanOrEqual(21);
  await clock.advance(100_000);
  expect(written).toHaveLength(1_001);
});

test('an API that refuses disturbs nobody, is told once, and events go on when it is back', async () => {
  let isDown = true;
  const { clock, written, troubles, recorder } = setUp(() =>
    isDown
      ? Promise.reject(new KubernetesError('POST events was answered with 403 Forbidden', 403))
      : Promise.resolve(DONE),
  );
  for (let index = 0; index < 3; index++) recorder.record(subject(index), moved('x'));
  await clock.advance(1_000);
  isDown = false;
  recorder.record(subject(1), moved('x'));
  await clock.advance(1_000);
  expect(troubles).toEqual(['POST events was answered with 403 Forbidden', undefined]);
  expect(written).toHaveLength(4);
});
