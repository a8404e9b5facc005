import { acr } from './acr.ts';
import { artifactRegistry } from './artifact-registry.ts';
import { parseBody } from './body.ts';
import { distribution } from './distribution.ts';
import { dockerHub } from './docker-hub.ts';
import { ecr } from './ecr.ts';
import { generic } from './generic.ts';
import { ghcr } from './ghcr.ts';
import { gitea } from './gitea.ts';
import { gitlab } from './gitlab.ts';
import { harbor } from './harbor.ts';
import { jfrog } from './jfrog.ts';
import { changesOf } from './named-image.ts';
import { quay } from './quay.ts';
import type { Sender } from './sender.ts';
import type { WebhookAnswer, WebhookRequest, WebhookSettings, WebhookType } from './webhook.ts';

const SENDERS: Readonly<Record<WebhookType, Sender>> = {
  'docker-hub': dockerHub,
  ghcr,
  harbor,
  quay,
  acr,
  ecr,
  gitlab,
  'artifact-registry': artifactRegistry,
  jfrog,
  gitea,
  distribution,
  generic,
};

/**
 * What a request to `/webhook/<type>` says: which repositories and tags changed.
 *
 * Nobody's body is parsed before the sender is known. Nothing of a body is in a problem. The changes are hints, and can
 * name any repository of any host: the caller looks only at those that an application uses.
 */
export function readWebhook(type: WebhookType, request: WebhookRequest, settings: WebhookSettings): WebhookAnswer {
  const sender = SENDERS[type];
  if (!isAllowed(sender, request, settings)) return { kind: 'unauthorized' };
  const reply = sender.handshake?.(request);
  if (reply !== undefined) return { kind: 'accepted', changes: [], reply };
  const body = parseBody(sender.json?.(request) ?? request.body);
  if (!body.ok) return { kind: 'invalid', problem: body.problem };

  const event = sender.read(body.value, { request, host: settings.host });
  switch (event.kind) {
    case 'images': {
      const changes = changesOf(event.images);
      return changes.ok ? { kind: 'accepted', changes: changes.value } : { kind: 'invalid', problem: changes.problem };
    }
    case 'reply':
      return { kind: 'accepted', changes: [], reply: event.reply };
    case 'invalid':
      return event;
    default:
      return event satisfies never;
  }
}

/** A secret that is configured is asked for, whatever else is; an empty one opens nothing. */
function isAllowed(sender: Sender, request: WebhookRequest, { secret, unauthenticated }: WebhookSettings): boolean {
  if (secret === undefined) return unauthenticated;
  return secret !== '' && sender.isAuthentic(request, secret);
}
