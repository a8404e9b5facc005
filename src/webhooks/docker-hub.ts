import * as v from 'valibot';
import { hasSecretInQuery } from './authentication.ts';
import { optional, optionalText, shaped } from './fields.ts';
import { images, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const push = v.object({
  repository: v.object({ repo_name: v.string() }),
  push_data: optional(v.object({ tag: optionalText })),
});

/**
 * Docker Hub: one event per pushed tag. It signs nothing and sends no header of ours, so the secret is in the address. Its
 * `callback_url` is never called.
 *
 * @see https://docs.docker.com/docker-hub/repos/manage/webhooks/
 */
export const dockerHub: Sender = {
  isAuthentic: hasSecretInQuery,
  read(event, { host = 'docker.io' }) {
    const found = shaped(push, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    return images([{ host, path: found.repository.repo_name, tag: found.push_data?.tag }]);
  },
};
