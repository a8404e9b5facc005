// What each sender delivers: its events and how it shows the secret. Written after the senders' own documentation.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWebhook } from '../../src/webhooks/read-webhook.ts';
import type { WebhookAnswer, WebhookRequest, WebhookType } from '../../src/webhooks/webhook.ts';

export const SECRET = 'correct horse battery staple';

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** One way a sender shows that it knows a secret: a header, a signature or a part of the address. */
export interface Proof {
  readonly name: string;
  /** The body cannot be changed without the secret. */
  readonly signs: boolean;
  apply(secret: string, body: Buffer): { readonly headers?: Headers; readonly query?: string };
}

export const inHeader = (header: string, before = ''): Proof => ({
  name: `${header}: ${before}<secret>`,
  signs: false,
  apply: (secret) => ({ headers: { [header]: `${before}${secret}` } }),
});

export const inQuery = (key: string): Proof => ({
  name: `?${key}=<secret>`,
  signs: false,
  apply: (secret) => ({ query: new URLSearchParams({ [key]: secret }).toString() }),
});

export const signed = (header: string, before = ''): Proof => ({
  name: `${header}: ${before}<signature>`,
  signs: true,
  apply: (secret, body) => ({
    headers: { [header]: `${before}${createHmac('sha256', secret).update(body).digest('hex')}` },
  }),
});

/** GitLab's signing token: https://www.standardwebhooks.com. */
export const standardSignature: Proof = {
  name: 'webhook-signature: v1,<signature>',
  signs: true,
  apply(secret, body) {
    const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
    const signature = createHmac('sha256', key).update('msg_1.1774000000.').update(body).digest('base64');
    return {
      headers: { 'webhook-id': 'msg_1', 'webhook-timestamp': '1774000000', 'webhook-signature': `v1,${signature}` },
    };
  },
};

/** The first is the one that the page tells people to use. */
export const PROOFS: Readonly<Record<WebhookType, readonly [Proof, ...Proof[]]>> = {
  'docker-hub': [inQuery('secret'), inQuery('token')],
  ghcr: [signed('x-hub-signature-256', 'sha256=')],
  harbor: [inHeader('authorization'), inHeader('authorization', 'Bearer ')],
  quay: [inQuery('secret'), inQuery('token')],
  acr: [
    inHeader('authorization', 'Bearer '),
    inHeader('authorization'),
    inHeader('x-webhook-secret'),
    inQuery('secret'),
    inQuery('token'),
  ],
  ecr: [inHeader('x-api-key'), inHeader('authorization', 'Bearer '), inHeader('x-webhook-secret')],
  gitlab: [inHeader('x-gitlab-token'), inHeader('authorization'), standardSignature],
  'artifact-registry': [inQuery('token'), inQuery('secret')],
  jfrog: [inHeader('x-jfrog-event-auth'), signed('x-jfrog-event-auth')],
  gitea: [signed('x-gitea-signature'), signed('x-forgejo-signature'), signed('x-hub-signature-256', 'sha256=')],
  distribution: [inHeader('authorization', 'Bearer '), inHeader('authorization')],
  generic: [signed('x-image-resolver-signature', 'sha256='), inHeader('authorization', 'Bearer ')],
};

export function sample(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, 'samples', `${name}.json`));
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function request(
  body: Buffer,
  parts: { readonly headers?: Headers; readonly query?: string } = {},
): WebhookRequest {
  return { headers: parts.headers ?? {}, query: new URLSearchParams(parts.query ?? ''), body };
}

/** A delivery with the right secret. */
export function deliver(
  type: WebhookType,
  body: Buffer,
  options: { readonly headers?: Headers; readonly host?: string; readonly proof?: Proof } = {},
): WebhookAnswer {
  const { headers, query } = (options.proof ?? PROOFS[type][0]).apply(SECRET, body);
  const settings = {
    secret: SECRET,
    unauthenticated: false,
    ...(options.host !== undefined && { host: options.host }),
  };
  return readWebhook(
    type,
    request(body, { headers: { ...headers, ...options.headers }, ...(query !== undefined && { query }) }),
    settings,
  );
}

/** `name:tag`, or `name` alone for a change that names no tag. */
export function changesIn(answer: WebhookAnswer): readonly string[] {
  if (answer.kind !== 'accepted') throw new Error(`the answer is ${JSON.stringify(answer)}`);
  return answer.changes.map(({ repository, tag }) =>
    tag === undefined ? repository.name : `${repository.name}:${tag}`,
  );
}
