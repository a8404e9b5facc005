import type { RegistryEndpoint } from './access.ts';
import { isForbiddenAddress, literalAddress } from './address.ts';
import { belongsToRegistry } from './credential-scope.ts';
import {
  cancelled,
  fault,
  faultFromError,
  faultFromStatus,
  hostNotAllowed,
  registryCode,
  type RequestFacts,
} from './errors.ts';
import { HostLimiter } from './rate.ts';
import { retryAfterMs } from './retry-after.ts';
import { shownUrl } from './shown-url.ts';
import type { Fault } from './sources.ts';
import type { Throttle } from './throttle.ts';
import { deadlineOf, type Clock, type Sleep } from './time.ts';
import type { HttpAnswer, Transport } from './transport.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxBytes: number;
  readonly asked: RequestFacts['asked'];
  readonly repository: string;
  readonly endpoint: RegistryEndpoint;
  /** Id of the credential on whose behalf this is asked: a 429 pauses it on that host. */
  readonly credentialId: string;
  readonly credentialsSent: boolean;
}

/** An answer with any status but 429 and 5xx, or why there is none. */
export type HttpResult =
  | { readonly kind: 'answered'; readonly answer: HttpAnswer }
  | { readonly kind: 'failed'; readonly fault: Fault };

/** One attempt, for metrics, `explain` and tests. Holds no secret. */
export interface RequestEvent {
  readonly method: string;
  /** The registry as references write it, also where its token server was asked. */
  readonly host: string;
  /** As messages show it. */
  readonly url: string;
  readonly asked: RequestFacts['asked'];
  readonly repository: string;
  readonly credentialsSent: boolean;
  /** HTTP status, or the code of the fault. */
  readonly outcome: number | string;
  readonly durationMs: number;
  /** Of the answer's body. */
  readonly bytes: number;
}

export interface HttpPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** 0 up to 1, for jitter. */
  readonly random: () => number;
  readonly throttle: Throttle;
  readonly onRequest?: (event: RequestEvent) => void;
}

const MAX_TRIES = 3;
/** Full jitter: anything from nothing to base × 2^try. */
const BACKOFF_BASE_MS = 250;
/** A 429 without `Retry-After`. */
const DEFAULT_PAUSE_MS = 1_000;
/** No registry may silence itself for longer with one header. */
const MAX_PAUSE_MS = 3_600_000;
/** How long a host rests after it could not be reached in all tries. */
const OUTAGE_PAUSE_MS = 3_000;
/** The longest wait before another try, however much time there is. */
const MAX_WAIT_MS = 30_000;

/** Requests within limits: address rules, rates, pauses, retries. Knows nothing of tokens, pages or manifests. */
export class Http {
  readonly #ports: HttpPorts;
  readonly #limiter: HostLimiter;

  constructor(ports: HttpPorts) {
    this.#ports = ports;
    this.#limiter = new HostLimiter(ports.clock, ports.sleep);
  }

  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpResult> {
    const privateAddressAllowed =
      request.endpoint.privateAddressAllowed && (await belongsToRegistry(request.endpoint, request.url));
    const refusal = refusalOf(request, privateAddressAllowed);
    if (refusal !== undefined) return { kind: 'failed', fault: refusal };

    let last: Fault | undefined;
    for (let tries = 1; ; tries += 1) {
      const attempt = await this.#attempt(request, privateAddressAllowed, last, signal);
      if (attempt.kind === 'done') return attempt.result;
      if (tries >= attempt.maxTries) {
        if (attempt.unreachable) this.#rest(request);
        return { kind: 'failed', fault: attempt.fault };
      }
      last = attempt.fault;
      const waitMs = Math.max(attempt.fault.retryAfterMs ?? 0, this.#ports.random() * BACKOFF_BASE_MS * 2 ** tries);
      if (!(await this.#wait(waitMs, signal))) return { kind: 'failed', fault: last };
    }
  }

  async #attempt(
    request: HttpRequest,
    privateAddressAllowed: boolean,
    last: Fault | undefined,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { clock, transport } = this.#ports;
    const paused = await this.#heedPauses(request, signal);
    if (paused !== undefined) return gaveUp(last ?? paused);
    let leave: (() => void) | undefined;
    const startMs = clock.now();
    try {
      leave = await this.#limiter.enter(request.url.host, request.endpoint, signal);
      const answer = await transport.exchange({ ...request, privateAddressAllowed }, signal);
      this.#tell(request, answer.status, startMs, answer.body.length);
      return this.#judge(request, answer);
    } catch (error) {
      if (signal.aborted) return gaveUp(last ?? cancelled(request));
      const { fault: met, again } = faultFromError(request, error);
      this.#tell(request, met.error.code, startMs);
      const unreachable = met.error.code === 'REGISTRY_UNAVAILABLE' || met.error.code === 'REGISTRY_TIMEOUT';
      return { kind: 'failed', fault: met, maxTries: again ? MAX_TRIES : 1, unreachable };
    } finally {
      leave?.();
    }
  }

  #judge(request: HttpRequest, answer: HttpAnswer): Attempt {
    const { clock, throttle } = this.#ports;
    const throttled = answer.status === 429 || (answer.status >= 400 && registryCode(answer) === 'TOOMANYREQUESTS');
    if (!throttled && answer.status < 500) return { kind: 'done', result: { kind: 'answered', answer } };
    const asked = retryAfterMs(header(answer, 'retry-after'), header(answer, 'date'), clock.now());
    const waitMs = asked === undefined ? undefined : Math.min(asked, MAX_PAUSE_MS);
    if (throttled) throttle.pause(credentialKey(request), clock.now() + (waitMs ?? DEFAULT_PAUSE_MS));
    const met = faultFromStatus(request, answer, waitMs);
    if (throttled) return { kind: 'failed', fault: met, maxTries: MAX_TRIES, unreachable: false };
    // Gateways say these of a moment, and of the whole host.
    const gateway = [502, 503, 504].includes(answer.status);
    if (gateway) return { kind: 'failed', fault: met, maxTries: MAX_TRIES, unreachable: true };
    // A 500 is often the same again, and often one repository's own.
    return { kind: 'failed', fault: met, maxTries: answer.status === 500 ? 2 : 1, unreachable: false };
  }

  /** Waits out a 429's pause when it fits; a host that could not be reached is left alone at once. */
  async #heedPauses(request: HttpRequest, signal: AbortSignal): Promise<Fault | undefined> {
    const { clock, throttle } = this.#ports;
    const left = (key: string): number => (throttle.pausedUntil(key) ?? 0) - clock.now();
    const outageMs = left(hostKey(request));
    if (outageMs > 0) {
      const text = {
        problem: 'the host could not be reached a moment ago and is not asked yet',
        fix: 'see the fault before this one',
      };
      return { ...fault(request, 'outage', 'REGISTRY_UNAVAILABLE', text, outageMs), resting: true };
    }
    const throttledMs = left(credentialKey(request));
    if (throttledMs <= 0 || (await this.#wait(throttledMs, signal))) return undefined;
    const text = {
      problem: 'the registry asked to slow down',
      fix: 'wait, ask less often (interval, rateLimit), or use a credential with a higher limit',
    };
    return { ...fault(request, 'throttled', 'REGISTRY_THROTTLED', text, throttledMs), resting: true };
  }

  /** False, without waiting, when the wait does not fit in the time that is left; false too when the caller went away. */
  async #wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || ms > MAX_WAIT_MS || this.#ports.clock.now() + ms >= deadlineOf(signal)) return false;
    try {
      await this.#ports.sleep(ms, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  #rest(request: HttpRequest): void {
    const { clock, throttle } = this.#ports;
    throttle.pause(hostKey(request), clock.now() + OUTAGE_PAUSE_MS);
  }

  #tell(request: HttpRequest, outcome: number | string, startMs: number, bytes = 0): void {
    this.#ports.onRequest?.({
      method: request.method,
      host: request.endpoint.host,
      // For those who show it.
      get url() {
        return shownUrl(request.url);
      },
      asked: request.asked,
      repository: request.repository,
      credentialsSent: request.credentialsSent,
      outcome,
      durationMs: this.#ports.clock.now() - startMs,
      bytes,
    });
  }
}

type Attempt =
  | { readonly kind: 'done'; readonly result: HttpResult }
  | {
      readonly kind: 'failed';
      readonly fault: Fault;
      readonly maxTries: number;
      /** The host as a whole is in trouble. */
      readonly unreachable: boolean;
    };

function gaveUp(met: Fault): Attempt {
  return { kind: 'failed', fault: met, maxTries: 1, unreachable: false };
}

/** The first value of a header. */
export function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function refusalOf(request: HttpRequest, privateAddressAllowed: boolean): Fault | undefined {
  const { url, endpoint } = request;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && endpoint.insecure)) {
    return fault(request, 'refused', 'REGISTRY_SUSPICIOUS', {
      problem: 'only https is spoken to this registry',
      fix: 'the operator can allow plain http with insecure',
    });
  }
  const literal = literalAddress(url);
  const forbidden = literal !== undefined && !privateAddressAllowed && isForbiddenAddress(literal);
  return forbidden ? hostNotAllowed(request) : undefined;
}

function hostKey(request: HttpRequest): string {
  return `host ${request.url.host}`;
}

function credentialKey(request: HttpRequest): string {
  return `${hostKey(request)} credential ${request.credentialId}`;
}
