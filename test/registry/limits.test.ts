import { expect, test } from 'vitest';
import { SharedFlights } from '../../src/registry/coalesce.ts';
import { HostLimiter } from '../../src/registry/rate.ts';
import { memoryThrottle } from '../../src/registry/throttle.ts';
import { deadlineOf, signalWithDeadline, withDeadline, type Sleep } from '../../src/registry/time.ts';
import { patient } from './client-under-test.ts';

function movingClock() {
  let nowMs = 1_000_000;
  const slept: number[] = [];
  const sleep: Sleep = async (ms, signal) => {
    signal.throwIfAborted();
    slept.push(ms);
    nowMs += ms;
  };
  return { clock: { now: () => nowMs }, set: (ms: number) => (nowMs = ms), slept, sleep };
}

test("a host gets a second's worth at once, then its rate", async () => {
  const time = movingClock();
  const limiter = new HostLimiter(time.clock, time.sleep);
  const limits = { requestsPerSecond: 4, concurrency: 100 };
  for (let request = 0; request < 7; request += 1) (await limiter.enter('r', limits, patient()))();
  expect(time.slept).toEqual([250, 250]); // five at once: four saved up, one of its own time
  (await limiter.enter('other', limits, patient()))();
  expect(time.slept).toHaveLength(2);
});

test('a clock set back a day does not hold requests for a day', async () => {
  const time = movingClock();
  const limiter = new HostLimiter(time.clock, time.sleep);
  const limits = { requestsPerSecond: 1, concurrency: 1 };
  (await limiter.enter('r', limits, patient()))();
  time.set(1_000_000 - 86_400_000);
  (await limiter.enter('r', limits, patient()))();
  expect(time.slept.every((ms) => ms <= 1000)).toBe(true);
});

test('no more than so many are in flight; whoever goes away leaves the queue', async () => {
  const time = movingClock();
  const limiter = new HostLimiter(time.clock, time.sleep);
  const limits = { requestsPerSecond: 1000, concurrency: 2 };
  const leave = [await limiter.enter('r', limits, patient()), await limiter.enter('r', limits, patient())];
  const order: string[] = [];
  const leaving = new AbortController();
  const gone = limiter.enter('r', limits, leaving.signal);
  const third = limiter.enter('r', limits, patient()).then((done) => {
    order.push('third');
    return done;
  });
  leaving.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  expect(order).toEqual([]);
  leave[0]?.();
  leave[0]?.(); // a second time means nothing
  const done = await third;
  const fourth = limiter.enter('r', limits, patient()).then(() => order.push('fourth'));
  await Promise.resolve();
  expect(order).toEqual(['third']);
  done();
  await fourth;
  expect(order).toEqual(['third', 'fourth']);
});

test('a shared flight may take as long as its most patient caller', async () => {
  const flights = new SharedFlights<number>();
  const landing = Promise.withResolvers<number>();
  let seen: AbortSignal | undefined;
  const start = (signal: AbortSignal): Promise<number> => {
    seen = signal;
    return landing.promise;
  };
  const short = flights.join('k', withDeadline(patient(), 1000), start);
  await Promise.resolve();
  expect(seen && deadlineOf(seen)).toBe(1000);
  const long = flights.join('k', withDeadline(patient(), 5000), start);
  expect(seen && deadlineOf(seen)).toBe(5000);
  landing.resolve(7);
  expect(await Promise.all([short, long])).toEqual([7, 7]);
});

test("a deadline is no later than its parent's", () => {
  const clock = { now: () => 100 };
  expect(deadlineOf(signalWithDeadline(60_000, clock, withDeadline(patient(), 500)))).toBe(500);
  expect(deadlineOf(signalWithDeadline(60_000, clock, patient()))).toBe(60_100);
  expect(deadlineOf(patient())).toBe(Infinity);
});

test('pauses are bounded: the oldest goes first', () => {
  const throttle = memoryThrottle();
  for (let host = 0; host < 1001; host += 1) throttle.pause(`host h${host}`, 5);
  expect(throttle.pausedUntil('host h0')).toBeUndefined();
  expect(throttle.pausedUntil('host h1')).toBe(5);
  expect(throttle.pausedUntil('host h1000')).toBe(5);
});
