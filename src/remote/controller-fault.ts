/** The controller could not be asked, or what it answered cannot be used. Texts hold neither times nor ports of ours: equal faults read equal. */
export class ControllerFault extends Error {
  override readonly name = 'ControllerFault';
  readonly kind: 'timeout' | 'stopped' | 'connection' | 'misconfigured' | 'answer';
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** What to do about it. */
  readonly fix: string;

  /** @param why a clause about the controller: `it did not answer within 2 s`. */
  constructor(
    kind: ControllerFault['kind'],
    why: string,
    fix: string,
    more: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(why, more.cause === undefined ? undefined : { cause: more.cause });
    this.kind = kind;
    this.fix = fix;
    this.status = more.status;
  }
}

const SEE_CONTROLLER =
  'see whether the controller runs (its pod, log and NetworkPolicy) and IMAGE_RESOLVER_CONTROLLER (or controller.url) is its address';
const SEE_CERTIFICATE =
  'name the CA of the controller as controller.caFile in the operator configuration, and let its certificate cover the host of its address';

/** OpenSSL's and Node's words for certificates and handshakes. */
const TLS_CODE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/;

const CONNECTION_PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its host',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
};

/** A connection that could not be made or did not last. */
export function connectionFault(error: unknown): ControllerFault {
  const code = codeOf(error);
  if (TLS_CODE.test(code)) {
    return new ControllerFault('connection', `no trusted TLS connection could be made (${code})`, SEE_CERTIFICATE, {
      cause: error,
    });
  }
  if (code.startsWith('HPE_')) {
    return new ControllerFault('answer', `what answers there does not speak HTTP (${code})`, SEE_CONTROLLER, {
      cause: error,
    });
  }
  const problem = CONNECTION_PROBLEMS[code] ?? `the connection failed (${code === '' ? 'no code' : code})`;
  return new ControllerFault('connection', problem, SEE_CONTROLLER, { cause: error });
}

/** With several addresses the error is an aggregate whose code is that of the first. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
}

export function timeoutFault(boundMs: number): ControllerFault {
  return new ControllerFault('timeout', `it did not answer within ${boundMs / 1000} s`, SEE_CONTROLLER);
}

export function stoppedFault(): ControllerFault {
  return new ControllerFault('stopped', 'the generation was stopped meanwhile', 'refresh again');
}

/** What is wrong with the sidecar itself. */
export function setupFault(why: string, fix: string, cause?: unknown): ControllerFault {
  return new ControllerFault('misconfigured', why, fix, { cause });
}

/** An answer other than 200. */
export function statusFault(status: number, reason: string | undefined): ControllerFault {
  const said = reason === undefined ? `${status}` : `${status}: ${reason}`;
  if (status === 401) {
    const fix =
      'project a service account token of the audience image-resolver into the sidecar, renewed by the kubelet';
    return new ControllerFault('misconfigured', `it does not accept the token that was sent (${said})`, fix, {
      status,
    });
  }
  if (status === 403) {
    const fix = "run the sidecar under the service account that the controller's --sidecar-account names";
    return new ControllerFault('misconfigured', `it does not serve this account (${said})`, fix, { status });
  }
  if (status >= 300 && status < 400) {
    const fix =
      'write the address of the controller itself as IMAGE_RESOLVER_CONTROLLER (or controller.url): redirects are not followed';
    return new ControllerFault('answer', `it answered with a redirect (${status})`, fix, { status });
  }
  if (status === 429 || status === 503)
    return new ControllerFault('answer', `it is overloaded or starting (${said})`, SEE_CONTROLLER, { status });
  if (status >= 500) return new ControllerFault('answer', `it failed (${said})`, SEE_CONTROLLER, { status });
  const fix =
    'let sidecar and controller be of the same version, and IMAGE_RESOLVER_CONTROLLER (or controller.url) the address of the controller';
  return new ControllerFault('answer', `it does not take the question (${said})`, fix, { status });
}

/** An answer that is no answer to what was asked. */
export function answerFault(why: string, cause?: unknown): ControllerFault {
  return new ControllerFault('answer', why, SEE_CONTROLLER, { cause });
}
