import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Sleep } from '../registry/time.ts';
import { type Kubernetes, KubernetesError, type TokenReview } from './kubernetes.ts';

/** What a token proves, or that nobody could say: the caller is then neither let in nor told that the token is wrong. */
export type ReviewAnswer =
  | TokenReview
  | { readonly kind: 'unavailable'; /** Holds no token. */ readonly problem: string };

export interface TokenReviewer {
  /** @param signal ends the wait, not the review, which others may wait for too. */
  review(token: string, signal: AbortSignal): Promise<ReviewAnswer>;
}

export interface TokenReviewerOptions {
  readonly kubernetes: Pick<Kubernetes, 'reviewToken'>;
  /** Tokens must be made for one of them; none: for the API server itself. */
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: Sleep;
}

const POSITIVE_MS = 60_000;
const NEGATIVE_MS = 10_000;
/** How long who was known is still let in while the API does not answer. */
const OUTAGE_MS = 600_000;
/** How long an answer is waited for when an older one would do. */
const PATIENCE_MS = 1_000;
/** After a fault the API is left alone for those who have an older answer. */
const PAUSE_MS = 5_000;
const MAX_ENTRIES = 10_000;
/** Reviews at once: strangers can send as many different tokens as they like. */
const MAX_UNDER_WAY = 32;
const MAX_TOKEN_LENGTH = 16_384;

type Authenticated = Extract<TokenReview, { kind: 'authenticated' }>;

interface Known {
  readonly review: Authenticated;
  readonly reviewedAt: number;
  readonly expiresAt: number;
}

/**
 * Reviews tokens with as few questions to the API as can be: an answer counts for a minute (never beyond the token's own
 * end), a refusal for ten seconds, and callers with the same token share one question. Tokens are kept as hashes only.
 */
export function createTokenReviewer({ kubernetes, audiences, now, sleep }: TokenReviewerOptions): TokenReviewer {
  const accepted = new LRUCache<string, Known>({ max: MAX_ENTRIES });
  // Apart, so that a flood of wrong tokens pushes out nobody who was let in.
  const rejectedAt = new LRUCache<string, number>({ max: MAX_ENTRIES });
  const underWay = new Map<string, Promise<ReviewAnswer>>();
  let pausedUntil = -Infinity;

  const isWithin = (since: number, ms: number): boolean => now() >= since && now() < since + ms;

  const ask = async (token: string, key: string): Promise<ReviewAnswer> => {
    try {
      const review = await kubernetes.reviewToken(token, audiences, new AbortController().signal);
      pausedUntil = -Infinity;
      if (review.kind === 'rejected') {
        accepted.delete(key);
        rejectedAt.set(key, now());
      } else {
        accepted.set(key, { review, reviewedAt: now(), expiresAt: expiryOf(token) });
      }
      return review;
    } catch (error) {
      pausedUntil = now() + PAUSE_MS;
      // Anything else is a bug, and must not look like an outage.
      if (!(error instanceof KubernetesError)) throw error;
      return { kind: 'unavailable', problem: error.message };
    } finally {
      underWay.delete(key);
    }
  };

  return {
    async review(token, signal) {
      signal.throwIfAborted();
      // No API server knows such a token; it is not asked to read one.
      if (token === '' || token.length > MAX_TOKEN_LENGTH) return { kind: 'rejected' };
      const key = createHash('sha256').update(token).digest('base64');
      const known = accepted.get(key);
      const usable = known !== undefined && now() < known.expiresAt ? known : undefined;
      if (usable !== undefined && isWithin(usable.reviewedAt, POSITIVE_MS)) return usable.review;
      const refusedAt = rejectedAt.get(key);
      if (refusedAt !== undefined && isWithin(refusedAt, NEGATIVE_MS)) return { kind: 'rejected' };

      const fallback = usable !== undefined && isWithin(usable.reviewedAt, OUTAGE_MS) ? usable.review : undefined;
      if (fallback !== undefined && now() < pausedUntil) return fallback;
      if (!underWay.has(key)) {
        if (underWay.size >= MAX_UNDER_WAY)
          return fallback ?? { kind: 'unavailable', problem: 'too many tokens are being reviewed' };
        underWay.set(key, ask(token, key));
      }
      const answer = underWay.get(key) ?? Promise.resolve<ReviewAnswer>({ kind: 'rejected' });
      const waited = await waitFor(answer, fallback === undefined ? undefined : PATIENCE_MS, sleep, signal);
      return waited.kind === 'unavailable' ? (fallback ?? waited) : waited;
    },
  };
}

/** The answer, or that it did not come in time; rejects when the signal aborts. */
async function waitFor(
  answer: Promise<ReviewAnswer>,
  patienceMs: number | undefined,
  sleep: Sleep,
  signal: AbortSignal,
): Promise<ReviewAnswer> {
  const over = new AbortController();
  const gone = Promise.withResolvers<never>();
  const abort = (): void => gone.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const late = patienceMs === undefined ? [] : [lateAfter(patienceMs, sleep, over.signal)];
  try {
    return await Promise.race([answer, gone.promise, ...late]);
  } finally {
    over.abort();
    signal.removeEventListener('abort', abort);
  }
}

async function lateAfter(ms: number, sleep: Sleep, signal: AbortSignal): Promise<ReviewAnswer> {
  await sleep(ms, signal).catch(() => undefined);
  return { kind: 'unavailable', problem: 'the token was not reviewed in time' };
}

/** `exp` of a JWT, milliseconds since the epoch. Nothing is proved by it: it only shortens what the API server said. */
function expiryOf(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return typeof exp === 'number' ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}
