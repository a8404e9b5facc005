import * as v from 'valibot';
import { hasSecretHeader } from './authentication.ts';
import { listOf, optional, optionalText, shaped } from './fields.ts';
import { hostOf, imageOf, type NamedImage } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const artifacts = listOf(v.object({ name_tag: v.string() }));
const eventData = v.object({
  resources: listOf(v.object({ tag: optionalText, resource_url: optionalText })),
  repository: optional(v.object({ repo_full_name: optionalText })),
  replication: optional(
    v.object({
      dest_resource: optional(v.object({ endpoint: optionalText, namespace: optionalText })),
      successful_artifact: artifacts,
    }),
  ),
  retention: optional(
    v.object({ harbor_hostname: optionalText, project_name: optionalText, deleted_artifact: artifacts }),
  ),
});
type EventData = v.InferOutput<typeof eventData>;

/** `event_data` in Harbor's own format, `data` in a CloudEvent. */
const delivery = v.object({ type: v.string(), event_data: optional(eventData), data: optional(eventData) });

const CHANGES: ReadonlySet<string> = new Set([
  'PUSH_ARTIFACT',
  'DELETE_ARTIFACT',
  'CREATE_TAG',
  'DELETE_TAG',
  'REPLICATION',
  'TAG_RETENTION',
  'harbor.artifact.pushed',
  'harbor.artifact.deleted',
  'harbor.tag.created',
  'harbor.tag.deleted',
  'harbor.replication.status.changed',
  'harbor.tag_retention.finished',
]);

/**
 * Harbor, in both of its payload formats. The field "Auth Header" is sent as it is in `Authorization`.
 *
 * @see https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/
 */
export const harbor: Sender = {
  isAuthentic: (request, secret) => hasSecretHeader(request, 'authorization', secret),
  read(event, { host }) {
    const found = shaped(delivery, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    if (!CHANGES.has(found.type)) return OTHER_EVENT;
    const data = found.event_data ?? found.data;
    if (data === undefined) return UNKNOWN_SHAPE;
    return images([...resourcesOf(data, host), ...replicatedOf(data, host), ...retainedOf(data, host)]);
  },
};

function resourcesOf({ resources, repository }: EventData, host: string | undefined): readonly NamedImage[] {
  return resources.flatMap((resource): readonly NamedImage[] => {
    const named = imageOf(resource.resource_url ?? '');
    const path = named?.path ?? repository?.repo_full_name;
    return path === undefined ? [] : [{ host: host ?? named?.host, path, tag: named?.tag ?? resource.tag }];
  });
}

function replicatedOf({ replication }: EventData, host: string | undefined): readonly NamedImage[] {
  const { endpoint, namespace } = replication?.dest_resource ?? {};
  const place = { host: host ?? hostOf(endpoint), project: namespace };
  return (replication?.successful_artifact ?? []).map(({ name_tag: nameAndTag }) => artifactAt(place, nameAndTag));
}

function retainedOf({ retention }: EventData, host: string | undefined): readonly NamedImage[] {
  const place = { host: host ?? retention?.harbor_hostname, project: retention?.project_name };
  return (retention?.deleted_artifact ?? []).map(({ name_tag: nameAndTag }) => artifactAt(place, nameAndTag));
}

/** `alpine:3.8`, `alpine@sha256:…`, or after a replication `alpine [1 item(s) in total]`. */
function artifactAt(
  { host, project }: { readonly host: string | undefined; readonly project: string | undefined },
  nameAndTag: string,
): NamedImage {
  const [named = ''] = nameAndTag.split(' ', 1);
  const [name = '', tag] = named.split(/[:@]/, 2);
  return { host, path: project === undefined ? name : `${project}/${name}`, tag };
}
