import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { FakeClock } from '../support/clock.ts';
import { digestOf, faultOf, MemoryRegistry } from '../support/memory-registry.ts';
import { accessOf, API, repository } from './harness.ts';

// The registry and the clock that the resolver's tests trust.

const access = accessOf(repository(), { application: 'a', project: 'p' });
const never = new AbortController().signal;

test('the registry lists, shows digests and dates, and counts', async () => {
  const registry = new MemoryRegistry();
  const digest = registry.push(API, '1.0', { createdMs: 7 });
  expect(await registry.list(access, undefined, never)).toEqual({ kind: 'complete', tags: ['1.0'] });
  expect(await registry.head(access, '1.0' as Tag, never)).toEqual({ kind: 'found', digest });
  expect(await registry.built(access, digest, [], never)).toEqual({ kind: 'built', createdMs: 7 });
  expect(await registry.inspect(access, '1.0' as Tag, [], never)).toEqual({
    head: { kind: 'found', digest },
    built: { kind: 'built', createdMs: 7 },
  });
  expect(registry.requests.map(({ kind }) => kind)).toEqual(['list', 'head', 'built', 'inspect']);
});

test('what was never pushed, or was removed, is missing', async () => {
  const registry = new MemoryRegistry();
  expect(await registry.list(access, undefined, never)).toMatchObject({ kind: 'failed', fault: { kind: 'missing' } });
  registry.push(API, '1.0');
  registry.remove(API, '1.0');
  expect(await registry.head(access, '1.0' as Tag, never)).toMatchObject({
    fault: { error: { code: 'MANIFEST_NOT_FOUND' } },
  });
  expect(await registry.list(access, undefined, never)).toEqual({ kind: 'complete', tags: [] });
});

test('a scope with content of its own sees nothing else', async () => {
  const registry = new MemoryRegistry();
  registry.push(API, 'everybody');
  registry.push(API, 'own', { scope: 'scope:p' });
  expect(await registry.list(access, undefined, never)).toMatchObject({ tags: ['own'] });
});

test('an unchanged listing is told by its ETag only', async () => {
  const registry = new MemoryRegistry();
  registry.etags = true;
  registry.push(API, '1.0');
  const first = await registry.list(access, undefined, never);
  const validators = first.kind === 'complete' ? first.validators : undefined;
  expect(await registry.list(access, validators, never)).toEqual({ kind: 'unchanged' });
  registry.push(API, '1.1');
  expect(await registry.list(access, validators, never)).toMatchObject({ kind: 'complete', tags: ['1.0', '1.1'] });
});

test('it fails as told, and ends with the signal', async () => {
  const clock = new FakeClock();
  const registry = new MemoryRegistry(clock);
  registry.push(API, '1.0');
  registry.fault = ({ kind }) => (kind === 'list' ? faultOf('throttled') : undefined);
  expect(await registry.list(access, undefined, never)).toMatchObject({ fault: { kind: 'throttled' } });
  expect(await registry.head(access, '1.0' as Tag, never)).toMatchObject({ kind: 'found' });
  registry.latencyMs = 1_000;
  const stop = new AbortController();
  const head = registry.head(access, '1.0' as Tag, stop.signal);
  stop.abort();
  expect(await head).toMatchObject({ fault: { kind: 'cancelled' } });
  expect(clock.sleeping).toBe(0);
});

test('the clock wakes in order, and a jump of the wall clock wakes nobody', async () => {
  const clock = new FakeClock(0);
  const woken: string[] = [];
  const sleeper = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms, never);
    woken.push(`${name} ${clock.now()}`);
  };
  void sleeper('late', 20);
  void sleeper('early', 10);
  clock.jump(1_000);
  await clock.advance(5);
  expect(woken).toEqual([]);
  await clock.advance(15);
  expect(woken).toEqual(['early 1010', 'late 1020']);
});

test('running a promise lets exactly the time pass that it waits for', async () => {
  const clock = new FakeClock(0);
  const work = async (): Promise<number> => {
    await clock.sleep(5, never);
    await clock.sleep(7, never);
    return clock.now();
  };
  expect(await clock.run(work())).toBe(12);
  await expect(clock.run(Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(digestOf('a')).toMatch(/^sha256:[0-9a-f]{64}$/);
});
