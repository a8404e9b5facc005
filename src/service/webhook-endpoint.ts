import type { WebhookEntry } from '../operator/operator-configuration.ts';
import type { CredentialName } from '../registry/access.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  type RegistryChange,
  WEBHOOK_TYPES,
  type WebhookAnswer,
  type WebhookRequest,
  type WebhookSettings,
  type WebhookType,
} from '../webhooks/webhook.ts';
import { json, refusal, type RequestHead, type Route, type ServiceAnswer } from './exchange.ts';
import { TokenBucket } from './token-bucket.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** Events of one type in a second, and at once. Bursts of pushes are coalesced later; this is about strangers. */
const EVENTS = { perSecond: 50, size: 500 };

export interface WebhookPorts {
  /** From the operator's configuration as it is now. */
  readonly entries: () => readonly WebhookEntry[];
  /** The shared secret; undefined when it cannot be read. */
  readonly secret: (name: CredentialName, signal: AbortSignal) => Promise<string | undefined>;
  readonly readWebhook: (type: WebhookType, request: WebhookRequest, settings: WebhookSettings) => WebhookAnswer;
  /** Hints to look at these; told nothing of what becomes of them. */
  readonly changed: (changes: readonly RegistryChange[]) => void;
  readonly metrics: Pick<Metrics, 'webhook'>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const PATH = '/webhook/';

/**
 * `POST /webhook/<type>` (and `OPTIONS`, by which CloudEvents ask whether they may come). What is answered depends on the
 * sender and the form of its event alone, never on whether anybody here uses the repository.
 */
export function webhookEndpoint(ports: WebhookPorts): Route {
  const buckets = new Map<WebhookType, TokenBucket>();
  const withoutSecret = new Set<WebhookType>();
  return {
    methods: ['POST', 'OPTIONS'],
    path: PATH,
    maxBodyBytes: MAX_BODY_BYTES,
    async open(head) {
      const type = typeOf(head);
      const isConfigured = ports.entries().some((entry) => entry.type === type);
      if (type === undefined || !isConfigured) return refusal(404, 'no such webhook is configured');
      const bucket = buckets.get(type) ?? new TokenBucket({ ...EVENTS, now: ports.now });
      buckets.set(type, bucket);
      // Senders send again after a 429; and every look at a registry makes up for events that were lost.
      if (!bucket.take()) return refusal(429, 'too many events at once', { 'retry-after': '5' });
      return async (body, signal) => {
        const answer = await receive(type, { head, body }, ports, signal);
        const isSecretMissing = answer.status === 503;
        // Once, not with every event.
        if (isSecretMissing && !withoutSecret.has(type)) ports.log.warning('webhook-secret-missing', { type });
        if (isSecretMissing) withoutSecret.add(type);
        else withoutSecret.delete(type);
        return answer;
      };
    },
    told: (answer, _seconds, head) => ports.metrics.webhook(typeOf(head) ?? 'other', resultOf(answer)),
  };
}

function typeOf({ path }: RequestHead): WebhookType | undefined {
  return WEBHOOK_TYPES.find((one) => path === `${PATH}${one}`);
}

/** Of every answer, also where nobody looked at the event: what is lost must be seen. */
function resultOf({ status, outcome }: ServiceAnswer): Parameters<Metrics['webhook']>[1] {
  if (status < 300) return outcome === 'ignored' ? 'ignored' : 'accepted';
  if (status === 401) return 'unauthorized';
  if (status === 404) return 'unknown';
  if (status === 429) return 'throttled';
  return status < 500 ? 'invalid' : 'unavailable';
}

async function receive(
  type: WebhookType,
  { head, body }: { readonly head: RequestHead; readonly body: Buffer },
  ports: WebhookPorts,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const request: WebhookRequest = { headers: head.headers, query: head.query, body };
  let isSecretMissing = false;
  for (const entry of ports.entries().filter((one) => one.type === type)) {
    const settings = await settingsOf(entry, ports, signal);
    if (settings === undefined) {
      isSecretMissing = true;
      continue;
    }
    const answer = ports.readWebhook(type, request, settings);
    // Another registry of the same kind may have sent it.
    if (answer.kind === 'unauthorized') continue;
    return answered(answer, ports);
  }
  if (isSecretMissing) return refusal(503, 'the controller cannot check events now', { 'retry-after': '30' });
  return refusal(401, 'the event does not prove that it comes from the registry');
}

async function settingsOf(
  { secret, unauthenticated, host }: WebhookEntry,
  ports: WebhookPorts,
  signal: AbortSignal,
): Promise<WebhookSettings | undefined> {
  const rest = { unauthenticated, ...(host !== undefined && { host }) };
  if (secret === undefined) return rest;
  const value = await ports.secret(secret, signal);
  return value === undefined || value === '' ? undefined : { ...rest, secret: value };
}

function answered(answer: Exclude<WebhookAnswer, { kind: 'unauthorized' }>, ports: WebhookPorts): ServiceAnswer {
  switch (answer.kind) {
    case 'accepted': {
      const reply = answer.reply ?? json({}, 202);
      if (answer.changes.length === 0) return { ...reply, outcome: 'ignored' };
      ports.changed(answer.changes);
      return reply;
    }
    case 'invalid':
      return refusal(400, `the event ${answer.problem}`);
    default:
      return answer satisfies never;
  }
}
