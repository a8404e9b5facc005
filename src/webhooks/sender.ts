import type { NamedImage } from './named-image.ts';
import type { WebhookReply, WebhookRequest } from './webhook.ts';

/** What is particular to one sender of webhooks. */
export interface Sender {
  /** Whether the request shows that its sender knows the secret, in a way this sender offers. Reads no JSON. */
  isAuthentic(request: WebhookRequest, secret: string): boolean;
  /** The answer to a request that is no event and has no body. */
  handshake?(request: WebhookRequest): WebhookReply | undefined;
  /** The bytes that are JSON, where they are not the body itself. */
  json?(request: WebhookRequest): Buffer;
  /** Which images an event is about. */
  read(event: unknown, context: EventContext): SenderEvent;
}

export interface EventContext {
  readonly request: WebhookRequest;
  /** The operator's host. It goes before the one in the event. */
  readonly host: string | undefined;
}

export type SenderEvent =
  /** None when it is about something else. */
  | { readonly kind: 'images'; readonly images: readonly NamedImage[] }
  | { readonly kind: 'reply'; readonly reply: WebhookReply }
  /** `problem` is a clause without text of the body. */
  | { readonly kind: 'invalid'; readonly problem: string };

export function images(found: readonly NamedImage[]): SenderEvent {
  return { kind: 'images', images: found };
}

/** An event about something else: a scan, a pull, a test of the connection. */
export const OTHER_EVENT: SenderEvent = { kind: 'images', images: [] };

/** JSON, but not what this sender sends. */
export const UNKNOWN_SHAPE: SenderEvent = { kind: 'invalid', problem: 'is not an event of this sender' };
