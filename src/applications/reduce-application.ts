import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { cutToBytes } from '../error/printable.ts';
import type { KubernetesObject } from '../kubernetes/kubernetes.ts';
import type { Application, ApplicationSource } from './application.ts';
import { createInterner, type Intern } from './interner.ts';

/** A URL, a path, a revision or an image: longer ones are no names any more. */
const MAX_NAME_BYTES = 1024;
const MAX_MESSAGE_BYTES = 512;
const MAX_SOURCES = 100;
const MAX_LIVE_IMAGES = 200;

const REFRESH = 'argocd.argoproj.io/refresh';
const SKIP = 'argocd.argoproj.io/skip-reconcile';
const GENERATE_PATHS = 'argocd.argoproj.io/manifest-generate-paths';

const text = v.optional(v.fallback(v.string(), ''), '');
const flag = v.optional(v.fallback(v.boolean(), false), false);
/** Looked at one by one, never copied: an Application may list thousands. */
const list = v.optional(v.fallback(v.custom<readonly unknown[]>(Array.isArray), []), []);
const part = <T extends v.ObjectEntries>(
  entries: T,
): v.OptionalSchema<
  v.SchemaWithFallback<v.NullishSchema<v.ObjectSchema<T, undefined>, undefined>, undefined>,
  undefined
> => v.optional(v.fallback(v.nullish(v.object(entries)), undefined));

const revisions = { revision: text, revisions: list };
const source = v.object({ repoURL: text, path: text, targetRevision: text, plugin: part({ name: text }) });
const condition = v.object({ type: text, message: text });
const operation = part({ sync: part({ ...revisions, resources: list }) });

/** What is read of an Application. Anything that is missing or strange in its status counts as not there yet. */
const schema = v.object({
  metadata: v.object({
    name: v.string(),
    namespace: v.string(),
    uid: v.string(),
    deletionTimestamp: text,
    annotations: v.optional(v.fallback(v.record(v.string(), v.unknown()), {}), {}),
  }),
  spec: v.object({
    project: text,
    source: part(source.entries),
    sources: list,
    sourceHydrator: part({ drySource: part(source.entries) }),
    destination: part({ server: text, name: text, namespace: text }),
    syncPolicy: part({
      automated: part({ prune: flag, selfHeal: flag, enabled: v.optional(v.fallback(v.boolean(), true), true) }),
    }),
  }),
  operation: v.optional(v.unknown()),
  status: part({
    sync: part({ status: text, ...revisions }),
    reconciledAt: text,
    conditions: list,
    operationState: part({ phase: text, finishedAt: text, operation, syncResult: part(revisions) }),
    resources: list,
    summary: part({ images: list }),
  }),
});

type Read = v.InferOutput<typeof schema>;

/**
 * Keeps of an Application what the controller needs, in bounded texts of its own: nothing of the object stays in memory.
 *
 * @throws {v.ValiError} when it has no name, namespace, uid or spec.
 */
export function reduceApplication(
  object: KubernetesObject,
  controlPlaneNamespace: string,
  intern: Intern = createInterner(),
): Application {
  const { metadata, spec, operation: asked, status } = v.parse(schema, object);
  const name = (value: string): string => intern(value, MAX_NAME_BYTES);
  const { annotations } = metadata;
  const refresh = annotations[REFRESH];
  const state = status?.operationState ?? undefined;
  const error = comparisonErrorOf(status?.conditions ?? []);
  const reconciledAt = status?.reconciledAt ?? '';
  const lastSync = lastSyncOf(state, name);
  const automated = spec.syncPolicy?.automated ?? undefined;
  const destination = spec.destination ?? undefined;
  return {
    namespace: name(metadata.namespace),
    name: name(metadata.name),
    uid: metadata.uid,
    instanceName:
      metadata.namespace === controlPlaneNamespace ? name(metadata.name) : `${metadata.namespace}_${metadata.name}`,
    project: name(spec.project === '' ? 'default' : spec.project),
    sources: sourcesOf(spec).map((one) => sourceOf(one, name)),
    specFingerprint: fingerprintOf(object['spec']),
    revisions: revisionsOf(status?.sync, name),
    syncStatus: syncStatusOf(status?.sync?.status),
    ...(reconciledAt === '' ? {} : { reconciledAt: name(reconciledAt) }),
    // Argo CD takes any other value for normal.
    ...(refresh === undefined ? {} : { refreshAsked: refresh === 'hard' ? 'hard' : 'normal' }),
    ...(error === undefined ? {} : { comparisonError: error }),
    operating: (asked !== undefined && asked !== null) || (state !== undefined && lastSync === undefined),
    ...(lastSync === undefined ? {} : { lastSync }),
    ...(automated?.enabled === true ? { automated: { selfHeal: automated.selfHeal, prune: automated.prune } } : {}),
    hasHooks: (status?.resources ?? []).some((resource) => isRecord(resource) && resource['hook'] === true),
    liveImages: textsOf(status?.summary?.images ?? [], MAX_LIVE_IMAGES, name),
    destination: {
      server: name(destination?.server ?? ''),
      name: name(destination?.name ?? ''),
      namespace: name(destination?.namespace ?? ''),
    },
    deleting: metadata.deletionTimestamp !== '',
    refreshable: annotations[SKIP] !== 'true' && reconciledAt !== '' && !spec.sourceHydrator,
    hasGeneratePaths: annotations[GENERATE_PATHS] !== undefined && annotations[GENERATE_PATHS] !== '',
  };
}

type Name = (value: string) => string;
type Source = v.InferOutput<typeof source>;

/** As Argo CD chooses: the source that is hydrated, else several, else the one. */
function sourcesOf({ source: single, sources, sourceHydrator }: Read['spec']): readonly Source[] {
  const dry = sourceHydrator?.drySource;
  if (dry) return [dry];
  if (sources.length > 0) return sources.slice(0, MAX_SOURCES).map((one) => v.parse(v.fallback(source, EMPTY), one));
  return single ? [single] : [];
}

const EMPTY: Source = { repoURL: '', path: '', targetRevision: '', plugin: undefined };

function sourceOf({ repoURL, path, targetRevision, plugin }: Source, name: Name): ApplicationSource {
  const base = { repoURL: name(repoURL), path: name(path), targetRevision: name(targetRevision) };
  return plugin && plugin.name !== '' ? { ...base, plugin: name(plugin.name) } : base;
}

/** Of everything that a rendering is told of: sources with their parameters, destination, project. */
function fingerprintOf(spec: unknown): string {
  const { source: single, sources, sourceHydrator, destination, project } = isRecord(spec) ? spec : {};
  const told = JSON.stringify([single, sources, sourceHydrator, destination, project]);
  return createHash('sha256').update(told).digest('base64url').slice(0, 22);
}

function revisionsOf(
  from: { readonly revision: string; readonly revisions: readonly unknown[] } | null | undefined,
  name: Name,
): readonly string[] {
  if (!from) return [];
  if (from.revisions.length > 0) return textsOf(from.revisions, MAX_SOURCES, name);
  return from.revision === '' ? [] : [name(from.revision)];
}

function textsOf(values: readonly unknown[], max: number, name: Name): readonly string[] {
  return values
    .slice(0, max)
    .filter((value) => typeof value === 'string')
    .map(name);
}

function syncStatusOf(status: string | undefined): Application['syncStatus'] {
  return status === 'Synced' || status === 'OutOfSync' ? status : 'Unknown';
}

function comparisonErrorOf(conditions: readonly unknown[]): string | undefined {
  for (const candidate of conditions) {
    const read = v.safeParse(condition, candidate);
    if (read.success && (read.output.type === 'ComparisonError' || read.output.type === 'InvalidSpecError'))
      return cutToBytes(read.output.message, MAX_MESSAGE_BYTES);
  }
  return undefined;
}

/** Undefined while it still runs, too: Running and Terminating are its only unfinished phases. */
function lastSyncOf(
  state: NonNullable<Read['status']>['operationState'],
  name: Name,
): NonNullable<Application['lastSync']> | undefined {
  if (!state || state.phase === 'Running' || state.phase === 'Terminating') return undefined;
  const { phase, finishedAt, operation: asked, syncResult } = state;
  return {
    phase: name(phase),
    revisions: revisionsOf(syncResult ?? asked?.sync, name),
    ...(finishedAt === '' ? {} : { finishedAt: name(finishedAt) }),
    selective: (asked?.sync?.resources ?? []).length > 0,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
