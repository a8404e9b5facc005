import type { Resolution } from '../resolve/resolver.ts';
import type { GenerationReport } from '../resolve/resolver.ts';
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

/** The body of `POST /v1/resolve` is a `ResolveQuery`; this is its answer, with one resolution per ask in the same order. */
export interface ResolveAnswer {
  readonly resolutions: readonly Resolution[];
}

/** The body of `POST /v1/report`. */
export interface ReportBody extends GenerationReport {
  /** Whether the generation had anything to ask, whoever answered: if it had, its query says what it uses. */
  readonly asked: boolean;
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
