import { describe, expect, test } from 'vitest';
import type { KubernetesObject, TokenReview } from '../../src/kubernetes/kubernetes.ts';
import { answerList, type Handler, item, refuse, startFakeApi, tellEvent } from './fake-api.ts';
import { eventually, impatient, Recorder, reduceConfigMap } from './kubernetes-fixture.ts';

const PATH = '/api/v1/configmaps';

/** Follows until the body is done. */
async function following(
  handle: Handler,
  body: (seen: Recorder) => Promise<void>,
  seen: Recorder = new Recorder(),
): Promise<void> {
  await using api = await startFakeApi(handle);
  const over = new AbortController();
  const ended = api.client.follow({ path: PATH }, reduceConfigMap, seen, over.signal);
  try {
    await body(seen);
  } finally {
    over.abort();
    await ended;
  }
}

/** Begins a watch in which nothing happens. */
function stayQuiet(response: Parameters<Handler>[1]): void {
  response.flushHeaders();
}

test('a list that breaks off tells nothing of itself, and begins anew', async () => {
  let lists = 0;
  const asked: (string | null)[] = [];
  await following(
    (query, response) => {
      if (query.has('watch')) stayQuiet(response);
      else if (query.get('continue') === null) {
        lists += 1;
        // What the first one showed is gone when the second begins.
        answerList(response, [item(lists === 1 ? 'gone' : 'first', '1')], '10', 'more');
      } else {
        asked.push(query.get('limit'));
        if (lists === 1) refuse(response, 410, 'Expired');
        else answerList(response, [item('second', '1')], '10');
      }
    },
    async (seen) => {
      await eventually(() => expect(seen.lists).toBe(1));
      expect([...seen.there.keys()]).toEqual(['first', 'second']);
      expect(seen.removals).toEqual([]);
      expect(asked).toEqual(['500', '500']);
    },
  );
});

test('a page that is too large is asked for in halves', async () => {
  const limits: string[] = [];
  await following(
    (query, response) => {
      const limit = query.get('limit') ?? '';
      if (query.has('watch')) stayQuiet(response);
      else {
        limits.push(limit);
        if (Number(limit) > 125) response.end(Buffer.alloc(33 * 1024 * 1024, ' '));
        else answerList(response, [item('one', '1')], '10');
      }
    },
    async (seen) => {
      await eventually(() => expect(seen.lists).toBe(1));
      expect(limits).toEqual(['500', '250', '125']);
    },
  );
});

test('each watch begins where the one before ended, bookmarks included', async () => {
  const versions: string[] = [];
  await following(
    (query, response) => {
      if (!query.has('watch')) {
        answerList(response, [item('one', '1')], '10');
        return;
      }
      versions.push(query.get('resourceVersion') ?? '');
      if (versions.length === 1) tellEvent(response, 'MODIFIED', item('one', '2', '11'));
      if (versions.length === 2) tellEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '20' } });
      if (versions.length < 3) response.end();
      else stayQuiet(response);
    },
    async (seen) => {
      await eventually(() => expect(versions).toEqual(['10', '11', '20']));
      expect(seen.there.get('one')).toBe('2');
      expect(seen.lists).toBe(1);
    },
  );
});

describe('a watch that is answered with an error', () => {
  test.for([
    { name: 'that history is gone, as an event', answer: { event: 410 }, lists: 2 },
    { name: 'that history is gone, as a status', answer: { status: 410 }, lists: 2 },
    { name: 'three times that it cannot be', answer: { status: 504 }, lists: 2 },
    { name: 'that the server is busy', answer: { status: 429 }, lists: 1 },
  ])('$name: $lists lists', async ({ answer, lists }) => {
    let watches = 0;
    await following(
      (query, response) => {
        if (!query.has('watch')) {
          answerList(response, [item(watches === 0 ? 'before' : 'after', '1')], String(watches + 10));
          return;
        }
        watches += 1;
        if (watches > 5 || Number(query.get('resourceVersion')) > 10) stayQuiet(response);
        else if ('event' in answer) {
          tellEvent(response, 'ERROR', { kind: 'Status', code: answer.event });
          response.end();
        } else refuse(response, answer.status ?? 500, 'Broken');
      },
      async (seen) => {
        await eventually(() => expect(seen.lists > 1 || watches > 5).toBe(true));
        expect(seen.lists).toBe(lists);
        expect(seen.removals).toEqual(lists === 2 ? ['before'] : []);
        await eventually(() => expect(seen.problem).toBeUndefined());
        expect(seen.troubles.join()).not.toContain('canary');
      },
    );
  });
});

test('nonsense in a watch is told as trouble and stops nothing', async () => {
  await following(
    (query, response) => {
      if (!query.has('watch')) {
        answerList(response, [item('one', '1')], '10');
        return;
      }
      response.write('not json\n\n');
      response.write('{"type":"ADDED"}\n{"type":"ADDED","object":{"metadata":{"name":7}}}\n[]\n');
      tellEvent(response, 'ADDED', {
        metadata: { name: 'huge', resourceVersion: '11' },
        data: { v: 'x'.repeat(9_000_000) },
      });
      tellEvent(response, 'ADDED', item('two', '1', '12'));
    },
    async (seen) => {
      await eventually(() => expect([...seen.there.keys()]).toEqual(['one', 'two']));
      expect(seen.problem).toBeDefined();
      expect(seen.lists).toBe(1);
    },
  );
});

test('trouble with an object ends when the object is as it should be', async () => {
  await following(
    (query, response) => {
      if (!query.has('watch')) {
        answerList(response, [{ metadata: { name: 'one' } }, item('two', '1')], '10');
        return;
      }
      stayQuiet(response);
      setImmediate(() => tellEvent(response, 'MODIFIED', item('one', '1', '11')));
    },
    async (seen) => {
      await eventually(() => expect(seen.troubles).toEqual([`one of ${PATH} is not understood`, undefined]));
    },
  );
});

test('a removed object that is not understood is found by a list', async () => {
  let lists = 0;
  await following(
    (query, response) => {
      if (!query.has('watch')) {
        lists += 1;
        answerList(response, lists === 1 ? [item('one', '1')] : [], String(lists));
      } else if (lists === 1) tellEvent(response, 'DELETED', { metadata: { name: 'one', resourceVersion: '2' } });
      else stayQuiet(response);
    },
    async (seen) => {
      await eventually(() => expect(seen.removals).toEqual(['one']));
    },
  );
});

test('a fault of who follows is told as trouble and everything is told again', async () => {
  class Faulty extends Recorder {
    override changed(value: { readonly key: string; readonly version: string }): void {
      if (value.version === '2' && this.lists === 1) throw new Error('a bug');
      super.changed(value);
    }
  }
  let lists = 0;
  await following(
    (query, response) => {
      if (!query.has('watch')) {
        lists += 1;
        answerList(response, [item('one', String(lists))], String(lists));
      } else if (lists === 1) tellEvent(response, 'MODIFIED', item('one', '2', '2'));
      else stayQuiet(response);
    },
    async (seen) => {
      await eventually(() => expect(seen.troubles).toContain('a bug'));
      // The list that follows comes to the same fault, which is not for ever.
      seen.lists = 0;
      await eventually(() => expect(seen.there.get('one')).toBe('2'));
    },
    new Faulty(),
  );
});

test('an answer without end, and one that never comes, end in time and without a token', async () => {
  await using api = await startFakeApi((query, response) => {
    if (query.has('large')) response.end(Buffer.alloc(9 * 1024 * 1024, ' '));
  });
  const error = (path: string, signal: AbortSignal): Promise<unknown> =>
    api.client.get(path, signal).then(
      (object: KubernetesObject) => object,
      (fault: unknown) => fault,
    );
  const { signal } = new AbortController();
  expect(await error('/one?large', signal)).toMatchObject({
    message: 'GET /one was answered with more than 8388608 bytes',
  });
  const silent = await error('/two', AbortSignal.timeout(50));
  expect(silent).toMatchObject({ name: 'KubernetesError', status: undefined });
  expect(JSON.stringify(silent, Object.getOwnPropertyNames(silent))).not.toContain('canary');
});

test('watches that end at once are not begun again at once', async () => {
  const waits: number[] = [];
  let watches = 0;
  await using api = await startFakeApi(
    (query, response) => {
      if (!query.has('watch')) {
        answerList(response, [], '10');
        return;
      }
      watches += 1;
      // In turn with and without an event.
      if (watches % 2 === 0) tellEvent(response, 'ADDED', item(`n${watches}`, '1', String(watches + 10)));
      response.end();
    },
    (ms, signal) => {
      if (ms < 100_000) waits.push(ms);
      return impatient(ms, signal);
    },
  );
  const over = new AbortController();
  const ended = api.client.follow({ path: PATH }, reduceConfigMap, new Recorder(), over.signal);
  await eventually(() => expect(watches).toBeGreaterThan(5));
  over.abort();
  await ended;
  expect(waits.length).toBeGreaterThanOrEqual(watches - 1);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(250);
});

test('a token that was not checked for the audience that was asked for is rejected', async () => {
  // As a webhook authenticator answers that knows no audiences.
  const user = { username: 'somebody', groups: ['system:masters', 7], uid: 'u' };
  const statuses = [
    { authenticated: true, user },
    { authenticated: true, user, audiences: ['https://kubernetes.default.svc'] },
    { authenticated: true, audiences: ['image-resolver'] },
    { authenticated: false, user, audiences: ['image-resolver'] },
    { authenticated: true, user: { ...user, extra: { scopes: 'user:info' } }, audiences: ['image-resolver'] },
    { authenticated: true, user, audiences: ['image-resolver'] },
  ];
  await using api = await startFakeApi((_, response) => response.end(JSON.stringify({ status: statuses.shift() })));
  const review = (): Promise<TokenReview> =>
    api.client.reviewToken('token', ['image-resolver'], new AbortController().signal);
  for (let index = 0; index < 5; index++) expect(await review()).toEqual({ kind: 'rejected' });
  const groups = ['system:masters'];
  expect(await review()).toEqual({ kind: 'authenticated', username: 'somebody', groups, uid: 'u' });
});

test('what restricts a token restricts what its owner is told', async () => {
  const extra = { 'scopes.authorization.openshift.io': ['user:info'] };
  const asked: unknown[] = [];
  await using api = await startFakeApi((_, response, request) => {
    if (request.url?.includes('tokenreviews') === true) {
      response.end(JSON.stringify({ status: { authenticated: true, user: { username: 'somebody', extra } } }));
      return;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      asked.push(JSON.parse(body));
      response.end(JSON.stringify({ status: { allowed: false } }));
    });
  });
  const { signal } = new AbortController();
  const proof = await api.client.reviewToken('token', [], signal);
  if (proof.kind !== 'authenticated') throw new Error('the token is not valid');
  expect(await api.client.mayAccessApplication(proof, 'get', { namespace: 'argocd', name: 'web' }, signal)).toBe(false);
  expect(asked).toMatchObject([{ kind: 'SubjectAccessReview', spec: { user: 'somebody', extra } }]);
});
