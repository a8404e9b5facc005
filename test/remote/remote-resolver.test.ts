import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Digest, Tag } from '../../src/image/reference.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import type { ModeRule } from '../../src/operator/operator-configuration.ts';
import { tokenFrom } from '../../src/remote/controller-client.ts';
import { type Bounds, createRemoteResolver } from '../../src/remote/remote-resolver.ts';
import type { Ask, Resolution, ResolveQuery, Resolver } from '../../src/resolve/resolver.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { ReceivedAnswerStore, Store } from '../../src/store/store.ts';
import { ask, newestBuild, repository, semver } from '../resolve/harness.ts';
import {
  EXPIRED_CERTIFICATE,
  OTHER_CA,
  SERVER_CERTIFICATE,
  type ServerCertificate,
  TEST_CA,
} from '../support/fake-registry-certificates.ts';
import { answering, type Behaviour, resolving, StubController } from './stub-controller.ts';

const HOUR = 3_600_000;
const API_ASK = ask(semver('~1.0'));
const DECIDED: Resolution = {
  kind: 'decided',
  decision: { tag: '1.0.6' as Tag, movedAt: 1000, confirmedAt: 2000 },
  why: 'best',
  notices: [{ code: 'CREDENTIAL_NOT_GRANTED', what: 'said once' }],
};
const never = new AbortController().signal;

function query(asks: readonly Ask[], rest: Partial<ResolveQuery> = {}): ResolveQuery {
  return { v: 1, who: { application: 'shop', project: 'team-a' }, budgetMs: 20_000, asks, ...rest };
}

let folder: string;
let now = Date.parse('2026-03-01T12:00:00Z');
let writes = 0;
const opened: Resolver[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remote-'));
  await writeFile(join(folder, 'token'), 'sidecar-token\n');
  writes = 0;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resolver) => resolver.close()));
  await rm(folder, { recursive: true, force: true });
});

async function openedStore(): Promise<Store> {
  const store = await openStore({ directory: join(folder, 'state'), now: () => now, notices: () => undefined });
  const received: ReceivedAnswerStore = {
    get: (application, questions) => store.received.get(application, questions),
    async put(application, answers) {
      writes += answers.size;
      await store.received.put(application, answers);
    },
  };
  return { ...store, received };
}

/** A sidecar process: each has its own connection, and all share the store of the folder. */
function sidecar(
  url: string,
  options: {
    readonly modes?: readonly ModeRule[];
    readonly bounds?: Partial<Bounds>;
    readonly caFile?: string;
    readonly tokenFile?: string;
  } = {},
): Resolver {
  const { caFile, tokenFile = join(folder, 'token') } = options;
  const resolver = createRemoteResolver({
    controller: { url, ...(caFile !== undefined && { caFile }) },
    token: tokenFrom(tokenFile),
    store: openedStore,
    configuration: { ...completeConfiguration({}, [], {}), modes: options.modes ?? [] },
    now: () => now,
    bounds: { knownMs: 20_000, reportMs: 20_000, ...options.bounds },
  });
  opened.push(resolver);
  return resolver;
}

/** An earlier process of the same sidecar was answered this. */
async function remember(asks: readonly Ask[] = [API_ASK], answer: Resolution = DECIDED): Promise<void> {
  const known = await StubController.start(resolving(() => answer));
  const resolver = sidecar(known.url);
  await resolver.resolve(query(asks), never);
  await known.stop();
  if (writes === 0) throw new Error('nothing was kept');
}

describe('with a controller that answers', () => {
  test('asks everything at once with the token, and pins, none and paused not at all', async () => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const resolver = sidecar(controller.url);
    const other = ask(newestBuild, { image: 'other', label: 'other' });
    const resolutions = await resolver.resolve(
      query([
        API_ASK,
        ask(semver('*'), { choice: { kind: 'pin', tag: '9.9' as Tag } }),
        ask(semver('*'), { choice: { kind: 'none' } }),
        other,
        ask(semver('*'), { choice: { kind: 'paused' } }),
      ]),
      never,
    );
    expect(resolutions.map(({ kind }) => kind)).toEqual(['decided', 'pinned', 'as-in-git', 'decided', 'as-in-git']);
    expect(resolutions[0]).toEqual(DECIDED);
    expect(controller.received).toEqual([
      {
        method: 'POST',
        path: '/v1/resolve',
        authorization: 'Bearer sidecar-token',
        body: expect.objectContaining({ asks: [API_ASK, other] }) as unknown,
      },
    ]);
  });

  test('asks nobody when there is nothing to look up', async () => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const paused = ask(semver('*'), { choice: { kind: 'paused' } });
    await sidecar(controller.url).resolve(query([paused]), never);
    expect(controller.received).toEqual([]);
  });

  test('connects before anything is asked, and keeps the connection', async () => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const resolver = sidecar(controller.url);
    await vi.waitFor(() => expect(controller.connections).toBe(1));
    await resolver.resolve(query([API_ASK]), never);
    await resolver.resolve(query([API_ASK]), never);
    expect(controller.received).toHaveLength(2);
    expect(controller.connections).toBe(1);
  });

  test('connects anew when the connection was cut while it rested', async () => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const resolver = sidecar(controller.url);
    await resolver.resolve(query([API_ASK]), never);
    controller.cutIdle();
    expect(await resolver.resolve(query([API_ASK]), never)).toEqual([DECIDED]);
    controller.behave = (response, received) => {
      controller.behave = resolving(() => DECIDED);
      // What Node's own server says to a connection on which nothing came for too long.
      answering(408, '', { connection: 'close' })(response, received);
    };
    expect(await resolver.resolve(query([API_ASK]), never)).toEqual([DECIDED]);
    let cuts = 1;
    controller.behave = (response, received) => {
      if (cuts-- > 0) response.socket?.destroy();
      else resolving(() => DECIDED)(response, received);
    };
    expect(await resolver.resolve(query([API_ASK]), never)).toEqual([DECIDED]);
  });

  test('asks in parts that the controller takes', async () => {
    await using controller = await StubController.start(resolving(({ image }) => ({ ...DECIDED, why: image })));
    const many = Array.from({ length: 450 }, (_, index) => ask(semver('~1.0'), { image: `image ${index}` }));
    const resolutions = await sidecar(controller.url).resolve(query(many), never);
    expect(resolutions.map(({ why }) => why)).toEqual(many.map(({ image }) => image));
    const sizes = controller.received.map(({ body }) => (body as ResolveQuery).asks.length);
    expect(sizes).toEqual([200, 200, 50]);
  });

  test('writes an answer down when it changed or is ten minutes old, and not for its confirmation', async () => {
    let answer: Resolution = DECIDED;
    await using controller = await StubController.start(resolving(() => answer));
    const resolver = sidecar(controller.url);
    const writesFor = async (): Promise<number> => {
      const before = writes;
      await resolver.resolve(query([API_ASK]), never);
      return writes - before;
    };
    expect(await writesFor()).toBe(1);
    answer = { ...DECIDED, decision: { ...DECIDED.decision, confirmedAt: 9000 } };
    expect(await writesFor()).toBe(0);
    answer = { ...DECIDED, decision: { ...DECIDED.decision, digest: `sha256:${'a'.repeat(64)}` as Digest } };
    expect(await writesFor()).toBe(1);
    now += 9 * 60_000;
    expect(await writesFor()).toBe(0);
    now += 60_000;
    expect(await writesFor()).toBe(1);
  });

  test.for<Resolution['kind']>(['unsatisfied', 'refused', 'failed'])(
    'passes %s on, and does not forget what was answered before',
    async (kind) => {
      await remember();
      const error = { code: 'TAG_NOT_FOUND', what: 'none', where: 'here', fix: 'publish' } as const;
      await using controller = await StubController.start(resolving(() => ({ kind, error, why: 'none', notices: [] })));
      const resolver = sidecar(controller.url);
      expect(await resolver.resolve(query([API_ASK]), never)).toEqual([{ kind, error, why: 'none', notices: [] }]);
      await controller.stop();
      expect(await resolver.resolve(query([API_ASK]), never)).toMatchObject([
        { kind: 'stale', decision: DECIDED.decision },
      ]);
    },
  );

  test('reports a generation that asked nothing or has something to say, and whether it asked', async () => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const resolver = sidecar(controller.url);
    const source = { repoURL: 'r', path: 'p', targetRevision: 't' };
    const generation = (id: string) => ({ id, source, revision: 'abc', parametersFingerprint: 'f' });
    const report = async (id: string, what?: string): Promise<void> =>
      resolver.report?.(
        {
          v: 1,
          who: { application: 'shop' },
          generation: generation(id),
          notices: what === undefined ? [] : [{ code: 'POLICY_SHADOWED', what }],
        },
        never,
      );
    for (const id of ['quiet', 'warned'])
      await resolver.resolve(query([API_ASK], { generation: generation(id) }), never);
    await report('quiet');
    await report('warned', 'shadowed');
    await report('no policies');
    const reports = controller.received.filter(({ path }) => path === '/v1/report').map(({ body }) => body);
    expect(reports).toMatchObject([
      { generation: { id: 'warned' }, notices: [{ what: 'shadowed' }], asked: true },
      { generation: { id: 'no policies' }, notices: [], asked: false },
    ]);
  });
});

describe('what a generation was given without the controller', () => {
  const source = { repoURL: 'r', path: 'p', targetRevision: 't' };
  const generation = { id: 'g', source, revision: 'abc', parametersFingerprint: 'f' };
  const who = { application: 'shop', project: 'team-a' };

  async function generate(resolver: Resolver, asks = [API_ASK]): Promise<void> {
    await resolver.resolve(query(asks, { generation }), never);
    await resolver.report?.({ v: 1, who, generation, notices: [] }, never);
  }
  async function waiting(): Promise<readonly unknown[]> {
    const store = await openedStore();
    const messages = await store.outbox.oldest(100);
    await store.close();
    return messages.map(({ text }) => JSON.parse(text) as unknown);
  }

  test('waits, with its time, until somebody has taken it', async () => {
    await remember();
    const away = await StubController.start(answering(503, '{}'));
    await generate(sidecar(away.url));
    await away.stop();
    const given = [{ kind: 'image', tag: '1.0.6' }];
    expect(await waiting()).toEqual([{ who, generation, asks: [API_ASK], given, at: now }]);
    now += HOUR;
    await using controller = await StubController.start(resolving(() => DECIDED));
    // One of the version before knows nothing of it.
    await generate(sidecar(controller.url));
    expect(await waiting()).toHaveLength(1);
    controller.behave = (response, received) => {
      if (received.path === '/v1/report') answering(202, '{"taken":1}')(response, received);
      else resolving(() => DECIDED)(response, received);
    };
    await generate(sidecar(controller.url));
    expect(controller.received.at(-1)?.body).toMatchObject({
      asked: true,
      notices: [],
      unheard: [{ who, generation, asks: [API_ASK], given, agoMs: HOUR }],
    });
    expect(await waiting()).toEqual([]);
    const told = controller.received.length;
    await generate(sidecar(controller.url));
    expect(controller.received).toHaveLength(told + 1);
  });

  test('is said only once for each source, in requests that the controller takes', async () => {
    const many = Array.from({ length: 450 }, (_, index) => ask(semver('~1.0'), { image: `image ${index}` }));
    await remember(many);
    for (let n = 0; n < 2; n++) await generate(sidecar('http://127.0.0.1:9'), many);
    expect((await waiting()).map((one) => (one as ResolveQuery).asks.length)).toEqual([200, 200, 50]);
  });

  test('is nothing when the generation was not for Argo CD, or did not come to its end', async () => {
    await remember();
    const resolver = sidecar('http://127.0.0.1:9');
    await resolver.resolve(query([API_ASK]), never);
    await resolver.resolve(query([API_ASK], { generation }), never);
    expect(await waiting()).toEqual([]);
  });
});

/** For those who will never be answered. Everybody else gets time, so that a busy machine changes nothing. */
const SHORT = { knownMs: 400, newMs: 400 };

interface FaultCase {
  readonly name: string;
  readonly bounds?: Partial<Bounds>;
  readonly behave: Behaviour | 'refused';
  readonly why: RegExp;
  readonly fix?: RegExp;
}

const FAULTS: readonly FaultCase[] = [
  { name: 'a port where nobody listens', behave: 'refused', why: /: the connection was refused$/ },
  { name: 'a black hole', bounds: SHORT, behave: () => undefined, why: /: it did not answer within 0\.4 s$/ },
  {
    name: 'a connection that is cut each time',
    behave: (response) => void response.socket?.destroy(),
    why: /: the connection was cut$/,
  },
  {
    name: 'an answer that is cut in the middle',
    behave: (response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{"resolutions":[', () => response.socket?.destroy());
    },
    why: /: its answer was cut in the middle$/,
  },
  {
    name: 'an answer that comes byte by byte',
    bounds: SHORT,
    behave: (response) => {
      response.writeHead(200);
      const dripping = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(dripping));
    },
    why: /: it did not answer within 0\.4 s$/,
  },
  {
    name: 'something that does not speak HTTP',
    behave: (response) => void response.socket?.end('220 smtp.example.com ESMTP\r\n'),
    why: /: what answers there does not speak HTTP/,
  },
  { name: 'a page of a proxy', behave: answering(200, '<html>'), why: /: its answer is no JSON$/ },
  { name: 'an answer of another shape', behave: answering(200, '{}'), why: /not understood: resolutions is no list$/ },
  {
    name: 'too few resolutions',
    behave: answering(200, '{"resolutions":[]}'),
    why: /not understood: it has 0 resolutions for 1 asks$/,
  },
  {
    name: 'a tag that would write more than an image',
    behave: resolving(() => ({ ...DECIDED, decision: { ...DECIDED.decision, tag: 'x"\n  privileged: true' } })),
    why: /not understood: a tag has a tag with other characters/,
  },
  {
    name: 'a body without end',
    behave: (response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
        response.once('drain', more);
      };
      more();
    },
    why: /: its answer is larger than 8388608 bytes$/,
  },
  { name: 'status 500', behave: answering(500, '{"error":"it broke"}'), why: /: it failed \(500: it broke\)$/ },
  { name: 'status 503', behave: answering(503, ''), why: /: it is overloaded or starting \(503\)$/ },
  { name: 'status 429', behave: answering(429, ''), why: /: it is overloaded or starting \(429\)$/ },
  {
    name: 'status 404',
    behave: answering(404, ''),
    why: /: it does not take the question \(404\)$/,
    fix: /same version/,
  },
  {
    name: 'status 401',
    behave: answering(401, ''),
    why: /: it does not accept the token that was sent \(401\)/,
    fix: /service account token of the audience image-resolver/,
  },
  {
    name: 'status 403',
    behave: answering(403, ''),
    why: /: it does not serve this account \(403\)/,
    fix: /--sidecar-account/,
  },
];

describe.for(FAULTS)('with $name', ({ behave, bounds = {}, why, fix = /controller/ }) => {
  async function start(): Promise<StubController> {
    const controller = await StubController.start(behave === 'refused' ? () => undefined : behave);
    if (behave === 'refused') await controller.stop();
    return controller;
  }

  test('serves what was answered before, and says since when', async () => {
    await remember();
    now += 3 * HOUR;
    await using controller = await start();
    const [resolution] = await sidecar(controller.url, { bounds }).resolve(query([API_ASK]), never);
    expect(resolution).toMatchObject({ kind: 'stale', decision: DECIDED.decision });
    const [notice, ...more] = resolution?.notices ?? [];
    expect(more).toEqual([]);
    expect(notice).toMatchObject({ code: 'CONTROLLER_UNREACHABLE', where: 'parameter images[0]' });
    expect(notice?.what).toMatch(/^api stays at 1\.0\.6, answered 3 hours ago, because the controller at http:/);
    expect(notice?.what.replace(/ \((?:project|run) [^)]*\)$/, '')).toMatch(why);
  });

  test('fails with a clear error for what was never answered', async () => {
    await using controller = await start();
    const [resolution] = await sidecar(controller.url, { bounds }).resolve(query([API_ASK]), never);
    if (resolution?.kind !== 'failed') throw new Error(`it is ${resolution?.kind}`);
    expect(resolution.error).toMatchObject({ code: 'CONTROLLER_UNREACHABLE', where: 'parameter images[0] (api)' });
    expect(resolution.error.what).toMatch(/^the controller at http:.* could not be asked about registry\.example\.com/);
    expect(resolution.error.what).toMatch(why);
    expect(resolution.error.fix).toMatch(fix);
  });
});

describe('with a controller that is away', () => {
  const AWAY = 'http://127.0.0.1:9';

  test('keeps what was held held, and what was as in Git as in Git', async () => {
    const held: Resolution = { ...DECIDED, kind: 'held' };
    const git: Resolution = { kind: 'as-in-git', reason: 'unsatisfied', why: 'nothing yet', notices: [] };
    const [one, two] = [ask(semver('1'), { image: 'one' }), ask(semver('2'), { image: 'two' })];
    await remember([one], held);
    await remember([two], git);
    const resolutions = await sidecar(AWAY).resolve(query([one, two]), never);
    expect(resolutions).toMatchObject([
      { kind: 'held', decision: DECIDED.decision, notices: [{ code: 'CONTROLLER_UNREACHABLE' }] },
      { kind: 'as-in-git', reason: 'unsatisfied', why: 'nothing yet', notices: [{ code: 'CONTROLLER_UNREACHABLE' }] },
    ]);
    expect(resolutions[1]?.notices[0]?.what).toMatch(/^api stays as in Git, answered less than a minute ago/);
  });

  test('gives each image its own: what is known, and an error for what is not', async () => {
    await remember();
    const fresh = ask(semver('~2'), { label: 'new' });
    const resolutions = await sidecar(AWAY).resolve(query([fresh, API_ASK]), never);
    expect(resolutions.map(({ kind }) => kind)).toEqual(['failed', 'stale']);
  });

  test.for([
    { name: 'another project', who: { application: 'shop', project: 'team-b' } },
    { name: 'no project', who: { application: 'shop' } },
    { name: 'another application', who: { application: 'other', project: 'team-a' } },
    { name: 'no application', who: { application: '', project: 'team-a' } },
  ])('gives $name nothing of it', async ({ who }) => {
    await remember();
    const [resolution] = await sidecar(AWAY).resolve(query([API_ASK], { who }), never);
    expect(resolution?.kind).toBe('failed');
  });

  test.for<Partial<ResolveQuery>>([
    { who: { application: '', project: 'team-a' } },
    { explain: true },
    { preview: true },
  ])('keeps nothing of what %o was answered', async (rest) => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const resolver = sidecar(controller.url);
    expect(await resolver.resolve(query([API_ASK], rest), never)).toEqual([DECIDED]);
    await controller.stop();
    expect(await resolver.resolve(query([API_ASK], rest), never)).toMatchObject([{ kind: 'failed' }]);
  });

  test('takes what the controller answers as it is, whatever the modes of its own file: they may be a minute apart', async () => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const resolver = sidecar(controller.url, { modes: [{ mode: 'observe' }] });
    expect(await resolver.resolve(query([API_ASK]), never)).toEqual([DECIDED]);
  });

  test('never fails in mode observe', async () => {
    await remember();
    const unknown = ask(semver('~2'), { repository: repository('ghcr.io/acme/new') });
    const resolver = sidecar(AWAY, { modes: [{ project: 'team-*', mode: 'observe' }] });
    expect(await resolver.resolve(query([unknown, API_ASK]), never)).toMatchObject([
      { kind: 'as-in-git', reason: 'observe', notices: [{ code: 'CONTROLLER_UNREACHABLE' }] },
      { kind: 'as-in-git', reason: 'observe', would: DECIDED.decision },
    ]);
  });

  test('answers a report with nothing but silence', async () => {
    const source = { repoURL: '', path: '', targetRevision: '' };
    const generation = { id: 'one', source, revision: '', parametersFingerprint: '' };
    const report = { v: 1, who: { application: 'shop' }, generation, notices: [] } as const;
    await expect(sidecar(AWAY).report?.(report, never)).resolves.toBeUndefined();
  });

  test('no proxy of the environment comes between, because it would see the token', async () => {
    await using proxy = await StubController.start(answering(200, '{}'));
    await using controller = await StubController.start(answering(200, '{"here":true}'));
    const program = `
      const { createControllerClient } = await import(process.argv[1]);
      const time = { now: Date.now, sleep: () => new Promise(() => {}) };
      const client = createControllerClient({ controller: { url: process.argv[2] }, token: () => 't', time });
      console.log(JSON.stringify(await client.ask({ path: '/' }, 1e6, new AbortController().signal)));
      process.exit();`;
    const module = new URL('../../src/remote/controller-client.ts', import.meta.url).href;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', program, module, controller.url],
      { env: { NODE_USE_ENV_PROXY: '1', http_proxy: proxy.url, HTTP_PROXY: proxy.url, ALL_PROXY: proxy.url } },
    );
    expect(stdout).toBe('{"here":true}\n');
    expect(proxy.connections).toBe(0);
  });

  test.for([
    { name: 'is not there', text: undefined, why: /token file .* is not there/ },
    { name: 'is empty', text: '\n', why: /token file .* holds no token/ },
    { name: 'holds more than a token', text: 'a\r\nx-header: b', why: /token file .* holds no token/ },
  ])('says that the token file $name, and sends nothing', async ({ text, why }) => {
    await using controller = await StubController.start(resolving(() => DECIDED));
    const tokenFile = join(folder, 'other-token');
    if (text !== undefined) await writeFile(tokenFile, text);
    const [resolution] = await sidecar(controller.url, { tokenFile }).resolve(query([API_ASK]), never);
    expect(resolution).toMatchObject({ kind: 'failed', error: { what: expect.stringMatching(why) as string } });
    expect(controller.received).toEqual([]);
  });

  test('follows no redirect', async () => {
    await using sink = await StubController.start(resolving(() => DECIDED));
    await using controller = await StubController.start(answering(307, '', { location: `${sink.url}/v1/resolve` }));
    const [resolution] = await sidecar(controller.url).resolve(query([API_ASK]), never);
    expect(resolution).toMatchObject({ kind: 'failed', error: { fix: expect.stringMatching(/redirect/) as string } });
    expect(sink.connections).toBe(0);
  });

  test('comes back at once when it is told to stop', async () => {
    await using controller = await StubController.start(() => undefined);
    const stop = new AbortController();
    const asked = sidecar(controller.url, { bounds: { newMs: 3_600_000 } }).resolve(
      query([API_ASK], { budgetMs: 3_600_000 }),
      stop.signal,
    );
    await vi.waitFor(() => expect(controller.received).toHaveLength(1));
    stop.abort(new Error('stop'));
    expect(await asked).toMatchObject([{ kind: 'failed' }]);
  });

  test('after a timeout serves known answers without asking for ten seconds, and still asks for new ones', async () => {
    await remember();
    await using controller = await StubController.start(() => undefined);
    await sidecar(controller.url, { bounds: SHORT }).resolve(query([API_ASK]), never);
    expect(controller.received).toHaveLength(1);
    controller.behave = resolving(() => DECIDED);
    now += 9_000;
    const [known] = await sidecar(controller.url).resolve(query([API_ASK]), never);
    expect(known).toMatchObject({ kind: 'stale' });
    expect(controller.received).toHaveLength(1);
    const fresh = ask(semver('~2'), { image: 'fresh' });
    expect(await sidecar(controller.url).resolve(query([fresh]), never)).toEqual([DECIDED]);
    // It answered, so that is over.
    expect(await sidecar(controller.url).resolve(query([API_ASK]), never)).toEqual([DECIDED]);
  });

  test('a pause ends by itself', async () => {
    await remember();
    await using controller = await StubController.start(() => undefined);
    await sidecar(controller.url, { bounds: SHORT }).resolve(query([API_ASK]), never);
    controller.behave = resolving(() => DECIDED);
    now += 10_001;
    expect(await sidecar(controller.url).resolve(query([API_ASK]), never)).toEqual([DECIDED]);
  });

  test('a refused connection leads to no pause', async () => {
    await remember();
    await using controller = await StubController.start(answering(500, ''));
    await sidecar(controller.url, { bounds: SHORT }).resolve(query([API_ASK]), never);
    controller.behave = resolving(() => DECIDED);
    expect(await sidecar(controller.url).resolve(query([API_ASK]), never)).toEqual([DECIDED]);
  });
});

describe('over TLS', () => {
  async function ask1(certificate: ServerCertificate, ca: string | undefined): Promise<Resolution | undefined> {
    await using controller = await StubController.start(
      resolving(() => DECIDED),
      certificate,
    );
    const caFile = join(folder, 'ca.crt');
    if (ca !== undefined) await writeFile(caFile, ca);
    const resolver = sidecar(controller.url, ca === undefined ? {} : { caFile });
    const [resolution] = await resolver.resolve(query([API_ASK]), never);
    expect(controller.received).toHaveLength(resolution?.kind === 'decided' ? 1 : 0);
    return resolution;
  }

  test('trusts the CA of the configuration', async () => {
    expect(await ask1(SERVER_CERTIFICATE, TEST_CA)).toEqual(DECIDED);
  });

  test.for([
    { name: 'without its CA', certificate: SERVER_CERTIFICATE, ca: undefined, why: /UNABLE_TO_VERIFY_LEAF_SIGNATURE/ },
    { name: 'with another CA', certificate: SERVER_CERTIFICATE, ca: OTHER_CA, why: /UNABLE_TO_|SELF_SIGNED/ },
    { name: 'once it has expired', certificate: EXPIRED_CERTIFICATE, ca: TEST_CA, why: /CERT_HAS_EXPIRED/ },
    { name: 'with a CA file that holds none', certificate: SERVER_CERTIFICATE, ca: 'nothing', why: /UNABLE_TO_|ERR_/ },
  ])('trusts no certificate $name, and sends nothing', async ({ certificate, ca, why }) => {
    const resolution = await ask1(certificate, ca);
    if (resolution?.kind !== 'failed') throw new Error(`it is ${resolution?.kind}`);
    expect(resolution.error.what).toMatch(/no trusted TLS connection could be made/);
    expect(resolution.error.what).toMatch(why);
    expect(resolution.error.fix).toMatch(/controller\.caFile/);
  });

  test('says that the CA file is missing', async () => {
    const resolver = sidecar('https://127.0.0.1:9', { caFile: join(folder, 'nowhere.crt') });
    const [resolution] = await resolver.resolve(query([API_ASK]), never);
    expect(resolution).toMatchObject({ error: { fix: expect.stringMatching(/controller\.caFile/) as string } });
  });

  test('connects early and keeps the connection', async () => {
    await using controller = await StubController.start(
      resolving(() => DECIDED),
      SERVER_CERTIFICATE,
    );
    await writeFile(join(folder, 'ca.crt'), TEST_CA);
    const resolver = sidecar(controller.url, { caFile: join(folder, 'ca.crt') });
    await vi.waitFor(() => expect(controller.connections).toBe(1));
    await resolver.resolve(query([API_ASK]), never);
    await resolver.resolve(query([API_ASK]), never);
    expect(controller.connections).toBe(1);
  });
});
