import * as v from 'valibot';
import { hasSecretHeader, isSignedInHex } from './authentication.ts';
import { optional, optionalText, shaped } from './fields.ts';
import { hostOf, type NamedImage } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const delivery = v.object({
  domain: v.string(),
  event_type: v.string(),
  data: optional(v.object({ repo_key: v.string(), image_name: v.string(), tag: optionalText })),
  /** `https://acme.jfrog.io/artifactory` */
  jpd_origin: optionalText,
});

const HEADER = 'x-jfrog-event-auth';
const CHANGES: ReadonlySet<string> = new Set(['pushed', 'deleted', 'promoted']);

/**
 * JFrog Artifactory, domain `docker`. The header holds the token itself, or with "Use secret for payload signing" the
 * HMAC of the body.
 *
 * @see https://jfrog.com/help/r/jfrog-platform-administration-documentation/domain-docker
 */
export const jfrog: Sender = {
  isAuthentic(request, secret) {
    return hasSecretHeader(request, HEADER, secret) || isSignedInHex(request, HEADER, secret);
  },
  read(event, { host }) {
    const found = shaped(delivery, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    if (found.domain !== 'docker' || !CHANGES.has(found.event_type)) return OTHER_EVENT;
    if (found.data === undefined) return UNKNOWN_SHAPE;
    const { repo_key: key, image_name: image, tag } = found.data;
    const origin = hostOf(found.jpd_origin);
    const names = keysOf(key).flatMap((one) => namesOf({ host, origin, key: one, image }));
    return images(names.map((name) => ({ ...name, tag })));
  },
};

/** What a remote repository fetched lies in its cache, which events name; images are pulled by the name of the remote one. */
function keysOf(key: string): readonly string[] {
  const remote = key.replace(/-cache$/, '');
  return remote === key || remote === '' ? [key] : [key, remote];
}

/**
 * Artifactory has one repository under several names: the key in the path, in the host name, or behind a host or port of
 * its own. Which of them images are written with is not in the event, so it counts for all; the unused ones concern nobody.
 */
function namesOf(event: {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly key: string;
  readonly image: string;
}): readonly NamedImage[] {
  const { host, origin, key, image } = event;
  const at = host ?? origin;
  const names = [{ host: at, path: `${key}/${image}` }];
  if (at !== undefined) names.push({ host: `${key}.${at}`, path: image });
  if (host !== undefined) names.push({ host, path: image });
  return names;
}
