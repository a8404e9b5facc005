import { expect, test } from 'vitest';
import { keepStoreSmall } from '../../src/controller/upkeep.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../support/clock.ts';

const HOUR = 60 * 60_000;

test('a controller that runs on lets its store forget, until nothing is left, and later again', async () => {
  const clock = new FakeClock();
  let left = 3;
  const asked: number[] = [];
  const store = {
    forgetUnused: async () => {
      asked.push(left);
      left = Math.max(left - 1, 0);
      return left > 0;
    },
  } as Store;
  const stop = new AbortController();
  const ended = keepStoreSmall(store, clock, stop.signal);
  await clock.advance(HOUR);
  expect(asked).toEqual([3, 2, 1]);
  await clock.advance(HOUR);
  expect(asked).toEqual([3, 2, 1, 0]);
  stop.abort();
  await ended;
});
