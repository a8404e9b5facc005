import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { WebhookEntry } from '../../src/operator/operator-configuration.ts';
import { healthRoutes } from '../../src/service/health.ts';
import { metricsEndpoint } from '../../src/service/metrics-endpoint.ts';
import { webhookEndpoint } from '../../src/service/webhook-endpoint.ts';
import { readWebhook } from '../../src/webhooks/read-webhook.ts';
import { KeptLog, type Running, send, serve } from './ports.ts';

interface Hooks extends Running {
  readonly changed: string[];
  readonly counted: string[];
  pass(ms: number): void;
}

const ENTRIES: readonly WebhookEntry[] = [
  { type: 'distribution', secret: 'env:ONE', unauthenticated: false, host: 'one.example.com' },
  { type: 'distribution', secret: 'env:TWO', unauthenticated: false, host: 'two.example.com' },
  { type: 'ghcr', secret: 'env:HMAC', unauthenticated: false },
  { type: 'quay', secret: 'env:MISSING', unauthenticated: false },
  { type: 'acr', secret: 'env:ONE', unauthenticated: false },
];
const SECRETS = new Map([
  ['env:ONE', 'first secret'],
  ['env:TWO', 'second secret'],
  ['env:HMAC', 'signing secret'],
]);

async function hooks(): Promise<Hooks> {
  const changed: string[] = [];
  const counted: string[] = [];
  let now = 0;
  const log = new KeptLog();
  const running = await serve([
    webhookEndpoint({
      entries: () => ENTRIES,
      secret: async (name) => SECRETS.get(name),
      readWebhook,
      changed: (changes) => void changed.push(...changes.map(({ repository, tag }) => `${repository.name}:${tag}`)),
      metrics: { webhook: (type, result) => void counted.push(`${type} ${result}`) },
      log,
      now: () => now,
    }),
  ]);
  return { ...running, log, changed, counted, pass: (ms) => void (now += ms) };
}

const EVENT = JSON.stringify({
  events: [{ action: 'push', target: { repository: 'acme/web', tag: '1.0.7', mediaType: MEDIA_TYPE() } }],
});

function MEDIA_TYPE(): string {
  return 'application/vnd.oci.image.manifest.v1+json';
}

async function post(
  url: string,
  raw: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'POST',
): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const response = await fetch(url, { method, headers, ...(raw !== '' && { body: raw }) });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe('POST /webhook/<type>', () => {
  test.for([
    { secret: 'first secret', host: 'one.example.com' },
    { secret: 'second secret', host: 'two.example.com' },
  ])('of several registries of a type the secret tells which: $host', async ({ secret, host }) => {
    await using running = await hooks();
    const answer = await post(`${running.url}/webhook/distribution`, EVENT, { authorization: `Bearer ${secret}` });
    expect(answer).toMatchObject({ status: 202, text: '{}' });
    expect(running.changed).toEqual([`${host}/acme/web:1.0.7`]);
    expect(running.counted).toEqual(['distribution accepted']);
  });

  test.for([
    { name: 'a wrong secret', type: 'distribution', status: 401, counted: ['distribution unauthorized'] },
    { name: 'a type that is not configured', type: 'harbor', status: 404, counted: ['harbor unknown'] },
    { name: 'a type that does not exist', type: 'tenant-text', status: 404, counted: ['other unknown'] },
    { name: 'a type below a type', type: 'quay/x', status: 404, counted: [] },
    { name: 'a secret that cannot be read', type: 'quay', status: 503, counted: ['quay unavailable'] },
  ])('with $name answers $status and changes nothing', async ({ type, status, counted }) => {
    await using running = await hooks();
    const answer = await post(`${running.url}/webhook/${type}`, EVENT, { authorization: 'Bearer wrong' });
    expect(answer.status).toBe(status);
    expect(answer.text).not.toMatch(/secret|acme|env:/);
    expect(running.changed).toEqual([]);
    expect(running.counted).toEqual(counted);
  });

  test('a signature is checked over the bytes as they came', async () => {
    await using running = await hooks();
    const body = `{ "action":"published", "registry_package":  {"name":"web"} }`;
    const sign = (text: string): string => createHmac('sha256', 'signing secret').update(text).digest('hex');
    const send1 = async (text: string, signed: string): Promise<number> =>
      (
        await post(`${running.url}/webhook/ghcr`, text, {
          'x-hub-signature-256': `sha256=${signed}`,
          'x-github-event': 'ping',
        })
      ).status;
    expect(await send1(body, sign(body))).not.toBe(401);
    expect(await send1(body, sign(JSON.stringify(JSON.parse(body))))).toBe(401);
  });

  test('what a sender does not send is 400', async () => {
    await using running = await hooks();
    const answer = await post(`${running.url}/webhook/distribution`, '<xml/>', {
      authorization: 'Bearer first secret',
    });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('xml');
    expect(running.counted).toEqual(['distribution invalid']);
  });

  test('a handshake is answered as its sender wants it', async () => {
    await using running = await hooks();
    const answer = await post(
      `${running.url}/webhook/acr`,
      '',
      { 'webhook-request-origin': 'eventgrid.azure.net', authorization: 'Bearer first secret' },
      'OPTIONS',
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.get('webhook-allowed-origin')).toBe('eventgrid.azure.net');
    expect(running.counted).toEqual(['acr ignored']);
  });

  test('ten thousand forged events change nothing, and most are not even looked at', async () => {
    await using running = await hooks();
    const statuses: number[] = [];
    for (let round = 0; round < 100; round++) {
      const answers = Array.from({ length: 100 }, async () =>
        post(`${running.url}/webhook/distribution`, EVENT, { authorization: 'Bearer forged' }),
      );
      for (const { status } of await Promise.all(answers)) statuses.push(status);
    }
    expect(Map.groupBy(statuses, (status) => status).get(401)).toHaveLength(500);
    expect(Map.groupBy(statuses, (status) => status).get(429)).toHaveLength(9_500);
    expect(Map.groupBy(running.counted, (result) => result).get('distribution throttled')).toHaveLength(9_500);
    expect(running.changed).toEqual([]);
    running.pass(1_000);
    const good = await post(`${running.url}/webhook/distribution`, EVENT, { authorization: 'Bearer first secret' });
    expect(good.status).toBe(202);
  });

  test('an event that is too large is counted, although nobody looks at it', async () => {
    await using running = await hooks();
    const headers = { authorization: 'Bearer first secret' };
    const answer = await post(`${running.url}/webhook/distribution`, 'x'.repeat(1024 * 1024 + 1), headers);
    expect(answer.status).toBe(413);
    expect(running.counted).toEqual(['distribution invalid']);
  });

  test('a secret that cannot be read is logged once until it can', async () => {
    await using running = await hooks();
    for (let event = 0; event < 3; event++) await post(`${running.url}/webhook/quay`, '{}');
    expect(running.log.lines).toEqual(['warning webhook-secret-missing {"type":"quay"}']);
  });
});

test('health says that the process lives, readiness that the store is loaded', async () => {
  let ready = false;
  await using running = await serve(healthRoutes(() => ready));
  const statuses = async (): Promise<readonly number[]> => [
    (await send(`${running.url}/healthz`)).status,
    (await send(`${running.url}/readyz`)).status,
  ];
  expect(await statuses()).toEqual([200, 503]);
  ready = true;
  expect(await statuses()).toEqual([200, 200]);
});

test('metrics are served as they are', async () => {
  await using running = await serve([
    metricsEndpoint({ text: async () => 'up 1\n', contentType: 'text/plain; version=0.0.4' }),
  ]);
  const answer = await send(`${running.url}/metrics`);
  expect(answer).toMatchObject({ status: 200, body: 'up 1\n' });
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4');
});
