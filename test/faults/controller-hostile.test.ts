import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ask } from '../../src/resolve/resolver.ts';
import { selection } from '../resolve/harness.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { askFor, ControllerWorld, PERSON_TOKEN, SIDECAR_TOKEN, tagOf } from './controller-world.ts';
import { hostEntry } from './one-image.ts';

// What tenants, registries and strangers can do to a controller, over the wire (rules 9, 10, 13, 14), and many at once.

let registry: FakeRegistry;
let here: ControllerWorld;

beforeEach(async () => {
  registry = await startFakeRegistry();
  registry.content.putTags('acme/api', ['1.0.5', '1.0.6']);
  here = await ControllerWorld.start({
    configuration: {
      interval: '10m',
      minimumInterval: '1m',
      registries: { hosts: [hostEntry(registry, { rateLimit: { requestsPerSecond: 1000 } })] },
      webhooks: [{ type: 'generic', secret: 'env:HOOK' }],
    },
    environment: { HOOK: 'hook-secret', SECRET: 'user:password' },
    applications: { shop: 'default' },
  });
});
afterEach(async () => {
  await here[Symbol.asyncDispose]();
  await registry.close();
});

/** Time of what is done, in milliseconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

describe('rule 9', () => {
  test('a policy that takes long to evaluate keeps nobody else waiting', async () => {
    // Legal, and long over many tags: what may follow is another set after nearly every character.
    const letters = (index: number): string =>
      createHash('sha512')
        .update(`${index}`)
        .digest('hex')
        .replace(/[0-7]/g, 'a')
        .replace(/[89c-f]/g, 'b')
        .slice(0, 110);
    const tags = Array.from({ length: 2000 }, (_, index) => `${letters(index)}${index}`);
    registry.content.putTags('acme/nasty', tags);
    // In the cache, and the code is warm.
    for (let round = 0; round < 20; round++) await here.ask([askFor(registry)]);
    let nastyMs = Infinity;
    let isOver = false;
    const tenant = async (which: number): Promise<void> => {
      for (let round = 0; round < 2; round++) {
        // Each is a policy that nobody asked for before.
        const pattern = `([ab]*a[ab]{20,60}|[ab]*b[ab]{20,60})*[0-9]{${5 + 2 * which + round}}$`;
        const filters = [{ effect: 'allow' as const, kind: 'regexp' as const, pattern }];
        const policy = { kind: 'select' as const, selection: selection({ kind: 'alphabetical' }, { filters }) };
        const took = await timed(async () =>
          here.ask([askFor(registry, 'acme/nasty', { choice: policy })], { project: 'nasty', application: 'nasty' }),
        );
        nastyMs = Math.min(nastyMs, took);
      }
    };
    const attack = Promise.all([tenant(1), tenant(2)]).finally(() => {
      isOver = true;
    });
    const others: number[] = [];
    const other = async (): Promise<void> => {
      others.push(await timed(async () => here.ask([askFor(registry)])));
      if (!isOver) await other();
    };
    await other();
    await attack;
    // While one evaluates, the others come and go: had they waited for it, they would have taken as long.
    const slow = others.toSorted((a, b) => b - a)[Math.floor(others.length / 100)] ?? Infinity;
    expect(others.length).toBeGreaterThan(40);
    expect(slow).toBeLessThan(nastyMs / 4);
  });
});

describe('rule 10', () => {
  test('tags that are none are never given', async () => {
    registry.content.putTags('acme/evil', ['1.0.7', '1.0.9"\n  privileged: true', '1.0.8\u2028', '1.0.99\n', '1.0.8 ']);
    expect(tagOf(await here.ask([askFor(registry, 'acme/evil')]))).toBe('1.0.7');
  });

  test.for([
    {
      name: 'pages without end',
      fault: {
        kind: 'answer',
        status: 200,
        headers: { link: '</v2/acme/evil/tags/list?n=1&last=x>; rel="next"' },
        body: '{"tags":["1.0.9"]}',
      },
    },
    { name: 'a body without end', fault: { kind: 'endless' } },
    { name: 'a body that is cut', fault: { kind: 'cut-in-body' } },
    { name: 'a page that is no JSON', fault: { kind: 'answer', status: 200, body: '<html>1.0.9</html>' } },
  ] as const)('$name: an error without a tag of it, and others are served', async ({ fault }) => {
    registry.content.putTags('acme/evil', ['1.0.9']);
    registry.fail(/acme\/evil\/tags/, [fault], 'last');
    const [evil, good] = await Promise.all([
      here.ask([askFor(registry, 'acme/evil')], { application: 'evil' }),
      here.ask([askFor(registry)]),
    ]);
    expect(tagOf(evil)).toMatch(/^[A-Z_]+$/);
    expect(evil.resolutions[0]).not.toHaveProperty('decision');
    expect(tagOf(good)).toBe('1.0.6');
  });
});

describe('rule 13', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  afterAll(() => agent.destroy());
  // Much quicker than `fetch`, and this is about how quick one can be.
  const send = (body: string, headers: Readonly<Record<string, string>>): Promise<number> =>
    new Promise((done, failed) => {
      const sent = request(`${here.webhooks}/generic`, { method: 'POST', headers, agent }, (answer) => {
        answer.resume().on('end', () => done(answer.statusCode ?? 0));
      });
      sent.on('error', failed).end(body);
    });
  const eventOf = (tag: string): string => JSON.stringify({ images: [`${registry.host}/acme/api:${tag}`] });
  const signed = (body: string, secret: string): Readonly<Record<string, string>> => ({
    'x-image-resolver-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  });

  /** Ten thousand, from many senders at once. */
  async function flood(event: (index: number) => Promise<number>): Promise<ReadonlyMap<number, number>> {
    const statuses = new Map<number, number>();
    let next = 0;
    const sender = async (): Promise<void> => {
      while (next < 10_000) {
        const status = await event(next++);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 32 }, sender));
    return statuses;
  }

  test('ten thousand forged events: no listing, no refresh', async () => {
    await here.ask([askFor(registry)]);
    registry.clearRequests();
    const body = eventOf('1.0.7');
    const statuses = await flood(async (index) => send(body, signed(body, `guess ${index}`)));
    expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual([401, 429]);
    expect(registry.requests).toEqual([]);
    expect(here.patches).toEqual([]);
  });

  test('ten thousand replayed events: a few listings, no refresh, and others are served', async () => {
    await here.ask([askFor(registry)]);
    registry.clearRequests();
    const body = eventOf('1.0.6');
    const seconds =
      (await timed(async () => {
        const replayed = flood(async () => send(body, signed(body, 'hook-secret')));
        expect(tagOf(await here.ask([askFor(registry)]))).toBe('1.0.6');
        const statuses = await replayed;
        expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual([202, 429]);
      })) / 1000;
    // One repository is looked at once in a second at most, however many ask for it.
    expect(registry.requestsTo('tags/list').length).toBeLessThanOrEqual(2 + seconds);
    expect(here.patches).toEqual([]);
  });

  test('events of repositories that nobody uses: nothing', async () => {
    await here.ask([askFor(registry)]);
    registry.clearRequests();
    for (let index = 0; index < 100; index++) {
      const body = JSON.stringify({
        images: [`${registry.host}/acme/unknown-${index}:1.0.0`, 'internal.example.com/x:1'],
      });
      expect(await send(body, signed(body, 'hook-secret'))).toBe(202);
    }
    expect(registry.requests).toEqual([]);
  });
});

describe('rule 14', () => {
  const wish = (rest: Readonly<Record<string, unknown>>): unknown => ({ ...askFor(registry), ...rest });
  const elsewhere = (host: string): unknown =>
    wish({ repository: { host, path: 'acme/api', name: `${host}/acme/api` } });

  test.for<{ readonly name: string; readonly asks: () => readonly unknown[] }>([
    { name: 'a variable of the controller as credential', asks: () => [wish({ credential: 'env:SECRET' })] },
    { name: 'a program as credential', asks: () => [wish({ credential: 'ext:/bin/id' })] },
    {
      name: 'a host that another field hides',
      asks: () => [
        wish({ repository: { host: '169.254.169.254', path: 'acme/api', name: `${registry.host}/acme/api` } }),
      ],
    },
    {
      name: 'a pattern of a megabyte',
      asks: () => [
        wish({
          choice: {
            kind: 'select',
            selection: selection(
              { kind: 'alphabetical' },
              { filters: [{ effect: 'allow', kind: 'regexp', pattern: 'a'.repeat(900_000) }] },
            ),
          },
        }),
      ],
    },
    {
      name: 'too many filters',
      asks: () => [
        wish({
          choice: {
            kind: 'select',
            selection: selection(
              { kind: 'alphabetical' },
              { filters: Array.from({ length: 33 }, () => ({ effect: 'allow', kind: 'glob', pattern: '*' }) as const) },
            ),
          },
        }),
      ],
    },
    {
      name: 'a prototype',
      asks: () => [JSON.parse(`{"__proto__": {"a": 1}, ${JSON.stringify(askFor(registry)).slice(1)}`) as unknown],
    },
    { name: 'too many asks', asks: () => Array.from({ length: 201 }, () => askFor(registry)) },
    {
      name: 'a strategy of its own',
      asks: () => [
        wish({
          choice: {
            kind: 'select',
            selection: {
              strategy: { kind: 'eval', code: '1' },
              filters: [],
              platforms: [{ os: 'linux', architecture: 'amd64' }],
            },
          },
        }),
      ],
    },
  ])('$name: 400, and nobody is asked', async ({ asks }) => {
    const answered = await here.ask(asks());
    expect(answered.status).toBe(400);
    expect(registry.connections).toBe(0);
  });

  test.for(['127.0.0.1:1', '169.254.169.254', 'localhost:5000', '[::1]:5000', '10.0.0.1', 'internal.example.com'])(
    'a host that the operator did not allow (%s): an error, and nobody is asked',
    async (host) => {
      const answered = await here.ask([elsewhere(host)]);
      expect(['400', 'HOST_NOT_ALLOWED']).toContain(tagOf(answered));
      expect(registry.connections).toBe(0);
    },
  );

  test('what nobody may say is dropped: endpoint, scope, modes, interval below the floor', async () => {
    const before = await here.ask([askFor(registry)]);
    await using attacker = await startFakeRegistry();
    attacker.content.putTags('acme/api', ['1.0.9']);
    const evil = {
      endpoint: { apiUrl: attacker.url },
      apiUrl: attacker.url,
      scope: 'anything',
      access: { scope: 'anything' },
      mode: 'observe',
      key: 'anything',
      pollIntervalMs: 1,
      decision: { tag: '1.0.9' },
    };
    const query = { modes: [], configuration: {}, operator: {}, budgetMs: 86_400_000, record: true, decisions: [] };
    const answered = await here.ask([JSON.parse(JSON.stringify(wish(evil)))], { query });
    expect(tagOf(answered)).toBe(tagOf(before));
    expect(answered.text).toContain('INTERVAL_RAISED');
    expect(attacker.connections).toBe(0);
    const { applications } = JSON.parse(
      (await here.send('/v1/status?application=argocd/shop', { token: PERSON_TOKEN })).text,
    ) as { applications: readonly { sources: readonly { images: readonly { intervalMs: number }[] }[] }[] };
    expect(applications[0]?.sources[0]?.images[0]?.intervalMs).toBe(60_000);
  });

  test('what is for people is not for sidecars, and what is for sidecars is not for people', async () => {
    await here.ask([askFor(registry)]);
    const statuses = [
      (await here.send('/v1/status', { token: SIDECAR_TOKEN })).status,
      (await here.send('/v1/refresh', { token: SIDECAR_TOKEN, body: '{"application":"shop"}' })).status,
      (await here.ask([askFor(registry)], { token: PERSON_TOKEN })).status,
      (await here.ask([askFor(registry)], { token: PERSON_TOKEN, query: { explain: true } })).status,
      (await here.send('/v1/report', { token: PERSON_TOKEN, body: '{}' })).status,
      (await here.send('/v1/holds', { token: SIDECAR_TOKEN, body: '{}' })).status,
    ];
    expect(statuses).toEqual([403, 403, 403, 403, 403, 404]);
  });

  test('whole tag lists are given to nobody', async () => {
    const tags = Array.from({ length: 3000 }, (_, index) => `1.0.${index}`);
    registry.content.putTags('acme/many', tags);
    const answered = await here.ask([askFor(registry, 'acme/many')], { query: { explain: true } });
    const told = tags.filter((tag) => answered.text.includes(`"${tag}"`));
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(tags.length / 10);
  });
});

describe('many at once', () => {
  test('two hundred clients with asks of their own: each gets its own answers, from one listing each', async () => {
    const paths = Array.from({ length: 20 }, (_, index) => `acme/many-${index}`);
    for (const [index, path] of paths.entries()) registry.content.putTags(path, [`1.0.${index}`]);
    const asksOf = (client: number): readonly Ask[] =>
      [0, 1, 2].map((offset) => askFor(registry, paths[(client + offset) % paths.length]));
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, client) => here.ask(asksOf(client), { application: `app-${client}` })),
    );
    for (const [client, { resolutions }] of answers.entries()) {
      const tags = resolutions.map((one) => ('decision' in one ? one.decision.tag : one.kind));
      expect(tags).toEqual([0, 1, 2].map((offset) => `1.0.${(client + offset) % paths.length}`));
    }
    expect(registry.requestsTo('tags/list')).toHaveLength(paths.length);
  });

  test('clients that vanish take nothing with them, and those that send nothing keep nobody waiting', async () => {
    const { port } = new URL(here.url);
    const idle = Array.from({ length: 300 }, () => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      // Half a head, or half a body, and then nothing.
      socket.write(
        `POST /v1/resolve HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${SIDECAR_TOKEN}\r\ncontent-length: 100\r\n`,
      );
      return socket;
    });
    for (const [index, socket] of idle.entries()) if (index % 2 === 0) socket.write('\r\n{"v":1');
    registry.content.putTags('acme/slow', ['1.0.1']);
    const gone = Array.from({ length: 100 }, async (_, client) => {
      const leave = new AbortController();
      const asked = here.ask([askFor(registry, 'acme/slow')], { application: `gone-${client}`, signal: leave.signal });
      leave.abort();
      await expect(asked).rejects.toThrow('aborted');
    });
    const served = await Promise.all(
      Array.from({ length: 50 }, async (_, client) => here.ask([askFor(registry)], { application: `app-${client}` })),
    );
    expect(new Set(served.map(tagOf))).toEqual(new Set(['1.0.6']));
    await Promise.all(gone);
    expect(tagOf(await here.ask([askFor(registry, 'acme/slow')]))).toBe('1.0.1');
    for (const socket of idle) socket.destroy();
    expect(here.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
