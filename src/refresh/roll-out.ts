import * as v from 'valibot';
import type { Application } from '../applications/application.ts';
import { movedImagesSchema, type MovedImage } from './moved-image.ts';

/** Why Argo CD will not simply roll out an image that moved. */
export type Blocked = 'self-heal-off' | 'last-sync-failed' | 'hooks';

/** The end of a sync since which the Application was not compared. */
export interface Before {
  /** `status.reconciledAt` then. */
  readonly reconciledAt: string;
}

/** What becomes of a confirmed refresh that moved an image. Plain JSON; kept in the store. */
export interface RollOut {
  readonly images: readonly MovedImage[];
  /** What the Application shows is of before until it is reconciled after this. */
  readonly before?: Before;
  /** `finishedAt` of the operation that was the last one then. */
  readonly lastSyncAt?: string;
  /** `finishedAt` of the newest operation that was seen. */
  readonly seenSyncAt?: string;
  /** What was rendered has hooks; Argo CD shows only those that are still there. */
  readonly hooks?: true;
  /** Whole sync of ours (`sync: full`). `asking` is kept before the request is sent. */
  readonly full: 'none' | 'wanted' | 'held' | 'asking' | 'started' | 'failed';
  /** When the whole sync was asked for, milliseconds since the epoch. */
  readonly fullAt?: number;
  /** What was told. */
  readonly blocked: readonly Blocked[];
}

const BLOCKED = ['self-heal-off', 'last-sync-failed', 'hooks'] as const satisfies readonly Blocked[];

export const rollOutSchema: v.GenericSchema<unknown, RollOut> = v.object({
  images: movedImagesSchema,
  before: v.exactOptional(v.object({ reconciledAt: v.string() })),
  lastSyncAt: v.exactOptional(v.string()),
  seenSyncAt: v.exactOptional(v.string()),
  hooks: v.exactOptional(v.literal(true)),
  full: v.picklist(['none', 'wanted', 'held', 'asking', 'started', 'failed']),
  fullAt: v.exactOptional(v.number()),
  blocked: v.array(v.picklist(BLOCKED)),
});

/**
 * What Argo CD does with an Application that differs from its manifests.
 *
 * @see argocd-application-controller, `autoSync`: at a revision that was synced already only self-heal syncs, out-of-sync
 * resources alone (so no hooks), and not at all after a failure.
 */
export type Prospect = 'in-sync' | 'unknown' | 'manual' | 'automatic' | Blocked;

export function prospectOf(rollOut: RollOut, application: Application): Prospect {
  const { automated, syncStatus, lastSync, operating } = application;
  if (automated === undefined) return 'manual';
  // How a running operation ends decides; while one runs the last one is not known.
  if (operating || syncStatus === 'Unknown') return 'unknown';
  if (syncStatus === 'Synced') return 'in-sync';
  if (!wasSyncedAtRevision(application)) return 'automatic';
  if (automated.selfHeal && mayHaveHooks(rollOut, application) && lastSync?.phase === 'Succeeded') return 'hooks';
  if (lastSync?.phase !== 'Succeeded') return 'last-sync-failed';
  return automated.selfHeal ? 'automatic' : 'self-heal-off';
}

/** The last operation was about what Git says now. One that failed early knows no revision; Argo CD does not repeat it either. */
function wasSyncedAtRevision({ lastSync, revisions }: Application): boolean {
  if (lastSync === undefined) return false;
  const synced = lastSync.revisions;
  return (
    synced.length === 0 ||
    (synced.length === revisions.length && synced.every((revision, at) => revision === revisions[at]))
  );
}

/** What people should know now, given what was true since the image moved. */
export function blockedNow(rollOut: RollOut, application: Application): readonly Blocked[] {
  const prospect = prospectOf(rollOut, application);
  switch (prospect) {
    case 'manual':
      return [];
    case 'unknown':
      return rollOut.blocked;
    case 'in-sync':
    case 'automatic':
      return hooksWereSkipped(rollOut, application) ? ['hooks'] : [];
    case 'hooks':
    case 'self-heal-off':
    case 'last-sync-failed':
      return [prospect];
    default:
      return prospect satisfies never;
  }
}

function mayHaveHooks(rollOut: RollOut, { hasHooks }: Application): boolean {
  return hasHooks || rollOut.hooks === true;
}

/** Self-heal rolled the image out without hooks, and no whole sync came after. */
function hooksWereSkipped(rollOut: RollOut, application: Application): boolean {
  const { automated, lastSync } = application;
  if (!mayHaveHooks(rollOut, application) || automated?.selfHeal !== true || lastSync === undefined) return false;
  return lastSync.finishedAt === rollOut.lastSyncAt ? rollOut.blocked.includes('hooks') : lastSync.selective;
}

/** What the Application shows says nothing yet. */
export function isOfBefore({ before }: RollOut, { reconciledAt }: Application): boolean {
  return before !== undefined && reconciledAt === before.reconciledAt;
}

/** Argo CD writes that a sync ended before it compares again. */
export function afterSync(rollOut: RollOut, { lastSync, reconciledAt }: Application): RollOut {
  const finishedAt = lastSync?.finishedAt;
  if (finishedAt === undefined || finishedAt === rollOut.seenSyncAt) return rollOut;
  const seen = { ...rollOut, seenSyncAt: finishedAt };
  // Both are times of Argo CD's controller, in whole seconds of UTC.
  const isCompared = reconciledAt === undefined || reconciledAt > finishedAt;
  return isCompared ? seen : { ...seen, before: { reconciledAt } };
}

/** Nothing more is to be expected or told. */
export function isOver(rollOut: RollOut, application: Application): boolean {
  if (rollOut.blocked.length > 0 || isOfBefore(rollOut, application)) return false;
  if (rollOut.full !== 'none' && rollOut.full !== 'failed') return false;
  const prospect = prospectOf(rollOut, application);
  return prospect === 'in-sync' || prospect === 'manual';
}
