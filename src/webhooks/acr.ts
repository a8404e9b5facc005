import * as v from 'valibot';
import { hasSecretHeader, hasSecretInQuery, headerOf } from './authentication.ts';
import { listOf, optional, optionalText, shaped } from './fields.ts';
import type { NamedImage } from './named-image.ts';
import { images, type Sender, type SenderEvent, UNKNOWN_SHAPE } from './sender.ts';

const change = {
  action: optionalText,
  target: optional(v.object({ repository: v.string(), tag: optionalText })),
  request: optional(v.object({ host: optionalText })),
};
const event = v.object({
  ...change,
  /** `eventType` and `topic` in Event Grid's own schema, `type` and `source` in a CloudEvent, none in a webhook of the registry. */
  eventType: optionalText,
  type: optionalText,
  topic: optionalText,
  source: optionalText,
  data: optional(v.object({ ...change, validationCode: optionalText })),
});
type Event = v.InferOutput<typeof event>;

const VALIDATION = 'Microsoft.EventGrid.SubscriptionValidationEvent';
const IMAGE_EVENTS: ReadonlySet<string | undefined> = new Set([
  'Microsoft.ContainerRegistry.ImagePushed',
  'Microsoft.ContainerRegistry.ImageDeleted',
]);
const IMAGE_ACTIONS: ReadonlySet<string | undefined> = new Set(['push', 'delete']);

/**
 * Azure Container Registry: its own webhooks, with the secret in a custom header, and Event Grid in both schemas, with the
 * secret in the address, because Event Grid's handshakes have no header of ours.
 *
 * @see https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
 * @see https://learn.microsoft.com/azure/event-grid/event-schema-container-registry
 */
export const acr: Sender = {
  isAuthentic(request, secret) {
    return (
      hasSecretInQuery(request, secret) ||
      ['authorization', 'x-webhook-secret'].some((name) => hasSecretHeader(request, name, secret))
    );
  },
  handshake(request) {
    // `OPTIONS` with `WebHook-Request-Origin: eventgrid.azure.net`, before the first CloudEvent.
    const origin = headerOf(request, 'webhook-request-origin');
    if (request.body.length > 0 || origin === undefined || !/^[a-zA-Z0-9.:-]{1,255}$/.test(origin)) return undefined;
    return { status: 200, headers: { 'webhook-allowed-origin': origin, 'webhook-allowed-rate': '*' }, body: '' };
  },
  read(body, { host }) {
    if (!Array.isArray(body)) {
      const found = shaped(event, body);
      return found === undefined || !isKnown(found) ? UNKNOWN_SHAPE : readAll([found], host);
    }
    const found = shaped(listOf(event), body) ?? [];
    return found.some(isKnown) ? readAll(found, host) : UNKNOWN_SHAPE;
  },
};

function isKnown(found: Event): boolean {
  return (found.eventType ?? found.type ?? found.action) !== undefined;
}

function readAll(events: readonly Event[], host: string | undefined): SenderEvent {
  const validation = events.find((found) => found.eventType === VALIDATION);
  if (validation !== undefined) return validate(validation.data?.validationCode);
  return images(events.flatMap((one) => imagesOf(one, host)));
}

/** Event Grid wants to read its code back before it sends an event. */
function validate(code: string | undefined): SenderEvent {
  if (code === undefined || !/^[a-zA-Z0-9-]{1,128}$/.test(code)) return UNKNOWN_SHAPE;
  const body = JSON.stringify({ validationResponse: code });
  return { kind: 'reply', reply: { status: 200, headers: { 'content-type': 'application/json' }, body } };
}

function imagesOf(found: Event, host: string | undefined): readonly NamedImage[] {
  const kind = found.eventType ?? found.type;
  const isImage = kind === undefined ? IMAGE_ACTIONS.has(found.action) : IMAGE_EVENTS.has(kind);
  const { target, request } = (kind === undefined ? found : found.data) ?? {};
  if (!isImage || target === undefined) return [];
  const registry = host ?? request?.host ?? loginServerOf(found.topic ?? found.source);
  return [{ host: registry, path: target.repository, tag: target.tag }];
}

/** `/subscriptions/…/providers/Microsoft.ContainerRegistry/registries/<name>` */
function loginServerOf(resource: string | undefined): string | undefined {
  const name = /\/registries\/(?<name>[a-zA-Z0-9]{5,50})$/.exec(resource ?? '')?.groups?.['name'];
  return name === undefined ? undefined : `${name.toLowerCase()}.azurecr.io`;
}
