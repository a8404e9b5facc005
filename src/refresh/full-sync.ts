import * as v from 'valibot';
import type { Application } from '../applications/application.ts';
import type { KubernetesObject } from '../kubernetes/kubernetes.ts';

/** What an Application must hold for a whole sync; the watched one may be a moment old. */
const schema = v.object({
  metadata: v.object({ resourceVersion: v.string(), deletionTimestamp: v.optional(v.undefined()) }),
  // One that is asked for or runs is never overlapped.
  operation: v.optional(v.null()),
  spec: v.object({
    syncPolicy: v.object({
      automated: v.object({
        enabled: v.optional(v.literal(true)),
        prune: v.optional(v.boolean(), false),
        selfHeal: v.optional(v.literal(false)),
        allowEmpty: v.optional(v.boolean(), false),
      }),
      syncOptions: v.optional(v.array(v.string())),
      retry: v.optional(v.record(v.string(), v.unknown())),
    }),
    sources: v.optional(v.array(v.unknown())),
  }),
  status: v.object({
    sync: v.object({
      status: v.literal('OutOfSync'),
      revision: v.optional(v.string()),
      revisions: v.optional(v.array(v.string())),
    }),
    resources: v.optional(v.array(v.object({ requiresPruning: v.optional(v.boolean(), false) })), []),
    operationState: v.object({
      phase: v.picklist(['Succeeded', 'Failed', 'Error']),
      finishedAt: v.optional(v.string()),
    }),
  }),
});

/** Argo CD's own for automated syncs. */
const DEFAULT_RETRY = { limit: 5 };

/** Whether a whole sync can be started. */
export type FullSync =
  | { readonly kind: 'patch'; readonly patch: unknown }
  /** The object is not, or no longer, as the watched Application was. */
  | { readonly kind: 'otherwise' }
  /** It would take everything away, which no machine begins. */
  | { readonly kind: 'prunes-all' };

/**
 * The merge patch that starts what Argo CD's automated sync starts for a new revision, at the one it compared with.
 * It names the version that was read, so that any change in between (an operation of somebody else above all) refuses it.
 *
 * `source` and `sources` are left out: Argo CD takes them from `spec`, and a merge patch would lose every null in them.
 */
export function fullSyncOf(object: KubernetesObject, application: Application): FullSync {
  const read = v.safeParse(schema, object);
  if (!read.success) return { kind: 'otherwise' };
  const { metadata, spec, status } = read.output;
  const { revision, revisions } = status.sync;
  const isMultiSource = (spec.sources?.length ?? 0) > 0;
  const compared = isMultiSource ? (revisions ?? []) : [revision ?? ''];
  const isSame =
    status.operationState.finishedAt === application.lastSync?.finishedAt &&
    compared.length === application.revisions.length &&
    compared.every((one, at) => one !== '' && one === application.revisions[at]);
  if (!isSame) return { kind: 'otherwise' };
  // As automated sync.
  const { prune, allowEmpty } = spec.syncPolicy.automated;
  if (prune && !allowEmpty && status.resources.every(({ requiresPruning }) => requiresPruning))
    return { kind: 'prunes-all' };
  const { automated, syncOptions, retry } = spec.syncPolicy;
  const patch = {
    metadata: { resourceVersion: metadata.resourceVersion },
    operation: {
      initiatedBy: { username: 'image-resolver', automated: true },
      sync: {
        ...(isMultiSource ? { revisions } : { revision }),
        prune: automated.prune,
        ...(syncOptions && { syncOptions }),
        syncStrategy: { hook: {} },
      },
      retry: retry ?? DEFAULT_RETRY,
    },
    // As Argo CD's own `SetAppOperation`: with the result of the last operation beside it the new one would take the hooks of
    // then for its own, and wait for their health for ever.
    status: { operationState: null },
  };
  return { kind: 'patch', patch };
}
