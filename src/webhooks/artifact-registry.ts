import * as v from 'valibot';
import { hasSecretInQuery } from './authentication.ts';
import { parseBody } from './body.ts';
import { optionalText, shaped } from './fields.ts';
import { imageOf } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const pushed = v.object({ message: v.object({ data: v.string() }) });
const notification = v.object({
  action: optionalText,
  /** Both are complete references: `europe-docker.pkg.dev/acme/images/web@sha256:…` and `…/web:1.2.3`. */
  digest: optionalText,
  tag: optionalText,
});

/**
 * Google Artifact Registry by a Pub/Sub push subscription, wrapped (the default) or unwrapped. Pub/Sub can add a token of
 * Google's to the request, which nothing here can check without asking Google, so the secret is in the address.
 *
 * @see https://cloud.google.com/artifact-registry/docs/configure-notifications
 * @see https://cloud.google.com/pubsub/docs/push
 */
export const artifactRegistry: Sender = {
  isAuthentic: hasSecretInQuery,
  read(event, { host }) {
    const wrapped = shaped(pushed, event);
    const data = wrapped === undefined ? event : inside(wrapped.message.data);
    const found = shaped(notification, data);
    if (found === undefined || (wrapped === undefined && found.action === undefined)) return UNKNOWN_SHAPE;
    const named = imageOf(found.tag ?? found.digest ?? '');
    // Pub/Sub sends again whatever is not accepted, so a message about something else is.
    return named === undefined ? OTHER_EVENT : images([{ ...named, host: host ?? named.host }]);
  },
};

function inside(data: string): unknown {
  const parsed = parseBody(Buffer.from(data, 'base64'));
  return parsed.ok ? parsed.value : undefined;
}
