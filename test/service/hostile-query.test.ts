import { describe, expect, test } from 'vitest';
import { resolveEndpoint } from '../../src/service/resolve-endpoint.ts';
import { readQuery } from '../../src/service/read-query.ts';
import { ask, semver } from '../resolve/harness.ts';
import { applications, callers, decided, KeptLog, people, realTime, type Running, send, serve } from './ports.ts';

const BASE = {
  v: 1,
  who: { application: 'shop', project: 'team-a' },
  budgetMs: 1000,
  asks: [ask(semver('~1.0'))],
};

/** The base with another value at a path. */
function withAt(path: string, value: unknown): unknown {
  const root = structuredClone(BASE) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, root);
  parent[last] = value;
  return root;
}

const SELECTION = 'asks.0.choice.selection';
const CASES: readonly { readonly name: string; readonly body: string; readonly says: RegExp }[] = [
  { name: 'no JSON', body: '{', says: /^the body is no JSON$/ },
  { name: 'NaN', body: '{"v":NaN}', says: /^the body is no JSON$/ },
  { name: 'nothing', body: '', says: /^the body is no JSON$/ },
  { name: 'null', body: 'null', says: /^the body is missing/ },
  { name: 'a million brackets', body: '['.repeat(500_000) + ']'.repeat(500_000), says: /nested deeper than 16$/ },
  { name: '__proto__', body: '{"v":1,"__proto__":{"asks":[]}}', says: /has a key __proto__$/ },
  { name: '__proto__ in disguise', body: '{"v":1,"\\u005f_proto__":1}', says: /has a key __proto__$/ },
  { name: '__proto__ far below', body: '{"x":[[{"y":{"__proto__":1}}]]}', says: /has a key __proto__$/ },
  ...(
    [
      ['another version', 'v', 2, /^v is missing/],
      ['an application that is no text', 'who.application', { toString: 'x' }, /^who\.application is/],
      ['a project as long as a book', 'who.project', 'x'.repeat(254), /^who\.project is/],
      ['a budget below nothing', 'budgetMs', -1, /^budgetMs is/],
      ['a budget without end', 'budgetMs', 1e300, /^budgetMs is/],
      ['201 asks', 'asks', Array.from({ length: 201 }, () => BASE.asks[0]), /^asks is/],
      ['asks that are an object', 'asks', { length: 1, 0: BASE.asks[0] }, /^asks is/],
      ['a repository that is not what it says', 'asks.0.repository.host', 'evil.example.com', /repository is no repo/],
      [
        'a repository not in normal form',
        'asks.0.repository',
        { host: 'docker.io', path: 'nginx', name: 'docker.io/nginx' },
        /is no repository in normal form$/,
      ],
      [
        'a path with a way out',
        'asks.0.repository',
        { host: 'ghcr.io', path: '../x', name: 'ghcr.io/../x' },
        /is no repository in normal form$/,
      ],
      ['a tag with a line feed', 'asks.0.tagInGit', '1.0\n  privileged: true', /^asks\[0\]\.tagInGit is no tag$/],
      ['a digest of seven digits', 'asks.0.choice', { kind: 'pin', digest: 'sha256:abcdefa' }, /^asks\[0\]\.choice/],
      ['a pin to two things', 'asks.0.choice', { kind: 'pin', tag: '1', digest: `sha256:${'a'.repeat(64)}` }, /choice/],
      ['a choice that is none', 'asks.0.choice', { kind: 'rollback', tag: '1' }, /^asks\[0\]\.choice/],
      ['a strategy that is none', `${SELECTION}.strategy`, { kind: 'sort' }, /^asks\[0\]\.choice/],
      ['a constraint that is none', `${SELECTION}.strategy.constraint`, '>>1', /^asks\[0\]\.choice/],
      ['a constraint too long', `${SELECTION}.strategy.constraint`, '1'.repeat(257), /^asks\[0\]\.choice/],
      [
        '33 filters',
        `${SELECTION}.filters`,
        Array.from({ length: 33 }, () => ({ effect: 'allow', kind: 'glob', pattern: '*' })),
        /choice/,
      ],
      [
        'a filter too long',
        `${SELECTION}.filters`,
        [{ effect: 'allow', kind: 'regexp', pattern: 'a'.repeat(513) }],
        /choice/,
      ],
      ['a glob that is none', `${SELECTION}.filters`, [{ effect: 'ignore', kind: 'glob', pattern: '[' }], /choice/],
      ['a platform not in normal form', `${SELECTION}.platforms`, [{ os: 'linux', architecture: 'aarch64' }], /choice/],
      ['no platform', `${SELECTION}.platforms`, [], /choice/],
      ["the operator's credential", 'asks.0.credential', 'env:ADMIN_TOKEN', /credential is no name of a secret$/],
      ['a program as credential', 'asks.0.credential', 'ext:/bin/sh', /credential is no name of a secret$/],
      ['an interval without end', 'asks.0.pollIntervalMs', '5', /pollIntervalMs is/],
    ] as const
  ).map(([name, path, value, says]) => ({ name, body: JSON.stringify(withAt(path, value)), says })),
];

async function api(): Promise<Running & { readonly answered: number[] }> {
  const answered: number[] = [];
  const running = await serve([
    resolveEndpoint({
      ...callers,
      ...people,
      applications,
      registrations: { of: () => [] },
      answer: async (query) => {
        answered.push(query.asks.length);
        return decided(query);
      },
      record: async () => undefined,
      metrics: { resolveRequest: () => undefined },
      log: new KeptLog(),
      time: realTime,
    }),
  ]);
  return { ...running, answered };
}

describe('a hostile query', () => {
  test('is told apart from a good one', async () => {
    await using controller = await api();
    const raw = JSON.stringify({ ...BASE, more: { of: 'a newer version' } });
    expect((await send(`${controller.url}/v1/resolve`, { token: 'sidecar', raw })).status).toBe(200);
  });

  test.for(CASES)('with $name is refused by name of the field, quoting nothing', async ({ body, says }) => {
    await using controller = await api();
    const answer = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', raw: body });
    expect(answer.status).toBe(400);
    const { error } = answer.body as { readonly error: string };
    expect(error).toMatch(says);
    expect(error.length).toBeLessThan(200);
    expect(error).not.toMatch(/evil|privileged|ADMIN|\n/);
    expect(controller.answered).toEqual([]);
  });

  test('is refused again and again, also between good ones that are known', async () => {
    await using controller = await api();
    const send1 = async (body: unknown): Promise<number> =>
      (await send(`${controller.url}/v1/resolve`, { token: 'sidecar', raw: JSON.stringify(body) })).status;
    const bad = withAt('asks.0.repository.name', 'ghcr.io/acme/other');
    for (let round = 0; round < 3; round++) {
      expect(await send1(BASE)).toBe(200);
      expect(await send1(bad)).toBe(400);
    }
  });

  test.for([
    { name: 'one byte more than a MiB', bytes: 1024 * 1024 + 1, status: 413 },
    { name: 'a MiB', bytes: 1024 * 1024, status: 200 },
  ])('of $name is answered with $status', async ({ bytes, status }) => {
    await using controller = await api();
    const text = JSON.stringify(BASE);
    const raw = text + ' '.repeat(bytes - text.length);
    expect((await send(`${controller.url}/v1/resolve`, { token: 'sidecar', raw })).status).toBe(status);
  });

  test('with 200 asks is answered', async () => {
    await using controller = await api();
    const body = { ...BASE, asks: Array.from({ length: 200 }, () => BASE.asks[0]) };
    expect((await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body })).status).toBe(200);
    expect(controller.answered).toEqual([200]);
  });
});

test('nothing that was not asked for comes through', () => {
  const hostile = structuredClone(BASE) as Record<string, unknown>;
  hostile['constructor'] = { prototype: 1 };
  (hostile['who'] as Record<string, unknown>)['admin'] = true;
  expect(readQuery(Buffer.from(JSON.stringify(hostile)))).toStrictEqual(BASE);
  expect(() => readQuery(Buffer.from([0x22, 0xff, 0x22]))).toThrow('the body is no JSON');
});
