import * as v from 'valibot';
import { movedImagesSchema, type MovedImage } from './moved-image.ts';
import { isRefreshCause } from './refresh-cause.ts';
import type { RefreshCause } from './refresher.ts';

/** The last hard refresh that was asked for. It is kept before the request is sent, so it may not have arrived. */
export interface AskedRefresh {
  /** Milliseconds since the epoch, by our clock. */
  readonly at: number;
  /** `status.reconciledAt` before it. */
  readonly reconciledAt?: string;
  /** `finishedAt` of the last operation before it. */
  readonly lastSyncAt?: string;
  /** The annotation was seen on the Application since. */
  readonly seen: boolean;
  /** How often it was taken away and set again, because it stood there and nothing happened. */
  readonly nudges?: number;
}

/** One application that may have to be refreshed. Plain JSON; kept in the store. */
export interface RefreshEntry {
  readonly kind: 'waiting' | 'asked' | 'given-up';
  /** The most urgent one since the entry was made. */
  readonly cause: RefreshCause;
  /** Milliseconds since the epoch; as all times here. */
  readonly since: number;
  /** Hard refreshes asked for since something last moved. */
  readonly attempts: number;
  /** It is left alone until then. */
  readonly notBefore: number;
  /** Why it waits or was given up: a sentence. */
  readonly why?: string;
  readonly asked?: AskedRefresh;
  /** The rendering of somebody else that came last while it waited; it is followed as `asked` when there is nothing else to ask for. */
  readonly rendered?: AskedRefresh;
  /** Renderings before that may never have been answered: milliseconds since the epoch. */
  readonly doubtedBefore?: number;
  /** Something moved after it was asked. */
  readonly again: boolean;
  readonly images: readonly MovedImage[];
  /** When the first of the decisions moved. */
  readonly movedAt?: number;
}

const askedSchema = v.object({
  at: v.number(),
  reconciledAt: v.exactOptional(v.string()),
  lastSyncAt: v.exactOptional(v.string()),
  seen: v.boolean(),
  nudges: v.exactOptional(v.number()),
});

export const refreshEntrySchema: v.GenericSchema<unknown, RefreshEntry> = v.object({
  kind: v.picklist(['waiting', 'asked', 'given-up']),
  cause: v.custom<RefreshCause>(isRefreshCause),
  since: v.number(),
  attempts: v.number(),
  notBefore: v.number(),
  why: v.exactOptional(v.string()),
  asked: v.exactOptional(askedSchema),
  rendered: v.exactOptional(askedSchema),
  doubtedBefore: v.exactOptional(v.number()),
  again: v.boolean(),
  images: movedImagesSchema,
  movedAt: v.exactOptional(v.number()),
});

export function newEntry(cause: RefreshCause, now: number): RefreshEntry {
  return { kind: 'waiting', cause, since: now, attempts: 0, notBefore: 0, again: false, images: [] };
}
