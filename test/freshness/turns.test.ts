import { expect, test } from 'vitest';
import type { Target } from '../../src/freshness/target.ts';
import { Turns } from '../../src/freshness/turns.ts';

const targetAt = (host: string): Target => ({ access: { endpoint: { apiUrl: host } } }) as Target;

/** Turns, and looks that end when the test says so. */
function turnsAt(host: string, due: readonly number[]) {
  const turns = new Turns();
  const targets = due.map((at) => {
    const target = targetAt(host);
    turns.regular.set(target, at);
    return target;
  });
  const begin = (target: Target | undefined): { end(): Promise<void> } => {
    const looking = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    if (target === undefined) throw new Error('none is due');
    turns.begin(target, looking.promise, ended.resolve);
    return {
      end() {
        looking.resolve();
        return ended.promise;
      },
    };
  };
  return { turns, targets, begin };
}

test('what is due at a host within half a second is looked at together, one after the other', async () => {
  const { turns, targets, begin } = turnsAt('a', [10_010, 10_480, 10_510]);
  expect(turns.next).toBe(10_500);
  expect(turns.take(10_499)).toBeUndefined();
  const first = turns.take(10_500);
  expect(first).toBe(targets[0]);
  const look = begin(first);
  expect(turns.take(10_500)).toBeUndefined();
  await look.end();
  const second = turns.take(10_530);
  expect(second).toBe(targets[1]);
  await begin(second).end();
  // Due as well by now, but of the next half second.
  expect(turns.take(10_560)).toBeUndefined();
  expect(turns.next).toBe(11_000);
});

test('what is late does not wait for who takes long, up to twelve at a host', () => {
  const { turns, begin } = turnsAt(
    'a',
    Array.from({ length: 20 }, () => 1_000),
  );
  begin(turns.take(1_000));
  expect(turns.next).toBe(1_500);
  expect(turns.take(1_499)).toBeUndefined();
  let looks = 1;
  for (let target = turns.take(1_500); target !== undefined; target = turns.take(1_500)) {
    begin(target);
    looks += 1;
  }
  expect(looks).toBe(12);
  expect(turns.next).toBe(Infinity);
});

test('hosts do not wait for each other', () => {
  const { turns, begin } = turnsAt('a', [1_000, 1_000]);
  const other = targetAt('b');
  turns.regular.set(other, 1_000);
  begin(turns.take(1_000));
  expect(turns.take(1_000)).toBe(other);
});

test('what somebody waits for begins at once', () => {
  const { turns, begin } = turnsAt('a', [1_000]);
  begin(turns.take(1_000));
  const awaited = targetAt('a');
  turns.soon.set(awaited, 1_003);
  expect(turns.next).toBe(1_003);
  expect(turns.take(1_003)).toBe(awaited);
});
