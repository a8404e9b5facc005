import * as v from 'valibot';
import { hasSecretHeader } from './authentication.ts';
import { listOf, optional, optionalText, shaped } from './fields.ts';
import type { NamedImage } from './named-image.ts';
import { images, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const envelope = v.object({
  events: v.pipe(
    v.array(v.unknown()),
    v.transform((events) => shaped(listOf(event), events) ?? []),
  ),
});
const event = v.object({
  action: v.string(),
  target: v.object({
    repository: v.string(),
    tag: optionalText,
    mediaType: optionalText,
    /** `https://registry.example.com/v2/team/app/manifests/sha256:…` */
    url: optionalText,
  }),
  request: optional(v.object({ host: optionalText })),
});
type Event = v.InferOutput<typeof event>;

/**
 * The notifications of distribution (`registry:2`, `registry:3`) and of registries built on it.
 *
 * @see https://distribution.github.io/distribution/about/notifications/
 */
export const distribution: Sender = {
  isAuthentic: (request, secret) => hasSecretHeader(request, 'authorization', secret),
  read(body, { host }) {
    const found = notifiedImages(body, host);
    return found === undefined ? UNKNOWN_SHAPE : images(found);
  },
};

/** The images of an envelope with events; undefined when it is none. */
export function notifiedImages(body: unknown, host: string | undefined): readonly NamedImage[] | undefined {
  return shaped(envelope, body)
    ?.events.filter(isChange)
    .map(({ target, request }) => ({ host: host ?? request?.host, path: target.repository, tag: target.tag }));
}

/** A push sends an event for each layer as well. Those have no tag, and neither the address nor the type of a manifest. */
function isChange({ action, target }: Event): boolean {
  if (action === 'delete') return true;
  const isManifest =
    target.url?.includes('/manifests/') === true || /manifest|image\.index/.test(target.mediaType ?? '');
  return action === 'push' && (target.tag !== undefined || isManifest);
}
