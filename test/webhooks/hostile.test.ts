// Whatever arrives: nothing without the secret gets in, nothing throws, and nothing costs more than a look.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWebhook } from '../../src/webhooks/read-webhook.ts';
import { WEBHOOK_TYPES, type WebhookType } from '../../src/webhooks/webhook.ts';
import {
  changesIn,
  deliver,
  inHeader,
  inQuery,
  json,
  PROOFS,
  request,
  sample,
  SECRET,
  standardSignature,
} from './deliveries.ts';

const SAMPLES: Readonly<Record<WebhookType, string>> = {
  'docker-hub': 'docker-hub',
  ghcr: 'ghcr-package',
  harbor: 'harbor-push',
  quay: 'quay',
  acr: 'acr-push',
  ecr: 'ecr-push',
  gitlab: 'gitlab-registry',
  'artifact-registry': 'artifact-registry',
  jfrog: 'jfrog',
  gitea: 'gitea',
  distribution: 'distribution',
  generic: 'generic',
};
const REQUIRED = { secret: SECRET, unauthenticated: false };

const types = fc.constantFrom(...WEBHOOK_TYPES);
/** Bytes, JSON, and a sender's own event with other values somewhere in it. */
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .tuple(fc.constantFrom(...Object.values(SAMPLES)), fc.nat(), fc.jsonValue())
    .map(([name, at, value]) => json(withOther(JSON.parse(sample(name).toString()), { at, value }))),
);

/** The value with one of its parts, the `at`th of all, replaced. */
function withOther(whole: unknown, { at, value }: { readonly at: number; readonly value: unknown }): unknown {
  let left = at % 40;
  return JSON.parse(JSON.stringify(whole), (_key, part: unknown) => {
    left -= 1;
    return left === 0 ? value : part;
  }) as unknown;
}

test('no body gets in without the secret, whatever headers and address come with it', () => {
  const names = fc.constantFrom(
    'authorization',
    'x-gitlab-token',
    'x-hub-signature-256',
    'x-jfrog-event-auth',
    'x-gitea-signature',
    'webhook-signature',
    'webhook-request-origin',
    'x-github-event',
    'content-type',
    'x-image-resolver-signature',
  );
  const values = fc.oneof(
    fc.string(),
    fc.constantFrom('Bearer', 'Bearer ', 'sha256=', `sha256=${'0'.repeat(64)}`, 'v1,', SECRET.slice(0, -1)),
    fc.array(fc.string(), { maxLength: 2 }),
  );
  fc.assert(
    fc.property(types, bodies, fc.dictionary(names, values), fc.string(), (type, body, headers, query) => {
      expect(readWebhook(type, request(body, { headers, query }), REQUIRED)).toEqual({ kind: 'unauthorized' });
    }),
    { numRuns: 500 },
  );
});

test('no body of an authenticated sender throws, and what comes out is in normal form', () => {
  fc.assert(
    fc.property(types, bodies, (type, body) => {
      const answer = deliver(type, body);
      expect(answer.kind).not.toBe('unauthorized');
      for (const name of answer.kind === 'accepted' ? changesIn(answer) : []) {
        expect(name).toMatch(/^(?:[^/]*[.:][^/]*|localhost)\/[a-z0-9._/-]+(?::[\w.-]{1,128})?$/);
      }
    }),
    { numRuns: 2000 },
  );
});

test('an answer that refuses a body repeats nothing of it', () => {
  fc.assert(
    fc.property(types, fc.stringMatching(/^[a-z]{12}$/), (type, word) => {
      for (const body of [
        json({ [word]: word }),
        json([word]),
        Buffer.from(word),
        json({ type: word, action: 'x', events: word }),
      ]) {
        expect(JSON.stringify(deliver(type, body))).not.toContain(word);
      }
    }),
    { numRuns: 100 },
  );
});

describe('a signed body cannot be changed', () => {
  const signing = WEBHOOK_TYPES.flatMap((type) =>
    PROOFS[type].filter(({ signs }) => signs).map((proof) => ({ type, proof, name: `${type} by ${proof.name}` })),
  );

  test.for(signing)('$name', ({ type, proof }) => {
    const body = sample(SAMPLES[type]);
    const parts = proof.apply(SECRET, body);
    expect(readWebhook(type, request(body, parts), REQUIRED)).toMatchObject({ kind: 'accepted' });
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = Buffer.from(body);
        changed[at] = (changed[at] ?? 0) ^ difference;
        expect(readWebhook(type, request(changed, parts), REQUIRED)).toEqual({ kind: 'unauthorized' });
      }),
      { numRuns: 200 },
    );
    for (const other of [
      body.subarray(1),
      body.subarray(0, -1),
      Buffer.concat([body, Buffer.from(' ')]),
      Buffer.alloc(0),
    ]) {
      expect(readWebhook(type, request(other, parts), REQUIRED)).toEqual({ kind: 'unauthorized' });
    }
  });
});

describe('what counts as proof', () => {
  const body = sample('generic');

  test('an address is no place for a secret when the sender has a better one', () => {
    for (const type of ['ghcr', 'harbor', 'ecr', 'gitlab', 'jfrog', 'gitea', 'distribution', 'generic'] as const) {
      const asked = request(sample(SAMPLES[type]), inQuery('secret').apply(SECRET, body));
      expect(readWebhook(type, asked, REQUIRED)).toEqual({ kind: 'unauthorized' });
    }
  });

  test('an empty secret lets nobody in', () => {
    for (const type of WEBHOOK_TYPES) {
      for (const proof of PROOFS[type]) {
        const asked = request(sample(SAMPLES[type]), proof.apply('', sample(SAMPLES[type])));
        expect(readWebhook(type, asked, { secret: '', unauthenticated: true })).toEqual({ kind: 'unauthorized' });
      }
    }
  });

  test('a wrong signature is not made good by the secret beside it', () => {
    const headers = {
      ...inHeader('authorization', 'Bearer ').apply(SECRET, body).headers,
      'x-image-resolver-signature': `sha256=${'0'.repeat(64)}`,
    };
    expect(readWebhook('generic', request(body, { headers }), REQUIRED)).toEqual({ kind: 'unauthorized' });
  });

  test('two headers or two parameters are no proof', () => {
    const twice = request(sample('gitlab-registry'), { headers: { 'x-gitlab-token': [SECRET, SECRET] } });
    expect(readWebhook('gitlab', twice, REQUIRED)).toEqual({ kind: 'unauthorized' });
    const asked = request(sample('quay'), { query: `secret=${encodeURIComponent(SECRET)}&token=guess` });
    expect(readWebhook('quay', asked, REQUIRED)).toEqual({ kind: 'unauthorized' });
  });

  test('a signing token of GitLab is a key in base64', () => {
    const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
    const registry = sample('gitlab-registry');
    const asked = request(registry, standardSignature.apply(secret, registry));
    expect(readWebhook('gitlab', asked, { ...REQUIRED, secret })).toMatchObject({ kind: 'accepted' });
    expect(readWebhook('gitlab', asked, REQUIRED)).toEqual({ kind: 'unauthorized' });
    const empty = request(registry, standardSignature.apply('whsec_', registry));
    expect(readWebhook('gitlab', empty, { ...REQUIRED, secret: 'whsec_' })).toEqual({ kind: 'unauthorized' });
  });
});

describe('large events', () => {
  const push = (repository: string, tag: string): unknown => ({
    action: 'push',
    target: { repository, tag },
    request: { host: 'registry.example.com' },
  });
  const tags = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `1.0.${index}`);

  test('name each change once', () => {
    const events = [...tags(900), ...tags(900)].map((tag) => push('team/app', tag));
    expect(changesIn(deliver('distribution', json({ events })))).toEqual(
      tags(900).map((tag) => `registry.example.com/team/app:${tag}`),
    );
  });

  test('with more than a thousand changes name each repository once', () => {
    const events = [
      ...tags(700).map((tag) => push('team/app', tag)),
      ...tags(301).map((tag) => push('team/worker', tag)),
    ];
    expect(changesIn(deliver('distribution', json({ events })))).toEqual([
      'registry.example.com/team/app',
      'registry.example.com/team/worker',
    ]);
  });

  test('of a mebibyte are read to the end, however many repositories they name', () => {
    const names = Array.from({ length: 80_000 }, (_, index) => `r/${index}`);
    const body = json({ images: names });
    expect(body.length).toBeLessThan(1024 * 1024);
    expect(changesIn(deliver('generic', body))).toHaveLength(names.length);
  });

  test.for([
    { name: 'lists', text: '['.repeat(1024 * 1024) },
    { name: 'closed lists', text: '['.repeat(500_000) + ']'.repeat(500_000) },
    { name: 'objects', text: '{"a":'.repeat(200_000) },
    { name: 'lists after a bracket in a string', text: `{"a":"]]]\\"","b":${'['.repeat(100)}${']'.repeat(100)}}` },
  ])('that nest deep are refused: $name', ({ text }) => {
    for (const type of WEBHOOK_TYPES) {
      expect(deliver(type, Buffer.from(text))).toEqual({ kind: 'invalid', problem: 'nests more than 64 deep' });
    }
    const wrapped = json({ message: { data: Buffer.from(text.slice(0, 700_000)).toString('base64') } });
    expect(deliver('artifact-registry', wrapped)).toMatchObject({ kind: 'invalid' });
  });

  test('with brackets in strings are not deep', () => {
    const body = json({ images: ['ghcr.io/acme/web:1'], note: '[{'.repeat(1000) });
    expect(changesIn(deliver('generic', body))).toEqual(['ghcr.io/acme/web:1']);
  });

  test.for([
    {
      name: 'an address of colons',
      type: 'ghcr',
      body: {
        package: { name: 'a', package_type: 'container', package_version: { package_url: `${':'.repeat(900_000)}/` } },
      },
    },
    {
      name: 'a host of labels',
      type: 'distribution',
      body: {
        events: [{ action: 'push', target: { repository: 'a', tag: '1' }, request: { host: 'a-.'.repeat(300_000) } }],
      },
    },
    {
      name: 'a path of separators',
      type: 'distribution',
      body: {
        events: [{ action: 'push', target: { repository: 'a_'.repeat(450_000), tag: '1' }, request: { host: 'a.b' } }],
      },
    },
  ] as const)('with hostile names take no longer: $name', ({ type, body }) => {
    expect(deliver(type, json(body)).kind).toBe('accepted');
  });
});
