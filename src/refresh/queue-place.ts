import { RETRY } from './back-off.ts';
import type { Place } from './queue-order.ts';
import { urgencyOf } from './refresh-cause.ts';
import type { RefreshEntry } from './refresh-entry.ts';
import { ACKNOWLEDGE_MS, NUDGE_MS, nudgeAt } from './verdict.ts';

/** Where an entry stands in the queue; undefined: nowhere. */
export function queuePlaceOf(entry: RefreshEntry, now: number): Place | undefined {
  switch (entry.kind) {
    case 'given-up':
      return undefined;
    case 'asked': {
      const asked = { ...entry.asked, at: Math.min(entry.asked?.at ?? now, now) };
      const over = asked.at + ACKNOWLEDGE_MS;
      const nudge = nudgeAt({ ...asked, seen: false });
      return { kind: 'asked', until: Math.min(nudge > now ? nudge : now + NUDGE_MS, over) };
    }
    case 'waiting': {
      // Nothing rests longer than the longest back-off: such a time shows that the clock was set back.
      const rests = entry.notBefore > now && entry.notBefore <= now + 2 * RETRY.longestMs;
      return rests ? { kind: 'resting', until: entry.notBefore } : { kind: 'ready', urgency: urgencyOf(entry.cause) };
    }
    default:
      return entry.kind satisfies never;
  }
}
