import { nextTurn } from '../refresh/waker.ts';
import { rest, type Time } from '../resolve/deadline.ts';
import type { Store } from '../store/store.ts';

/** How often it is looked whether something can be forgotten, in milliseconds; the store does it once a day. */
const LOOK_EVERY_MS = 3_600_000;

/** Lets the store forget what nobody asks for any more, a portion at a time, until the signal aborts. */
export async function keepStoreSmall(store: Store, time: Time, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await rest(LOOK_EVERY_MS, time, signal);
    while (!signal.aborted && (await store.forgetUnused())) await nextTurn();
  }
}
