import { LRUCache } from 'lru-cache';
import type { Clock, Sleep } from './time.ts';

/** What one host may be given. */
export interface HostLimits {
  readonly requestsPerSecond: number;
  /** Requests in flight. */
  readonly concurrency: number;
}

interface HostState {
  inFlight: number;
  readonly waiting: (() => void)[];
  /** When the next request may start if nothing is saved up, milliseconds since the epoch. */
  nextMs: number;
  seenMs: number;
}

const MAX_HOSTS = 1000;

/** Holds requests to one host within its limits: a queue for concurrency, a token bucket of one second for the rate. */
export class HostLimiter {
  readonly #clock: Clock;
  readonly #sleep: Sleep;
  readonly #hosts = new LRUCache<string, HostState>({ max: MAX_HOSTS });

  constructor(clock: Clock, sleep: Sleep) {
    this.#clock = clock;
    this.#sleep = sleep;
  }

  /** Waits for its turn; the answer ends the turn. Rejects with the signal's reason when it aborts first. */
  async enter(host: string, limits: HostLimits, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    let state = this.#hosts.get(host);
    if (state === undefined) {
      state = { inFlight: 0, waiting: [], nextMs: 0, seenMs: 0 };
      this.#hosts.set(host, state);
    }
    if (state.inFlight >= limits.concurrency) await turnOf(state, signal);
    else state.inFlight += 1;
    const leave = leaveOnce(state);
    try {
      await this.#waitForRate(state, limits.requestsPerSecond, signal);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  async #waitForRate(state: HostState, requestsPerSecond: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    // A clock that was set back must not hold requests for as long as it jumped.
    if (now < state.seenMs) state.nextMs = now;
    state.seenMs = now;
    const startMs = Math.max(state.nextMs, now - 1000); // a second's worth may be saved up
    state.nextMs = startMs + 1000 / requestsPerSecond;
    if (startMs > now) await this.#sleep(startMs - now, signal);
  }
}

/** The turn is handed over without ever being free, so `inFlight` does not change. */
function turnOf(state: HostState, signal: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const begin = (): void => {
      signal.removeEventListener('abort', abort);
      done();
    };
    const abort = (): void => {
      state.waiting.splice(state.waiting.indexOf(begin), 1);
      failed(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    state.waiting.push(begin);
  });
}

function leaveOnce(state: HostState): () => void {
  let left = false;
  return () => {
    if (left) return;
    left = true;
    const next = state.waiting.shift();
    if (next === undefined) state.inFlight -= 1;
    else next();
  };
}
