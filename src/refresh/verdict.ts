import type { Application } from '../applications/application.ts';
import type { Outdated } from '../registrations/comparison.ts';
import type { AskedRefresh, RefreshEntry } from './refresh-entry.ts';
import { isRenderedSince, type Progress, progressOf, type Rendering } from './rendered.ts';

/** In this time Argo CD renders what it was asked to. It gives a rendering 60 s. */
export const ACKNOWLEDGE_MS = 90_000;

/**
 * An annotation that stands this long, and then twice as long each time, is taken away and set again: Argo CD overlooks one
 * that is set at the moment when it has written the status, because it puts what it wrote over what it was told.
 */
export const NUDGE_MS = 15_000;

/** When an annotation that still stands is to be set again; milliseconds since the epoch. */
export function nudgeAt({ at, nudges = 0 }: AskedRefresh): number {
  return at + NUDGE_MS * (2 ** (nudges + 1) - 1);
}

/** Whether an annotation stands that Argo CD has not noticed: nothing was rendered just now, and no operation runs. */
export function isOverlooked(
  asked: AskedRefresh,
  application: Application,
  registrations: Seen['registrations'],
  now: number,
): boolean {
  if (now < nudgeAt(asked) || application.operating) return false;
  const isAtWork = registrations.some(({ answeredAt }) => answeredAt > now - NUDGE_MS);
  return !isAtWork && progressOf(asked, application, registrations) === 'standing';
}

/** What is to be done with an entry. */
export type Verdict =
  /** It renders with what it should. */
  | { readonly kind: 'confirmed' }
  /** Somebody else had it rendered: what comes of that is seen as if it had been asked for. */
  | { readonly kind: 'follow'; readonly rendered: AskedRefresh }
  /** There was nothing to do. */
  | { readonly kind: 'unneeded' }
  /** `moved`: for something that happened after the last request, so earlier attempts do not count. */
  | { readonly kind: 'ask'; readonly moved: boolean }
  | { readonly kind: 'wait' }
  | { readonly kind: 'failed'; readonly why: string }
  /** To ask again would bring nothing. */
  | { readonly kind: 'given-up'; readonly why: string };

const NOBODY_ASKED =
  'nothing asked this controller for it: does its sidecar know where the controller is (IMAGE_RESOLVER_CONTROLLER), and is its token accepted?';

/** What is known of an application at one moment. */
export interface Seen {
  readonly outdated: Outdated | undefined;
  readonly application: Application;
  readonly registrations: readonly Rendering[];
  readonly now: number;
}

export function verdictOf(entry: RefreshEntry, seen: Seen): Verdict {
  return entry.asked === undefined ? withoutRequest(entry, seen) : afterRequest(entry, entry.asked, seen);
}

function withoutRequest(entry: RefreshEntry, { application, outdated, registrations }: Seen): Verdict {
  const { doubtedBefore = 0 } = entry;
  const isDoubted = doubtedBefore > 0 && !isRenderedSince(application, registrations, doubtedBefore);
  if (outdated !== undefined || isDoubted) return { kind: 'ask', moved: false };
  const { images, rendered } = entry;
  // What moved has moved back, or was rendered before anybody waited for it.
  return images.length === 0 || rendered === undefined ? { kind: 'unneeded' } : { kind: 'follow', rendered };
}

function afterRequest(entry: RefreshEntry, asked: AskedRefresh, seen: Seen): Verdict {
  const { application, outdated, now } = seen;
  const progress = progressOf(asked, application, seen.registrations);
  const isRendered = progress === 'rendered' && outdated === undefined;
  if (isRendered && application.comparisonError === undefined) return { kind: 'confirmed' };
  if (entry.kind === 'given-up') return { kind: 'wait' };
  if (entry.kind === 'waiting') return { kind: 'ask', moved: false };
  const isOver = progress === 'rendered' || progress === 'not-rendered';
  if (progress === 'rendered' && outdated !== undefined && entry.again) return { kind: 'ask', moved: true };
  // It began right after the request, so what was rendered got the images that are being synced.
  if (progress === 'rendered' && outdated?.kind === 'image' && hasSyncedSince(application, asked))
    return { kind: 'ask', moved: false };
  if (isOver && outdated?.kind === 'unknown') return { kind: 'given-up', why: NOBODY_ASKED };
  const isBroken = isOver && application.comparisonError !== undefined;
  // Sidecars leave a controller alone that did not answer, and render what they have kept.
  const isMissed = progress === 'not-rendered' && asked.seen;
  // What somebody else had rendered is no request of ours that failed.
  const isOthers = entry.rendered !== undefined;
  if (isOthers && outdated !== undefined) return { kind: 'ask', moved: false };
  if (!isBroken && !isMissed && !isDue(asked, now)) return { kind: 'wait' };
  if (isOthers) return { kind: 'ask', moved: false };
  // What moved since has attempts of its own: it must not be given up with the one before.
  if (entry.again) return { kind: 'ask', moved: true };
  return { kind: 'failed', why: isBroken ? `Argo CD reports: ${application.comparisonError}` : shortfallOf(progress) };
}

/** Whether an operation ended after the request; `finishedAt` counts whole seconds. */
function hasSyncedSince({ operating, lastSync }: Application, asked: AskedRefresh): boolean {
  return !operating && lastSync?.finishedAt !== undefined && Date.parse(lastSync.finishedAt) + 1000 > asked.at;
}

function shortfallOf(progress: Progress): string {
  switch (progress) {
    case 'standing':
      return 'Argo CD did not take up the hard refresh';
    case 'not-reconciled':
      return 'the Application was not reconciled after the hard refresh';
    case 'not-rendered':
      return 'the Application was reconciled, and nothing was rendered with this plugin';
    case 'rendered':
      return 'it was rendered, and not with the images of now';
    default:
      return progress satisfies never;
  }
}

/** A request from the future shows that the clock was set back: how long it stands is not known. */
export function isDue(asked: AskedRefresh, now: number): boolean {
  return now >= asked.at + ACKNOWLEDGE_MS || asked.at > now + ACKNOWLEDGE_MS;
}
