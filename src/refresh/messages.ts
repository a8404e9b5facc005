import type { MovedImage } from './moved-image.ts';
import type { Blocked } from './roll-out.ts';

/** Reasons of the Events on an Application. */
export type EventReason =
  | 'ImageMoved'
  | 'ImageStale'
  | 'ImageFailing'
  | 'RefreshFailed'
  | 'RollOutBlocked'
  | 'FullSyncStarted'
  | 'FullSyncRefused'
  | 'RenderingWarning';

const MAX_NAMED = 5;

/** `web: 1.0.5 -> 1.0.6 (semver ~1.0); worker: …`. */
export function movedMessage(images: readonly MovedImage[]): string {
  const named = images.slice(0, MAX_NAMED).map(({ label, from, to, policy }) => {
    const by = policy === undefined ? '' : ` (${policy})`;
    return `${label}: ${from} -> ${to}${by}`;
  });
  const more = images.length - named.length;
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

export function blockedMessage(blocked: Blocked): string {
  switch (blocked) {
    case 'self-heal-off':
      return 'An image moved, and automated sync without selfHeal does not sync a revision twice: sync by hand, or set selfHeal or sync: full';
    case 'last-sync-failed':
      return 'An image moved, and Argo CD does not sync automatically after a sync that failed at this revision: sync by hand';
    case 'hooks':
      return 'An image moved, and self-heal syncs the changed resources only: hooks do not run';
    default:
      return blocked satisfies never;
  }
}

export const FULL_SYNC_FAILED =
  'The whole sync that was started for an image failed; it is not repeated until an image moves again';
export const FULL_SYNC_STARTED = 'A whole sync was started for an image that moved';
export const FULL_SYNC_SELF_HEAL =
  'sync: full has no effect with selfHeal: Argo CD syncs the changed resources by itself at once';
export const FULL_SYNC_PRUNES_ALL =
  'sync: full was not started, because it would take every resource away: sync by hand, or set allowEmpty';
export const FULL_SYNC_NO_CONSENT =
  "sync: full needs the operator's consent for this AppProject (refresh.fullSync.projects)";
