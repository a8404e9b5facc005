import type { Application } from '../applications/application.ts';
import type { MovedImage } from './moved-image.ts';
import { moreUrgent } from './refresh-cause.ts';
import type { AskedRefresh, RefreshEntry } from './refresh-entry.ts';
import type { RefreshCause } from './refresher.ts';
import { progressOf } from './rendered.ts';

/** Requests that Argo CD did not fulfil until somebody has to look. */
export const MAX_ATTEMPTS = 8;

/** The entry after its application was named, because something moved or may have. It is compared next. */
export function afterCheck(
  entry: RefreshEntry,
  cause: RefreshCause,
  { movedAt, now }: { readonly movedAt: number | undefined; readonly now: number },
): RefreshEntry {
  const first = entry.movedAt ?? movedAt;
  const known = { ...entry, cause: moreUrgent(entry.cause, cause), ...(first !== undefined && { movedAt: first }) };
  // Somebody changed what may have been the reason. Twice more, because that may reach sidecars later.
  return entry.kind === 'given-up' && cause === 'start' ? takenUp(known, now, MAX_ATTEMPTS - 2) : known;
}

/**
 * The entry after a comparison showed images that it was not about. Only they give it new attempts: that its application is named
 * again may be about what Argo CD fails to render.
 */
export function afterMove(entry: RefreshEntry, images: readonly MovedImage[], now: number): RefreshEntry {
  return entry.kind === 'asked' ? { ...entry, again: true, images } : { ...takenUp(entry, now), images };
}

/** Something changed since it failed. One that was given up waits from now on. */
export function takenUp(entry: RefreshEntry, now: number, attempts = 0): RefreshEntry {
  const since = entry.kind === 'given-up' ? now : entry.since;
  return { ...entry, kind: 'waiting', since, attempts, notBefore: 0 };
}

/** Somebody has to look. How long it took to roll out what moved is no measure of ours any more. */
export function givenUp(before: RefreshEntry, why: string): RefreshEntry {
  const { movedAt: _, ...entry } = before;
  return { ...entry, kind: 'given-up', why };
}

/**
 * The entry as the next process takes it over. What was asked for proves nothing any more: we may have been ended before the
 * request was sent, or after a rendering was written down and before it was answered, and then sidecars rendered what they had
 * kept.
 */
export function resumed(entry: RefreshEntry, application: Application | undefined, now: number): RefreshEntry {
  // Who has to look may have looked meanwhile: once more.
  if (entry.kind === 'given-up') return takenUp(entry, now, entry.cause === 'unknown' ? 0 : MAX_ATTEMPTS - 1);
  if (entry.kind !== 'asked' || entry.asked === undefined || application === undefined) return entry;
  const { asked, ...rest } = entry;
  // It is still to be taken up, or being rendered: only an answer from now on counts.
  if (progressOf(asked, application, []) === 'standing') return { ...rest, asked: { ...asked, at: now } };
  return { ...rest, kind: 'waiting', attempts: Math.max(0, entry.attempts - 1), notBefore: 0, doubtedBefore: now };
}

/** The request that is about to be sent. */
export function requestOf({ reconciledAt, lastSync }: Application, now: number): AskedRefresh {
  return {
    at: now,
    ...(reconciledAt !== undefined && { reconciledAt }),
    ...(lastSync?.finishedAt !== undefined && { lastSyncAt: lastSync.finishedAt }),
    seen: false,
  };
}

/** The entry after a generation asked for its application. */
export function afterRendering(entry: RefreshEntry, application: Application, answeredAt: number): RefreshEntry {
  return entry.kind === 'waiting' && entry.asked === undefined && answeredAt >= entry.since
    ? { ...entry, rendered: requestOf(application, answeredAt) }
    : entry;
}

/** It is asked for again under the same request: Argo CD has not noticed it. */
export function nudged(entry: RefreshEntry, asked: AskedRefresh, { reconciledAt }: Application): RefreshEntry {
  const { reconciledAt: _, ...rest } = asked;
  const nudges = (asked.nudges ?? 0) + 1;
  return { ...entry, asked: { ...rest, ...(reconciledAt !== undefined && { reconciledAt }), seen: false, nudges } };
}

export function afterRequest(before: RefreshEntry, asked: AskedRefresh): RefreshEntry {
  const { why: _, doubtedBefore: _doubted, rendered: _rendered, ...entry } = before;
  return { ...entry, kind: 'asked', attempts: entry.attempts + 1, asked };
}

/** It was not asked for after all: that counts as no attempt. What moved meanwhile is asked for with it. */
export function takenBack(
  now: RefreshEntry,
  before: RefreshEntry,
  later: { readonly why?: string; readonly notBefore: number },
): RefreshEntry {
  const { asked: _, ...entry } = now;
  return {
    ...entry,
    ...later,
    kind: 'waiting',
    attempts: Math.min(entry.attempts, before.attempts),
    again: false,
    ...(before.asked !== undefined && { asked: before.asked }),
    ...(before.rendered !== undefined && { rendered: before.rendered }),
    ...(before.doubtedBefore !== undefined && { doubtedBefore: before.doubtedBefore }),
  };
}

/** Something else is rendered from it. */
export function isRenderedOtherwise(before: Application, after: Application): boolean {
  return before.specFingerprint !== after.specFingerprint || before.revisions.join('\n') !== after.revisions.join('\n');
}

export function hasRecovered(before: Application | undefined, after: Application): boolean {
  return before?.comparisonError !== undefined && after.comparisonError === undefined;
}
