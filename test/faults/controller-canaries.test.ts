import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Ask } from '../../src/resolve/resolver.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import type { FakeFault } from '../support/fake-registry-faults.ts';
import { askFor, ControllerWorld, PERSON_TOKEN, SIDECAR_TOKEN, tagOf } from './controller-world.ts';
import { hostEntry } from './one-image.ts';

// Rule 11: every secret that a controller comes to know is marked, and no place it writes to may hold a mark: log, metrics,
// Events, status, answers, store. What tenants write stays on its line, and never becomes a label.

const MARK = 'cAnAry';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** The mark, and what of it is the same in Base64 whatever stands around it. */
const MARKS: readonly string[] = [
  MARK,
  base64(MARK).slice(0, 8),
  base64(`x${MARK}`).slice(2, 8),
  base64(`xx${MARK}`).slice(4, 10),
  // Tokens that the registry issued, and those of callers.
  'token-of-',
];
const pairOf = (kind: string): string => `user-${kind}:${MARK}-password-of-${kind}`;
const KINDS = ['env', 'secret', 'pullsecret'] as const;

let registry: FakeRegistry;
let here: ControllerWorld;
const answers: string[] = [];

beforeAll(async () => {
  const users = new Map(KINDS.map((kind) => [`user-${kind}`, `${MARK}-password-of-${kind}`]));
  registry = await startFakeRegistry({ auth: { kind: 'bearer', users } });
  for (const kind of KINDS) registry.content.putTags(`${kind}/api`, ['1.0.5', '1.0.6']);
  const auths = { auths: { [registry.host]: { auth: base64(pairOf('pullsecret')) } } };
  const named = { env: 'env:MARKED', secret: 'secret:shop/pair#field', pullsecret: 'pullsecret:shop/pull' };
  here = await ControllerWorld.start({
    configuration: {
      interval: '10m',
      registries: {
        hosts: Object.entries(named).map(([kind, credentials]) =>
          hostEntry(registry, { prefix: `${kind}/`, credentials }),
        ),
      },
      webhooks: [
        { type: 'generic', secret: 'env:HOOK' },
        { type: 'quay', secret: 'secret:shop/hooks#quay' },
      ],
    },
    environment: { MARKED: pairOf('env'), HOOK: `${MARK}-hook`, https_proxy: `http://user:${MARK}@127.0.0.1:9` },
    applications: { shop: 'default' },
    secrets: {
      'shop/pair': { field: pairOf('secret') },
      'shop/pull': { '.dockerconfigjson': JSON.stringify(auths) },
      'shop/hooks': { quay: `${MARK}-quay` },
    },
  });
});
afterAll(async () => {
  await here[Symbol.asyncDispose]();
  await registry.close();
});

const asks = (): readonly Ask[] => KINDS.map((kind) => askFor(registry, `${kind}/api`));

/** Asks as a generation and as a person, and keeps what was answered. */
async function everything(): Promise<void> {
  answers.push((await here.ask(asks())).text);
  answers.push((await here.ask(asks(), { query: { explain: true } })).text);
  for (const path of ['/v1/status', '/v1/status?application=argocd/shop'])
    answers.push((await here.send(path, { token: PERSON_TOKEN })).text);
  answers.push((await here.send('/v1/status', { token: `${MARK}.wrong.token` })).text);
  answers.push((await here.send('/v1/refresh', { token: PERSON_TOKEN, body: '{"application":"shop"}' })).text);
  for (const path of [`generic?secret=${MARK}`, `quay?secret=${MARK}-quay`, `quay?token=${MARK}-wrong`, MARK]) {
    const headers = { authorization: `Bearer ${MARK}-hook` };
    const body = JSON.stringify({ docker_url: `${registry.host}/env/api`, images: [`${registry.host}/env/api:1.0.6`] });
    const answer = await fetch(`${here.webhooks}/${path}`, { method: 'POST', headers, body });
    answers.push(`${answer.status} ${await answer.text()} ${JSON.stringify([...answer.headers])}`);
  }
}

/** All the places a mark was found in. */
async function leaks(): Promise<readonly string[]> {
  const texts = new Map<string, string>([
    ['log', here.log.join('')],
    ['metrics', await here.metrics()],
    ['events', JSON.stringify(here.events)],
    ['patches', here.patches.join()],
    ['answers', answers.join('\n')],
  ]);
  for (const name of readdirSync(here.state)) texts.set(name, readFileSync(join(here.state, name), 'latin1'));
  return [...texts].flatMap(([name, text]) => {
    const at = Math.max(...MARKS.map((mark) => text.indexOf(mark)));
    return at === -1 ? [] : [`${name}: ${JSON.stringify(text.slice(Math.max(0, at - 80), at + 80))}`];
  });
}

test('the marks are found where they are', () => {
  expect(KINDS.filter((kind) => !MARKS.some((mark) => base64(pairOf(kind)).includes(mark)))).toEqual([]);
  expect(SIDECAR_TOKEN).toContain(MARKS.at(-1));
});

test('success: every credential is used, and none is written anywhere', async () => {
  const answered = await here.ask(asks());
  expect(answered.resolutions.map((one) => ('decision' in one ? one.decision.tag : one))).toEqual([
    '1.0.6',
    '1.0.6',
    '1.0.6',
  ]);
  expect(new Set(registry.requests.flatMap(({ user }) => user ?? []))).toEqual(
    new Set(KINDS.map((kind) => `user-${kind}`)),
  );
  await everything();
  expect(await leaks()).toEqual([]);
});

const answer = (status: number, body = MARK, headers: Readonly<Record<string, string>> = {}): FakeFault => ({
  kind: 'answer',
  status,
  headers: { 'x-marked': MARK, 'set-cookie': `session=${MARK}`, 'content-type': 'application/json', ...headers },
  body,
});
const errors = JSON.stringify({ errors: [{ code: `${MARK} code`, message: MARK, detail: { token: MARK } }] });

test.for<{ readonly name: string; readonly fault: FakeFault; readonly matching?: RegExp }>([
  { name: '401', fault: answer(401, errors, { 'www-authenticate': `Basic realm="${MARK}"` }) },
  { name: '401 of the token server', fault: answer(401, errors), matching: /token/ },
  {
    name: 'a realm with a query',
    fault: answer(401, errors, {
      'www-authenticate': `Bearer realm="https://auth.invalid/token?key=${MARK}",service="${MARK}"`,
    }),
  },
  { name: '403', fault: answer(403, errors) },
  { name: '500', fault: answer(500, `<html>${MARK}</html>`) },
  {
    name: 'a redirect with a query',
    fault: answer(307, '', { location: `https://user:${MARK}@cdn.invalid/?signature=${MARK}` }),
  },
  { name: 'half of a JSON', fault: answer(200, `{"tags":["${MARK}`) },
  {
    name: 'a Link with a query',
    fault: answer(200, '{"tags":["1.0.5"]}', { link: `<https://cdn.invalid/?sig=${MARK}>; rel="next"` }),
  },
])(
  '$name, for who has an answer and for who has none: nothing is written anywhere',
  async ({ fault, matching = /tags/ }) => {
    registry.fail(matching, [fault], 'last');
    try {
      const strangers = KINDS.map((kind) => askFor(registry, `${kind}/other-${answers.length}`));
      const failed = await here.ask(strangers, { application: 'other' });
      expect(tagOf(failed)).toMatch(/^[A-Z_]+$/);
      answers.push(failed.text);
      await everything();
      expect(await leaks()).toEqual([]);
    } finally {
      registry.heal();
    }
  },
);

test('what tenants write stays on one line of the log, and is no label', async () => {
  const evil = 'x\n{"level":"error","event":"forged"}\u001b[31m\u2028\u202eend';
  const generation = {
    id: 'g',
    source: { repoURL: evil, path: evil, targetRevision: evil },
    revision: evil,
    parametersFingerprint: evil,
  };
  const report = {
    v: 1,
    who: { application: 'shop', project: 'default' },
    generation,
    notices: [
      { code: 'UNMATCHED_POLICY', what: evil, where: evil },
      { code: 'ANSWER_STALE', what: evil },
    ],
    asked: false,
  };
  expect((await here.send('/v1/report', { token: SIDECAR_TOKEN, body: JSON.stringify(report) })).status).toBe(202);
  const wish = { ...askFor(registry, 'env/api'), label: evil, where: evil, image: evil };
  await here.ask([wish], { application: evil, project: evil, query: { generation } });
  await expect.poll(() => here.events.length).toBeGreaterThan(0);
  for (const line of here.log) {
    expect(line.endsWith('\n')).toBe(true);
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
    expect(JSON.parse(line)).not.toHaveProperty('event', 'forged');
  }
  for (const event of here.events)
    expect((event as { message: string }).message).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
  expect(await here.metrics()).not.toContain('forged');
});
