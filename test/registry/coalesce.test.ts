import { expect, test } from 'vitest';
import { SharedFlights } from '../../src/registry/coalesce.ts';

test('work that ended by itself is not stopped any more, and what nobody waits for is, for the reason of the last', async () => {
  const flights = new SharedFlights<string>();
  const signals: AbortSignal[] = [];
  const landed = await flights.join('key', new AbortController().signal, async (signal) => {
    signals.push(signal);
    return 'answer';
  });
  const leaving = new AbortController();
  const left = flights.join('key', leaving.signal, async (signal) => {
    signals.push(signal);
    return new Promise<string>(() => undefined);
  });
  await Promise.resolve();
  leaving.abort('gone');
  await expect(left).rejects.toBe('gone');
  expect(landed).toBe('answer');
  expect(signals.map(({ aborted, reason }) => ({ aborted, reason: reason as unknown }))).toEqual([
    { aborted: false, reason: undefined },
    { aborted: true, reason: 'gone' },
  ]);
});
