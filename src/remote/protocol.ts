import type { CallerClaim } from '../registry/access.ts';
import type { Given } from '../registrations/registration.ts';
import type { Ask, GenerationClaim, GenerationReport, Resolution } from '../resolve/resolver.ts';
import type { ApplicationStatus } from './status.ts';

// What goes between a sidecar (or a person) and the controller: JSON over HTTP/1.1. Both sides may be of different
// versions for the time of an upgrade, so a reader drops keys it does not know.

/** Paths of the controller. `v1` changes when an older reader would misunderstand. */
export const PATHS: {
  readonly resolve: '/v1/resolve';
  readonly report: '/v1/report';
  readonly status: '/v1/status';
  readonly refresh: '/v1/refresh';
} = { resolve: '/v1/resolve', report: '/v1/report', status: '/v1/status', refresh: '/v1/refresh' };

/** Who the sidecar's token is for; a token for anything else proves nothing here. */
export const AUDIENCE = 'image-resolver';

/** Bytes of a request's body. */
export const MAX_REQUEST_BYTES: number = 1024 * 1024;
/** Asks of one query; who has more asks again. */
export const MAX_ASKS = 200;
/** Bytes of an answer's body. */
export const MAX_ANSWER_BYTES: number = 8 * 1024 * 1024;
/** Notices of one report. */
export const MAX_NOTICES = 200;
/** Renderings without the controller in one report; who has more tells them with the next. */
export const MAX_UNHEARD = 200;

/** The body of `POST /v1/resolve` is a `ResolveQuery`; this is its answer, with one resolution per ask in the same order. */
export interface ResolveAnswer {
  readonly resolutions: readonly Resolution[];
}

/** The body of `POST /v1/report`. */
export interface ReportBody extends GenerationReport {
  /** Whether the generation had anything to ask, whoever answered: if it had, its query says what it uses. */
  readonly asked: boolean;
  /** Earlier generations, of any application, that the controller could not be asked for; the oldest first. */
  readonly unheard?: readonly Unheard[];
}

/** What a generation was given by a sidecar that did not hear the controller: the last answers that it knew. */
export interface Unheard {
  readonly who: CallerClaim;
  readonly generation: GenerationClaim;
  readonly asks: readonly Ask[];
  /** One for each ask, in the same order. */
  readonly given: readonly Given[];
  /** How long ago, in milliseconds; a duration, because clocks of two machines differ. */
  readonly agoMs: number;
}

/** The answer to `POST /v1/report`. */
export interface ReportAnswer {
  /** So many of `unheard`, from its beginning, were taken note of and need not be told again. Absent: none. */
  readonly taken?: number;
}

/** The answer to `GET /v1/status`. */
export interface StatusAnswer {
  readonly applications: readonly ApplicationStatus[];
}

/** The body of `POST /v1/refresh`. */
export interface RefreshBody {
  /** `namespace/name`. */
  readonly application: string;
}

/** The answer to `POST /v1/refresh`: how many repositories are looked at. */
export interface RefreshAnswer {
  readonly repositories: number;
}

/** The answer where something was wrong: one sentence, without anything of the request but names of fields. */
export interface RefusalAnswer {
  readonly error: string;
}
