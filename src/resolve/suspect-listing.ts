import type { ListingRecord, Sightings } from '../store/store.ts';

// A registry in trouble sometimes answers 200 with a short or empty list. A clean-up looks the same, so a great loss is
// believed when it persists.

/** Losing up to this many tags at once is an ordinary clean-up. */
const LOSS_ALWAYS_BELIEVED = 10;
/** Losing up to this part of the tags at once is one too. */
const SHARE_ALWAYS_BELIEVED = 0.5;
/** Otherwise it is believed when this many complete listings in a row, over this time, showed it. */
const BELIEVED_TIMES = 3;
const BELIEVED_OVER_MS: number = 10 * 60 * 1000;

/** Whether a complete listing is taken as it is, or for a fault as yet. */
export function judgeListing(
  previous: Pick<ListingRecord, 'count' | 'suspect'> | undefined,
  count: number,
  now: number,
): { readonly kind: 'believed' } | { readonly kind: 'suspect'; readonly suspect: Sightings } {
  if (previous === undefined || !isGreatLoss(previous.count, count)) return { kind: 'believed' };
  const before = previous.suspect;
  const suspect =
    before === undefined || before.since > now
      ? { since: now, times: 1 }
      : { since: before.since, times: before.times + 1 };
  const persists = suspect.times >= BELIEVED_TIMES && now - suspect.since >= BELIEVED_OVER_MS;
  return persists ? { kind: 'believed' } : { kind: 'suspect', suspect };
}

function isGreatLoss(before: number, now: number): boolean {
  if (now === 0) return before > 0;
  const lost = before - now;
  return lost > LOSS_ALWAYS_BELIEVED && lost > before * SHARE_ALWAYS_BELIEVED;
}
