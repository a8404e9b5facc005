/** Which sender an endpoint `/webhook/<type>` is for. */
export const WEBHOOK_TYPES = [
  'docker-hub',
  'ghcr',
  'harbor',
  'quay',
  'acr',
  'ecr',
  'gitlab',
  'artifact-registry',
  'jfrog',
  'gitea',
  'distribution',
  'generic',
] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];
