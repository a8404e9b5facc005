import * as v from 'valibot';
import { headerOf, isSignedInHex } from './authentication.ts';
import { listOf, optional, optionalText, shaped } from './fields.ts';
import { imageOf, type NamedImage } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const container = v.object({
  name: v.string(),
  namespace: optionalText,
  package_type: optionalText,
  ecosystem: optionalText,
  owner: optional(v.object({ login: optionalText })),
  package_version: optional(
    v.object({
      /** `ghcr.io/acme/web:1.2.3`; `ghcr.io/acme/web:` for a push by digest. */
      package_url: optionalText,
      container_metadata: optional(v.object({ tag: optional(v.object({ name: optionalText })) })),
      docker_metadata: listOf(v.object({ tags: listOf(v.string()) })),
    }),
  ),
});
const delivery = v.object({ package: optional(container), registry_package: optional(container) });
type Container = v.InferOutput<typeof container>;

const EVENTS: ReadonlySet<string | undefined> = new Set(['package', 'registry_package', undefined]);
const CONTAINERS: ReadonlySet<string | undefined> = new Set(['container', 'docker']);

/**
 * GitHub's container registry: the events `package` and `registry_package`, one per pushed tag. GitHub sends none for
 * deletions.
 *
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads#package
 */
export const ghcr: Sender = {
  isAuthentic: (request, secret) => isSignedInHex(request, 'x-hub-signature-256', secret),
  json(request) {
    // A webhook of GitHub with the content type left as it was. The signature is over the form.
    const isForm = headerOf(request, 'content-type')?.startsWith('application/x-www-form-urlencoded') === true;
    return isForm ? Buffer.from(new URLSearchParams(request.body.toString('utf8')).get('payload') ?? '') : request.body;
  },
  read(event, { request, host }) {
    if (!EVENTS.has(headerOf(request, 'x-github-event'))) return OTHER_EVENT;
    const { package: one, registry_package: other } = shaped(delivery, event) ?? {};
    const found = one ?? other;
    if (found === undefined) return UNKNOWN_SHAPE;
    const isContainer = [found.package_type, found.ecosystem].some((type) => CONTAINERS.has(type?.toLowerCase()));
    return isContainer ? images(imagesOf(found, host)) : OTHER_EVENT;
  },
};

/** Owners may have upper-case letters; in the registry they have none. */
function imagesOf(found: Container, host: string | undefined): readonly NamedImage[] {
  const version = found.package_version;
  const url = partsOf(version?.package_url ?? '');
  const named = imageOf(url.name.toLowerCase());
  const owner = found.namespace ?? found.owner?.login ?? '';
  const place = {
    host: host ?? named?.host ?? 'ghcr.io',
    path: (named?.path ?? `${owner}/${found.name}`).toLowerCase(),
  };
  const listed = (version?.docker_metadata ?? []).flatMap(({ tags }) => tags);
  const tags = [url.tag, version?.container_metadata?.tag?.name, ...listed].filter(
    (tag) => tag !== undefined && tag !== '',
  );
  return tags.length === 0 ? [place] : tags.map((tag) => ({ ...place, tag }));
}

function partsOf(url: string): { readonly name: string; readonly tag?: string } {
  const colon = url.indexOf(':', url.lastIndexOf('/') + 1);
  return colon === -1 ? { name: url } : { name: url.slice(0, colon), tag: url.slice(colon + 1) };
}
