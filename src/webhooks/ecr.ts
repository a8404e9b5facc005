import * as v from 'valibot';
import { hasSecretHeader } from './authentication.ts';
import { optionalText, shaped } from './fields.ts';
import { images, OTHER_EVENT, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const fromEventBridge = v.object({
  'detail-type': v.string(),
  account: optionalText,
  region: optionalText,
  detail: v.object({
    'repository-name': optionalText,
    'image-tag': optionalText,
    result: optionalText,
    'sync-status': optionalText,
  }),
});

/** What an input transformer makes for argocd-image-updater. */
const cloudEvent = v.object({
  type: v.string(),
  source: optionalText,
  data: v.object({ repositoryName: v.string(), imageTag: optionalText, registryId: optionalText }),
});

const CHANGES: ReadonlySet<string> = new Set([
  'ECR Image Action',
  'ECR Pull Through Cache Action',
  'ECR Replication Action',
]);
const SECRET_HEADERS = ['x-api-key', 'authorization', 'x-webhook-secret'];

/**
 * Amazon ECR by an EventBridge API destination. Its connection has the secret as an API key, in a header of one's choice.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
 */
export const ecr: Sender = {
  isAuthentic: (request, secret) => SECRET_HEADERS.some((name) => hasSecretHeader(request, name, secret)),
  read(event, { host }) {
    const native = shaped(fromEventBridge, event);
    if (native !== undefined) {
      const { detail, account, region } = native;
      const path = detail['repository-name'];
      if (!CHANGES.has(native['detail-type']) || (detail.result ?? detail['sync-status']) === 'FAILURE') {
        return OTHER_EVENT;
      }
      if (path === undefined) return UNKNOWN_SHAPE;
      return images([{ host: host ?? registryOf(account, region), path, tag: detail['image-tag'] }]);
    }
    const found = shaped(cloudEvent, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    if (!found.type.startsWith('com.amazon.ecr.')) return OTHER_EVENT;
    // urn:aws:ecr:<region>:<account>:repository/<name>
    const [, , , region, account] = (found.source ?? '').split(':', 5);
    const { registryId, repositoryName: path, imageTag: tag } = found.data;
    return images([{ host: host ?? registryOf(registryId ?? account, region), path, tag }]);
  },
};

function registryOf(account: string | undefined, region: string | undefined): string | undefined {
  if (!/^[0-9]{12}$/.test(account ?? '') || !/^[a-z0-9-]{1,40}$/.test(region ?? '')) return undefined;
  const suffix = region?.startsWith('cn-') === true ? '.cn' : '';
  return `${account}.dkr.ecr.${region}.amazonaws.com${suffix}`;
}
