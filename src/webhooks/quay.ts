import * as v from 'valibot';
import { hasSecretInQuery } from './authentication.ts';
import { listOf, shaped } from './fields.ts';
import { imageOf } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const notification = v.object({
  docker_url: v.string(),
  /** A list; an object with the tags as keys in old versions; absent in notifications about something else. */
  updated_tags: v.optional(v.unknown()),
});

/**
 * Quay: "Push to Repository". A notification has an address and nothing secret besides, so the secret is in there.
 *
 * @see https://docs.redhat.com/en/documentation/red_hat_quay/3/html/use_red_hat_quay/repository-notifications
 */
export const quay: Sender = {
  isAuthentic: hasSecretInQuery,
  read(event, { host }) {
    const found = shaped(notification, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    if (found.updated_tags === undefined) return OTHER_EVENT;
    const named = imageOf(found.docker_url);
    if (named === undefined) return UNKNOWN_SHAPE;
    const place = { host: host ?? named.host, path: named.path };
    const tags = tagsOf(found.updated_tags);
    return images(tags.length === 0 ? [place] : tags.map((tag) => ({ ...place, tag })));
  },
};

function tagsOf(updated: unknown): readonly string[] {
  const isMap = typeof updated === 'object' && updated !== null && !Array.isArray(updated);
  return isMap ? Object.keys(updated) : (shaped(listOf(v.string()), updated) ?? []);
}
