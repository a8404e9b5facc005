import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/error/user-error.ts';
import type { Registration } from '../../src/registrations/registration.ts';
import type { ReportBody, Unheard } from '../../src/remote/protocol.ts';
import { readResolutions } from '../../src/remote/read-resolutions.ts';
import type { Resolution, ResolveQuery } from '../../src/resolve/resolver.ts';
import { deadlineOf } from '../../src/registry/time.ts';
import { reviewerFor } from '../../src/service/caller.ts';
import { reportEndpoint, type ReportPorts } from '../../src/service/report-endpoint.ts';
import { resolveEndpoint } from '../../src/service/resolve-endpoint.ts';
import { ask, semver } from '../resolve/harness.ts';
import { applications, callers, decided, KeptLog, people, realTime, type Running, send, serve } from './ports.ts';

interface Api extends Running {
  readonly answered: ResolveQuery[];
  readonly recorded: [ResolveQuery, readonly Resolution[]][];
  readonly unheard: Parameters<ReportPorts['recordUnheard']>[];
  readonly outcomes: string[];
  readonly noticed: string[];
}

async function api(
  answer: (query: ResolveQuery, signal: AbortSignal) => Promise<readonly Resolution[]> = async (asked) =>
    decided(asked),
  record: () => Promise<void> = async () => undefined,
  registered: readonly Registration[] = [],
): Promise<Api> {
  const answered: ResolveQuery[] = [];
  const recorded: [ResolveQuery, readonly Resolution[]][] = [];
  const unheard: Parameters<ReportPorts['recordUnheard']>[] = [];
  const outcomes: string[] = [];
  const noticed: string[] = [];
  const shared = {
    ...callers,
    ...people,
    applications,
    registrations: { of: () => registered },
    record: async (asked: ResolveQuery, resolutions: readonly Resolution[]) => {
      recorded.push([asked, resolutions]);
      await record();
    },
  };
  const running = await serve([
    resolveEndpoint({
      ...shared,
      answer: async (asked, signal) => {
        answered.push(asked);
        return answer(asked, signal);
      },
      metrics: { resolveRequest: (outcome) => void outcomes.push(outcome) },
      log: new KeptLog(),
      time: realTime,
    }),
    reportEndpoint({
      ...shared,
      recordUnheard: async (...told) => void unheard.push(told),
      notices: (_report, notices) => void noticed.push(...notices.map(({ what }) => what)),
      time: realTime,
    }),
  ]);
  return { ...running, answered, recorded, unheard, outcomes, noticed };
}

const GENERATION = {
  id: 'g1',
  source: { repoURL: 'https://git', path: 'app', targetRevision: 'main' },
  revision: 'abc',
  parametersFingerprint: 'f',
};

function query(rest: Partial<ResolveQuery> = {}): ResolveQuery {
  return {
    v: 1,
    who: { application: 'shop', project: 'team-a' },
    generation: GENERATION,
    budgetMs: 20_000,
    asks: [ask(semver('~1.0'))],
    ...rest,
  };
}

describe('POST /v1/resolve', () => {
  test('answers a sidecar, having registered what it gives', async () => {
    await using controller = await api();
    const { status, body } = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query() });
    expect(status).toBe(200);
    expect(readResolutions(body, 1)).toEqual(decided(query()));
    expect(controller.recorded).toEqual([[query(), decided(query())]]);
    expect(controller.outcomes).toEqual(['answered']);
  });

  test('gives no query more than 15 s', async () => {
    let leftMs = 0;
    await using controller = await api(async (asked, signal) => {
      leftMs = deadlineOf(signal) - Date.now();
      return decided(asked);
    });
    await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query({ budgetMs: 3_600_000 }) });
    expect(controller.answered[0]?.budgetMs).toBe(15_000);
    expect(leftMs).toBeLessThanOrEqual(15_000);
  });

  test('registers nothing where nothing is generated', async () => {
    await using controller = await api();
    const { generation: _generation, ...asked } = query();
    await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: asked });
    await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query({ explain: true }) });
    expect(controller.answered).toHaveLength(2);
    expect(controller.recorded).toEqual([]);
  });

  test('takes down nothing of what is only looked at, also for a sidecar that claims a generation for it', async () => {
    await using controller = await api();
    const { generation: _generation, ...asked } = query();
    const bodies = [query({ generation: { ...GENERATION, revision: 'streamed' } }), { ...asked, preview: true }];
    for (const body of bodies)
      expect((await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body })).status).toBe(200);
    const seen = { ...asked, budgetMs: 15_000, preview: true };
    expect(controller.answered).toEqual([seen, seen]);
    expect(controller.recorded).toEqual([]);
  });

  test('is not told which tags there are: a token that got about must not tell them', async () => {
    const explanation = { steps: ['one'], considered: 1, candidates: ['1.0.0'], rejected: [], rejectedTotal: 0 };
    await using controller = await api(async (asked) =>
      asked.asks.map(() => ({ kind: 'as-in-git', reason: 'observe', why: 'so', notices: [], explanation }) as const),
    );
    const body = query({ explain: true });
    const told = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body });
    expect(readResolutions(told.body, 1)).toEqual([{ kind: 'as-in-git', reason: 'observe', why: 'so', notices: [] }]);
    const { generation: _generation, ...asked } = body;
    const person = await send(`${controller.url}/v1/resolve`, {
      token: 'admin',
      body: { ...asked, who: { application: 'shop' } },
    });
    expect(readResolutions(person.body, 1)).toMatchObject([{ explanation }]);
  });

  test('a registration that cannot be kept costs nobody an image', async () => {
    await using controller = await api(undefined, async () => {
      throw new Error('disk full');
    });
    const { status } = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query() });
    expect(status).toBe(200);
  });

  test('a filter that nobody can compile fails the asks, not the controller', async () => {
    await using controller = await api(async () => {
      throw new UserError('FILTER_INVALID', { what: 'it is no expression', where: 'image policy', fix: 'correct it' });
    });
    const { body } = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query() });
    expect(readResolutions(body, 1)).toMatchObject([{ kind: 'failed', error: { code: 'FILTER_INVALID' } }]);
  });

  test('a bug of ours is a 500 without stack', async () => {
    await using controller = await api(async () => {
      throw new Error('at secret place');
    });
    const { status, body } = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query() });
    expect({ status, body }).toEqual({ status: 500, body: { error: 'the controller failed; its log says why' } });
    expect(controller.log.lines.join('\n')).toMatch(/error request-failed .*at secret place/);
    expect(controller.outcomes).toEqual(['failed']);
  });

  test.for([
    { name: 'no token', token: undefined, status: 401, outcome: 'unauthorized' },
    { name: 'a wrong token', token: 'forged', status: 401, outcome: 'unauthorized' },
    { name: 'a token of two words', token: 'sidecar sidecar', status: 401, outcome: 'unauthorized' },
    { name: 'a token of another account', token: 'stranger', status: 403, outcome: 'unauthorized' },
    { name: 'a token that cannot be checked now', token: 'unclear', status: 503, outcome: 'overloaded' },
    {
      name: "the sidecar's account with a token for the API",
      token: 'api-of-sidecar',
      status: 403,
      outcome: 'refused',
    },
    { name: 'a person who generates', token: 'alice', status: 403, outcome: 'refused' },
  ])('with $name answers $status and asks nobody', async ({ token, status, outcome }) => {
    await using controller = await api();
    const answer = await send(`${controller.url}/v1/resolve`, { ...(token !== undefined && { token }), body: query() });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: expect.any(String) as string });
    expect(controller.answered).toEqual([]);
    expect(controller.recorded).toEqual([]);
    expect(controller.outcomes).toEqual([outcome]);
  });

  test.for([
    { name: 'another project than the Application has', who: { application: 'shop', project: 'team-b' }, ok: false },
    { name: 'the same, in another namespace', who: { application: 'team-b_web', project: 'team-a' }, ok: false },
    { name: 'the project it has', who: { application: 'team-b_web', project: 'team-b' }, ok: true },
    { name: 'no project', who: { application: 'shop' }, ok: true },
    { name: 'an Application that is not known', who: { application: 'new', project: 'team-z' }, ok: true },
    { name: 'no Application', who: { application: '', project: 'team-z' }, ok: true },
  ])('a claim of $name: asked is $ok', async ({ who, ok }) => {
    await using controller = await api();
    const { body } = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query({ who }) });
    const [resolution] = readResolutions(body, 1);
    expect(controller.answered.map((asked) => asked.who)).toEqual(ok ? [who] : []);
    expect(controller.recorded).toHaveLength(ok ? 1 : 0);
    expect(resolution?.kind).toBe(ok ? 'decided' : 'refused');
    expect(JSON.stringify(ok ? 'PROJECT_MISMATCH' : resolution)).toContain('PROJECT_MISMATCH');
  });

  test('an Application of the same name in another namespace is answered when it is made, and not registered', async () => {
    await using controller = await api();
    const who = { application: 'shop', project: 'team-b' };
    const generation = { ...GENERATION, source: { ...GENERATION.source, path: 'new' } };
    const { body } = await send(`${controller.url}/v1/resolve`, { token: 'sidecar', body: query({ who, generation }) });
    expect(readResolutions(body, 1)).toMatchObject([{ kind: 'decided' }]);
    expect(controller.answered).toMatchObject([{ who, preview: true }]);
    const report = {
      v: 1,
      who,
      generation,
      asked: false,
      notices: [{ code: 'POLICY_SHADOWED', what: 'of a new one' }],
    };
    expect((await send(`${controller.url}/v1/report`, { token: 'sidecar', body: report })).status).toBe(202);
    expect([controller.recorded, controller.noticed]).toEqual([[], []]);
  });

  describe('for people', () => {
    const { generation: _generation, ...rest } = query({ explain: true });
    const explain = (who: ResolveQuery['who']): ResolveQuery => ({ ...rest, who });

    test('explains with the project of the Application', async () => {
      await using controller = await api();
      const body = explain({ application: 'shop' });
      const { status } = await send(`${controller.url}/v1/resolve`, { token: 'alice', body });
      expect(status).toBe(200);
      expect(controller.answered).toEqual([
        { ...body, budgetMs: 15_000, who: { application: 'shop', project: 'team-a' } },
      ]);
      expect(controller.recorded).toEqual([]);
    });

    test.for([
      { name: 'of a repository that the Application uses: to who may get it', token: 'alice', own: true, told: true },
      { name: 'of another repository: not to who may only get it', token: 'alice', own: false, told: false },
      { name: 'of another repository: to who may update it', token: 'admin', own: false, told: true },
    ])('tags are told $name', async ({ token, own, told }) => {
      const image = ask(semver('~1.0'));
      const registered = {
        answers: [{ ask: image, given: { kind: 'as-in-git' } }],
      } as unknown as Registration;
      const explanation = { steps: [], considered: 1, candidates: ['1.0.6'], rejected: [], rejectedTotal: 0 };
      await using controller = await api(
        async (asked) => decided(asked).map((resolution) => ({ ...resolution, explanation })),
        undefined,
        own ? [registered] : [],
      );
      const { body } = await send(`${controller.url}/v1/resolve`, { token, body: explain({ application: 'shop' }) });
      const [resolution] = readResolutions(body, 1);
      expect(resolution?.kind).toBe('decided');
      expect(resolution?.explanation).toEqual(told ? explanation : undefined);
      expect(resolution?.why).toBe(
        told
          ? 'best'
          : `best (which tags there are is not told: no generation of this Application asked for ${image.repository.name} yet, and you may not update it)`,
      );
    });

    test.for([
      { name: 'an Application they may not get', who: { application: 'team-b_web' }, status: 403 },
      { name: 'one they may not get, which does not exist', who: { application: 'team-b_other' }, status: 403 },
      { name: 'one they may get, which does not exist', who: { application: 'ghost' }, status: 404 },
      { name: 'one nobody can check', who: { application: 'broken' }, status: 503 },
      { name: 'a name that is none', who: { application: 'a/b' }, status: 400 },
      { name: 'nothing', who: { application: '' }, status: 400 },
    ])('of $name nothing is told ($status)', async ({ who, status }) => {
      await using controller = await api();
      expect((await send(`${controller.url}/v1/resolve`, { token: 'alice', body: explain(who) })).status).toBe(status);
      expect(controller.answered).toEqual([]);
    });

    test('of another project than its own nothing is told', async () => {
      await using controller = await api();
      const body = explain({ application: 'shop', project: 'team-b' });
      const answer = await send(`${controller.url}/v1/resolve`, { token: 'alice', body });
      expect(readResolutions(answer.body, 1)).toMatchObject([{ kind: 'refused' }]);
      expect(controller.answered).toEqual([]);
    });
  });
});

describe('POST /v1/report', () => {
  const report = (rest: Partial<ReportBody>): ReportBody => ({
    v: 1,
    who: { application: 'shop', project: 'team-a' },
    generation: GENERATION,
    notices: [],
    asked: false,
    ...rest,
  });

  test('registers a generation that asked nothing, and no other', async () => {
    await using controller = await api();
    for (const asked of [true, false])
      expect((await send(`${controller.url}/v1/report`, { token: 'sidecar', body: report({ asked }) })).status).toBe(
        202,
      );
    expect(controller.recorded).toMatchObject([[{ generation: GENERATION, asks: [] }, []]]);
  });

  test('says nothing of an Application when its files were only looked at', async () => {
    await using controller = await api();
    const generation = { ...GENERATION, revision: 'streamed' };
    const body = report({ generation, notices: [{ code: 'POLICY_SHADOWED', what: 'on a laptop' }] });
    expect((await send(`${controller.url}/v1/report`, { token: 'sidecar', body })).status).toBe(202);
    expect([controller.recorded, controller.noticed]).toEqual([[], []]);
  });

  test('takes down what earlier generations were given, without those that cannot be read or are not allowed', async () => {
    await using controller = await api();
    const one: Unheard = {
      who: { application: 'team-b_web', project: 'team-b' },
      generation: GENERATION,
      asks: [ask(semver('~1.0'))],
      given: [{ kind: 'image', tag: '1.0.5' as never }],
      agoMs: 60_000,
    };
    const unheard = [
      { ...one, given: [{ kind: 'image', tag: 'x"\n  privileged: true' }] },
      { ...one, given: [] },
      'of a newer sidecar',
      { ...one, who: { application: 'team-b_web', project: 'team-a' } },
      one,
    ];
    const body = { ...report({ asked: true }), unheard };
    const { status, body: answer } = await send(`${controller.url}/v1/report`, { token: 'sidecar', body });
    expect([status, answer]).toEqual([202, { taken: 5 }]);
    const { agoMs, given, ...registering } = one;
    expect(controller.unheard).toEqual([[{ v: 1, budgetMs: 0, ...registering }, given, agoMs]]);
  });

  test('takes no more of them than refreshes can follow', async () => {
    await using controller = await api();
    const one = { who: { application: 'shop' }, generation: GENERATION, asks: [], given: [], agoMs: 0 };
    const body = report({ asked: true, unheard: Array.from({ length: 200 }, () => one) });
    const answers: unknown[] = [];
    for (let sent = 0; sent < 12; sent++)
      answers.push((await send(`${controller.url}/v1/report`, { token: 'sidecar', body })).body);
    expect(answers[0]).toEqual({ taken: 200 });
    expect(answers.at(-1)).not.toEqual({ taken: 200 });
  });

  test('hands on what people should know', async () => {
    await using controller = await api();
    const newer = { code: 'SOMETHING_NEWER' as never, what: 'of a newer sidecar' };
    const body = report({ notices: [newer, { code: 'POLICY_SHADOWED', what: 'shadowed' }] });
    await send(`${controller.url}/v1/report`, { token: 'sidecar', body });
    expect(controller.noticed).toEqual(['shadowed']);
  });

  test.for([
    { name: 'from a person', token: 'admin', who: { application: 'shop' } },
    { name: 'about an Application of another project', token: 'sidecar', who: { application: 'shop', project: 'x' } },
  ])('$name is refused', async ({ token, who }) => {
    await using controller = await api();
    const body = report({ who, notices: [{ code: 'POLICY_SHADOWED', what: 'lie' }] });
    expect((await send(`${controller.url}/v1/report`, { token, body })).status).toBe(403);
    expect(controller.recorded).toEqual([]);
    expect(controller.noticed).toEqual([]);
  });
});

test('a token is looked at for sidecars first, and nobody is let in while that is unclear', async () => {
  const says = (kind: 'authenticated' | 'rejected' | 'unavailable') => ({
    review: async () => ({ kind, username: 'x', groups: [], uid: '' }) as const,
  });
  const proof = async (sidecars: Parameters<typeof says>[0], persons: Parameters<typeof says>[0]) =>
    reviewerFor({ sidecars: says(sidecars), people: says(persons) })('t', new AbortController().signal);
  expect(await proof('authenticated', 'rejected')).toMatchObject({ audience: 'image-resolver' });
  expect(await proof('rejected', 'authenticated')).toMatchObject({ audience: 'api' });
  expect(await proof('rejected', 'rejected')).toEqual({ kind: 'rejected' });
  expect(await proof('unavailable', 'rejected')).toEqual({ kind: 'unavailable' });
  expect(await proof('rejected', 'unavailable')).toEqual({ kind: 'unavailable' });
});
