import { expect, test } from 'vitest';
import type { Collection, Kubernetes, KubernetesObject } from '../../src/kubernetes/kubernetes.ts';
import { createApiSecrets } from '../../src/kubernetes/secrets.ts';
import { FakeClock } from '../support/clock.ts';

/** What the API tells of one followed secret. */
interface Line {
  readonly selector: string | undefined;
  readonly signal: AbortSignal;
  tell(object: KubernetesObject): void;
  listed(): void;
  trouble(problem: string | undefined, status?: number): void;
}

function apiOf(lines: Line[]): Pick<Kubernetes, 'follow'> {
  return {
    follow: ({ fieldSelector }: Collection, reduce, follower, signal) => {
      lines.push({
        selector: fieldSelector,
        signal,
        tell: (object) => follower.changed(reduce(object).value),
        listed: () => follower.listed(),
        trouble: (problem, status) => follower.trouble(problem, status),
      });
      return Promise.resolve();
    },
  };
}

function secretObject(name: string, value: string): KubernetesObject {
  return {
    metadata: { name, uid: 'u', resourceVersion: value },
    data: { field: Buffer.from(value).toString('base64') },
  };
}

function setUp(maxFollowed = 500): {
  readonly clock: FakeClock;
  readonly lines: Line[];
  readonly changed: string[];
  readonly read: (name: string) => Promise<{ readonly kind: string }>;
} {
  const clock = new FakeClock();
  const lines: Line[] = [];
  const changed: string[] = [];
  const { signal } = new AbortController();
  const secrets = createApiSecrets({
    kubernetes: apiOf(lines),
    now: clock.now,
    sleep: clock.sleep,
    signal,
    changed: (namespace, name) => changed.push(`${namespace}/${name}`),
    maxFollowed,
  });
  return { clock, lines, changed, read: (name) => secrets.read('team-a', name, ['field']) };
}

async function firstRead(
  { lines, read }: Pick<ReturnType<typeof setUp>, 'lines' | 'read'>,
  name: string,
): Promise<void> {
  const reading = read(name);
  lines.at(-1)?.tell(secretObject(name, name));
  lines.at(-1)?.listed();
  expect(await reading).toMatchObject({ kind: 'read', text: name });
}

test('the first read waits for five seconds, once, and later ones do not', async () => {
  const { clock, lines, read } = setUp();
  const start = clock.now();
  expect(await clock.run(read('slow'))).toMatchObject({
    kind: 'unreadable',
    problem: 'could not be read yet: the Kubernetes API does not answer',
  });
  expect(clock.now() - start).toBe(5_000);
  expect(await read('slow')).toMatchObject({ kind: 'unreadable' });
  lines[0]?.tell(secretObject('slow', 'here'));
  expect(await read('slow')).toMatchObject({ kind: 'read', text: 'here' });
  expect(lines).toHaveLength(1);
});

test('in an outage a known secret is answered from memory; when the right to it is taken away it is not', async () => {
  const set = setUp();
  await firstRead(set, 'known');
  set.lines[0]?.trouble('GET was not answered (ECONNREFUSED)');
  expect(await set.read('known')).toMatchObject({ kind: 'read' });
  set.lines[0]?.trouble('GET was answered with 403 Forbidden', 403);
  expect(await set.read('known')).toMatchObject({ problem: 'may not be read by the controller' });
  set.lines[0]?.trouble(undefined);
  expect(await set.read('known')).toMatchObject({ kind: 'read', text: 'known' });
});

test('no more secrets are followed than allowed: who was asked for longest ago gives way', async () => {
  const set = setUp(2);
  for (const name of ['one', 'two']) await firstRead(set, name);
  await set.read('one');
  await firstRead(set, 'three');
  expect(set.lines.map(({ selector, signal }) => [selector, signal.aborted])).toEqual([
    ['metadata.name=one', false],
    ['metadata.name=two', true],
    ['metadata.name=three', false],
  ]);
});

test('a secret nobody asks for is let go after an hour', async () => {
  const set = setUp();
  for (const name of ['idle', 'busy']) await firstRead(set, name);
  for (let tenMinutes = 0; tenMinutes < 8; tenMinutes++) {
    await set.clock.advance(600_000);
    await set.read('busy');
  }
  expect(set.lines.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  await firstRead(set, 'idle');
});

test('who failed by a secret is told when it is renewed, removed, or may be read again, and only then', async () => {
  const { changed, ...set } = setUp();
  await firstRead(set, 'pull');
  changed.length = 0;
  const [line] = set.lines;
  line?.tell(secretObject('pull', 'pull'));
  line?.trouble('GET was not answered (ECONNREFUSED)');
  line?.trouble(undefined);
  expect(changed).toEqual([]);
  line?.tell(secretObject('pull', 'renewed'));
  expect(changed).toEqual(['team-a/pull']);
  line?.trouble('GET was answered with 403 Forbidden', 403);
  line?.trouble(undefined);
  expect(changed).toEqual(['team-a/pull', 'team-a/pull']);
});
