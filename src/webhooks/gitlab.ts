import * as v from 'valibot';
import { hasSecretHeader, isSignedAsStandardWebhook } from './authentication.ts';
import { notifiedImages } from './distribution.ts';
import { optional, optionalText, shaped } from './fields.ts';
import { hostOf } from './named-image.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const hook = v.object({
  object_kind: v.string(),
  object_attributes: optional(v.object({ status: optionalText })),
  build_status: optionalText,
  project: optional(v.object({ path_with_namespace: v.string(), web_url: optionalText })),
});

/**
 * GitLab. Its container registry sends distribution's notifications, which only administrators of an own instance can
 * configure. Webhooks of projects and groups have no event for the registry: the nearest is a job or pipeline that
 * succeeded, and it says only that the project's own repository may have changed.
 *
 * @see https://docs.gitlab.com/administration/packages/container_registry/#configure-container-registry-notifications
 * @see https://docs.gitlab.com/user/project/integrations/webhook_events/#pipeline-events
 */
export const gitlab: Sender = {
  isAuthentic(request, secret) {
    return (
      isSignedAsStandardWebhook(request, secret) ||
      ['x-gitlab-token', 'authorization'].some((name) => hasSecretHeader(request, name, secret))
    );
  },
  read(event, { host }) {
    const notified = notifiedImages(event, host);
    if (notified !== undefined) return images(notified);
    const found = shaped(hook, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    const status = found.object_kind === 'build' ? found.build_status : found.object_attributes?.status;
    if (!['build', 'pipeline'].includes(found.object_kind) || status !== 'success') return OTHER_EVENT;
    if (found.project === undefined) return UNKNOWN_SHAPE;
    const onGitLabCom = hostOf(found.project.web_url) === 'gitlab.com' ? 'registry.gitlab.com' : undefined;
    return images([{ host: host ?? onGitLabCom, path: found.project.path_with_namespace.toLowerCase() }]);
  },
};
