import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookRequest } from './webhook.ts';

/** A header that was sent once and is not empty. Two of a kind are none, because which of them counts is anybody's guess. */
export function headerOf(request: WebhookRequest, name: string): string | undefined {
  const value = request.headers[name];
  const only = typeof value === 'string' ? value : value?.length === 1 ? value[0] : undefined;
  return only === '' ? undefined : only;
}

/** Whether a header holds the secret, bare or as `Bearer <secret>`. */
export function hasSecretHeader(request: WebhookRequest, name: string, secret: string): boolean {
  const value = headerOf(request, name);
  if (value === undefined) return false;
  return isSecret(value, secret) || isSecret(value.replace(/^bearer +/i, ''), secret);
}

/** Whether the address holds the secret as `?secret=` or `?token=`: for senders that can be given an address and nothing else. */
export function hasSecretInQuery(request: WebhookRequest, secret: string): boolean {
  const values = [...request.query.getAll('secret'), ...request.query.getAll('token')];
  return values.length === 1 && isSecret(values[0] ?? '', secret);
}

/** Whether a header is the HMAC-SHA256 of the raw body in hexadecimal digits, bare or after `sha256=`. */
export function isSignedInHex(request: WebhookRequest, name: string, secret: string): boolean {
  const digits = /^(?:sha256=)?(?<digits>[0-9a-f]{64})$/i.exec(headerOf(request, name) ?? '')?.groups?.['digits'];
  if (digits === undefined) return false;
  return timingSafeEqual(Buffer.from(digits, 'hex'), hmac(secret, [request.body]));
}

/** A signature, the one in base64 that follows `v1,`; the header may hold several, one for each key in use. */
const STANDARD_SIGNATURES = 8;

/**
 * Whether the request is signed as Standard Webhooks has it: over id, time and body, with the key in base64 behind
 * `whsec_`. The age is not looked at: an event that comes again is only one more reason to look.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function isSignedAsStandardWebhook(request: WebhookRequest, secret: string): boolean {
  const id = headerOf(request, 'webhook-id');
  const timestamp = headerOf(request, 'webhook-timestamp');
  const given = headerOf(request, 'webhook-signature');
  if (id === undefined || timestamp === undefined || given === undefined) return false;
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  if (key.length === 0) return false;
  const wanted = hmac(key, [`${id}.${timestamp}.`, request.body]);
  const signatures = given.split(' ', STANDARD_SIGNATURES).filter((one) => /^v1,[A-Za-z0-9+/]{43}=$/.test(one));
  return signatures.some((one) => timingSafeEqual(Buffer.from(one.slice('v1,'.length), 'base64'), wanted));
}

/** Compares digests, so that neither the length nor the first difference shows in the time it takes. */
function isSecret(given: string, secret: string): boolean {
  return timingSafeEqual(sha256(given), sha256(secret));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function hmac(key: string | Buffer, parts: readonly (string | Buffer)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
