import { beforeEach, describe, expect, test } from 'vitest';
import { KubernetesError, type TokenReview } from '../../src/kubernetes/kubernetes.ts';
import { createTokenReviewer, type ReviewAnswer, type TokenReviewer } from '../../src/kubernetes/token-reviews.ts';
import { FakeClock } from '../support/clock.ts';

const KNOWN: TokenReview = {
  kind: 'authenticated',
  username: 'system:serviceaccount:argocd:repo',
  groups: [],
  uid: 'u',
};
const { signal } = new AbortController();

let clock: FakeClock;
let reviewer: TokenReviewer;
let asked: number;
let answer: () => Promise<TokenReview>;

beforeEach(() => {
  clock = new FakeClock();
  asked = 0;
  answer = () => Promise.resolve(KNOWN);
  const kubernetes = {
    reviewToken: (): Promise<TokenReview> => {
      asked += 1;
      return answer();
    },
  };
  reviewer = createTokenReviewer({ kubernetes, audiences: ['image-resolver'], now: clock.now, sleep: clock.sleep });
});

function down(): Promise<never> {
  return Promise.reject(new KubernetesError('POST tokenreviews was not answered (ECONNREFUSED)'));
}

function tokenUntil(ms: number): string {
  return `x.${Buffer.from(JSON.stringify({ exp: ms / 1000 })).toString('base64url')}.x`;
}

/** What is answered after each of these waits, and how often the API was asked until then. */
async function overTime(
  token: string,
  waits: readonly number[],
): Promise<readonly (readonly [ReviewAnswer['kind'], number])[]> {
  const found: [ReviewAnswer['kind'], number][] = [];
  for (const ms of waits) {
    clock.jump(ms);
    const { kind } = await clock.run(reviewer.review(token, signal));
    found.push([kind, asked]);
  }
  return found;
}

test('an accepted token is asked for once a minute', async () => {
  expect(await overTime('token', [0, 59_999, 1])).toEqual([
    ['authenticated', 1],
    ['authenticated', 1],
    ['authenticated', 2],
  ]);
});

test('a rejected token is asked for every ten seconds, and may become good', async () => {
  answer = () => Promise.resolve({ kind: 'rejected' });
  expect(await overTime('token', [0, 9_999, 1])).toEqual([
    ['rejected', 1],
    ['rejected', 1],
    ['rejected', 2],
  ]);
  answer = () => Promise.resolve(KNOWN);
  expect(await overTime('token', [10_000])).toEqual([['authenticated', 3]]);
});

test('a token that was taken back is rejected within a minute', async () => {
  expect(await overTime('token', [0])).toEqual([['authenticated', 1]]);
  answer = () => Promise.resolve({ kind: 'rejected' });
  expect(await overTime('token', [60_000])).toEqual([['rejected', 2]]);
  answer = down;
  expect(await overTime('token', [10_000])).toEqual([['unavailable', 3]]);
});

test('an answer does not outlive the token, in an outage neither', async () => {
  const token = tokenUntil(clock.now() + 30_000);
  expect(await overTime(token, [0])).toEqual([['authenticated', 1]]);
  answer = down;
  expect(await overTime(token, [29_999, 1])).toEqual([
    ['authenticated', 1],
    ['unavailable', 2],
  ]);
});

test('in an outage who was known is let in for ten minutes, the API asked now and then, and nobody else', async () => {
  expect(await overTime('token', [0])).toEqual([['authenticated', 1]]);
  answer = down;
  expect(await overTime('token', [60_000, 4_999, 1])).toEqual([
    ['authenticated', 2],
    ['authenticated', 2],
    ['authenticated', 3],
  ]);
  expect(await overTime('other', [0])).toEqual([['unavailable', 4]]);
  expect(await overTime('token', [534_999, 1])).toEqual([
    ['authenticated', 5],
    ['unavailable', 6],
  ]);
});

test('an API that hangs keeps who was known waiting for a second only', async () => {
  expect(await overTime('token', [0])).toEqual([['authenticated', 1]]);
  answer = () => new Promise(() => undefined);
  const before = clock.now();
  expect(await overTime('token', [60_000])).toEqual([['authenticated', 2]]);
  expect(clock.now() - before).toBe(61_000);
});

test('a clock that was set back does not make an answer last longer', async () => {
  expect(await overTime('token', [0, -3_600_000])).toEqual([
    ['authenticated', 1],
    ['authenticated', 2],
  ]);
});

describe('strangers', () => {
  test('a flood of wrong tokens asks a bounded number of questions at once and pushes out nobody', async () => {
    expect(await overTime('token', [0])).toEqual([['authenticated', 1]]);
    answer = () => Promise.resolve({ kind: 'rejected' });
    for (let index = 0; index < 11_000; index++) await reviewer.review(`wrong ${index}`, signal);
    const total = asked;
    expect(await overTime('token', [0])).toEqual([['authenticated', total]]);
    answer = () => new Promise(() => undefined);
    for (let index = 0; index < 100; index++) void reviewer.review(`hanging ${index}`, signal);
    expect(asked - total).toBe(32);
    expect(await reviewer.review('one more', signal)).toMatchObject({ kind: 'unavailable' });
  });

  test('an empty or huge token is rejected without a question', async () => {
    expect(await reviewer.review('', signal)).toEqual({ kind: 'rejected' });
    expect(await reviewer.review('x'.repeat(20_000), signal)).toEqual({ kind: 'rejected' });
    expect(asked).toBe(0);
  });
});

test('who goes away ends only the own wait', async () => {
  const reply = Promise.withResolvers<TokenReview>();
  answer = () => reply.promise;
  const gone = new AbortController();
  const first = reviewer.review('token', gone.signal);
  const second = reviewer.review('token', signal);
  gone.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  reply.resolve(KNOWN);
  expect(await second).toEqual(KNOWN);
  expect(asked).toBe(1);
});
