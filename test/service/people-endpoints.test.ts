import { describe, expect, test } from 'vitest';
import type { Standing } from '../../src/freshness/freshness.ts';
import type { Registration } from '../../src/registrations/registration.ts';
import { policyInWords } from '../../src/resolve/policy-in-words.ts';
import type { Decision } from '../../src/store/store.ts';
import { refreshEndpoint } from '../../src/service/refresh-endpoint.ts';
import { statusEndpoint } from '../../src/service/status-endpoint.ts';
import { ask, following, newestBuild, semver } from '../resolve/harness.ts';
import { applications, callers, people, type Running, send, serve } from './ports.ts';

const IMAGE = 'registry.example.com/acme/api|api';
const DECISION: Decision = { tag: '1.0.6' as never, movedAt: 1, confirmedAt: 2 };

function registration(application: string, rest: Partial<Registration> = {}): Registration {
  return {
    application,
    project: 'team-a',
    source: { repoURL: 'https://git', path: 'app', targetRevision: 'main' },
    revision: 'abc',
    parametersFingerprint: 'f',
    generation: 'g',
    answeredAt: 5,
    answers: [
      { ask: ask(semver('~1.0')), given: { kind: 'image', tag: '1.0.6' as never } },
      { ask: ask(newestBuild, { image: 'new', label: 'new' }), given: { kind: 'error', code: 'REGISTRY_DENIED' } },
    ],
    earlierRevisions: [],
    ...rest,
  };
}

const STANDINGS = new Map<string, Standing>([
  [
    IMAGE,
    {
      lastCompleteAt: 3,
      nextLookAt: 4,
      intervalMs: 120_000,
      failing: {
        since: 6,
        fault: { kind: 'outage', error: { code: 'REGISTRY_UNAVAILABLE', what: 'down', where: 'x', fix: 'y' } },
      },
    },
  ],
]);

async function api(
  registered: readonly Registration[] = [registration('shop'), registration('team-b_web')],
): Promise<Running & { readonly looked: string[] }> {
  const looked: string[] = [];
  const shared = { ...callers, ...people, applications };
  const running = await serve([
    statusEndpoint({
      ...shared,
      registrations: {
        of: (application) => registered.filter((one) => one.application === application),
        all: () => registered,
      },
      freshness: { standings: () => STANDINGS },
      refresher: {
        stateOf: () => ({ kind: 'waiting', since: 7, attempts: 1, why: 'a sync runs' }),
        conditionsOf: () => new Set(['stale', 'hooks'] as const),
      },
      answers: async () => new Map([[IMAGE, { decision: { ...DECISION, scope: 'secret-name' } }]]),
    }),
    refreshEndpoint({
      ...shared,
      lookAgain: (application) => {
        looked.push(application);
        return 2;
      },
    }),
  ]);
  return { ...running, looked };
}

describe('GET /v1/status', () => {
  test('tells everything of an Application that its caller may get', async () => {
    await using controller = await api();
    const { status, body } = await send(`${controller.url}/v1/status?application=argocd/shop`, { token: 'alice' });
    expect(status).toBe(200);
    expect(body).toEqual({
      applications: [
        {
          application: 'argocd/shop',
          project: 'team-a',
          sources: [
            {
              repoURL: 'https://git',
              path: 'app',
              targetRevision: 'main',
              revision: 'abc',
              answeredAt: 5,
              images: [
                {
                  image: IMAGE,
                  label: 'api',
                  repository: 'registry.example.com/acme/api',
                  policy: 'semver ~1.0',
                  given: { kind: 'image', tag: '1.0.6' },
                  decision: DECISION,
                  lastCompleteAt: 3,
                  nextLookAt: 4,
                  intervalMs: 120_000,
                  failing: { since: 6, code: 'REGISTRY_UNAVAILABLE', what: 'down' },
                },
                {
                  image: 'new',
                  label: 'new',
                  repository: 'registry.example.com/acme/api',
                  policy: 'newest-build',
                  given: { kind: 'error', code: 'REGISTRY_DENIED' },
                },
              ],
            },
          ],
          refresh: { kind: 'waiting', since: 7, attempts: 1, why: 'a sync runs' },
          conditions: ['hooks', 'stale'],
        },
      ],
    });
  });

  test.for([
    { name: 'one in another namespace', token: 'admin', asked: '?application=team-b/web', status: 200 },
    { name: 'a bare name', token: 'alice', asked: '?application=shop', status: 200 },
    { name: 'one they may not get', token: 'alice', asked: '?application=team-b/web', status: 403 },
    { name: 'one they may not get and that is none', token: 'alice', asked: '?application=team-b/no', status: 403 },
    { name: 'one they may get and that is none', token: 'alice', asked: '?application=ghost', status: 404 },
    { name: 'one while the API is away', token: 'admin', asked: '?application=broken', status: 503 },
    { name: 'the instance name', token: 'admin', asked: '?application=team-b_web', status: 400 },
    { name: 'a path', token: 'admin', asked: '?application=a/b/c', status: 400 },
    { name: 'nothing in particular', token: 'alice', asked: '', status: 403 },
    { name: 'everything', token: 'admin', asked: '', status: 200 },
    { name: 'something as a sidecar', token: 'sidecar', asked: '?application=shop', status: 403 },
    { name: 'something as nobody', token: 'forged', asked: '?application=shop', status: 401 },
  ])('asked for $name answers $status', async ({ token, asked, status }) => {
    await using controller = await api();
    const answer = await send(`${controller.url}/v1/status${asked}`, { token });
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).not.toMatch(status === 200 ? /secret-name/ : /1\.0\.6|team-a/);
  });

  test('tells all to who may get all, in order', async () => {
    await using controller = await api();
    const { body } = await send(`${controller.url}/v1/status`, { token: 'admin' });
    const { applications: found } = body as { readonly applications: readonly { readonly application: string }[] };
    expect(found.map(({ application }) => application)).toEqual(['argocd/shop', 'team-b/web']);
  });

  test('of too many at once says so instead of an answer that nobody takes', async () => {
    const answers = Array.from({ length: 200 }, (_, index) => ({
      ask: ask(semver('~1.0'), { image: `${index}`, label: 'x'.repeat(500) }),
      given: { kind: 'as-in-git' } as const,
    }));
    await using controller = await api(
      Array.from({ length: 60 }, (_, index) => registration(`a${index}`, { answers })),
    );
    expect((await send(`${controller.url}/v1/status`, { token: 'admin' })).status).toBe(413);
  });
});

describe('POST /v1/refresh', () => {
  test.for([
    { name: 'one they may get', token: 'alice', application: 'argocd/shop', status: 202 },
    { name: 'one they may not get', token: 'alice', application: 'team-b/web', status: 403 },
    { name: 'one that is not there', token: 'alice', application: 'ghost', status: 404 },
    { name: 'what is no name', token: 'admin', application: 'Not A Name', status: 400 },
    { name: 'one as a sidecar', token: 'sidecar', application: 'shop', status: 403 },
  ])('of $name answers $status', async ({ token, application, status }) => {
    await using controller = await api();
    const answer = await send(`${controller.url}/v1/refresh`, { token, body: { application } });
    expect(answer.status).toBe(status);
    expect(controller.looked).toEqual(status === 202 ? ['shop'] : []);
    expect(JSON.stringify(answer.body)).toMatch(status === 202 ? /^\{"repositories":2\}$/ : /^\{"error":/);
  });
});

test.for([
  {
    words: 'semver ~1.0, allow-tags "regexp:^v", ignore-tags "*-rc*"',
    asked: ask(
      semver('~1.0', {
        filters: [
          { effect: 'allow', kind: 'regexp', pattern: '^v' },
          { effect: 'ignore', kind: 'glob', pattern: '*-rc*' },
        ],
      }),
    ),
  },
  { words: 'digest production', asked: ask(following('production')) },
  { words: 'pinned to 1.2', asked: ask(newestBuild, { choice: { kind: 'pin', tag: '1.2' as never } }) },
])('a policy reads $words', ({ words, asked }) => {
  expect(policyInWords(asked)).toBe(words);
});
