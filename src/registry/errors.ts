import type { ErrorCode } from '../error/codes.ts';
import type { UserErrorData } from '../error/user-error.ts';
import { ForbiddenAddressError } from './address.ts';
import { shownUrl } from './shown-url.ts';
import type { Fault } from './sources.ts';
import { BodyEncodingError, BodyTooLargeError, type HttpAnswer } from './transport.ts';

/** What a message about a request says besides the fault itself. */
export interface RequestFacts {
  readonly method: string;
  readonly url: URL;
  readonly asked: 'listing' | 'manifest' | 'blob' | 'token';
  /** `docker.io/library/nginx`. */
  readonly repository: string;
  readonly credentialsSent: boolean;
}

type Kind = Fault['kind'];

/** A fault in this project's words. Equal faults give equal text, so nothing of the moment (ports, times) goes in. */
export function fault(
  facts: RequestFacts,
  kind: Kind,
  code: ErrorCode,
  text: { readonly problem: string; readonly fix: string },
  retryAfterMs?: number,
): Fault {
  const sent = facts.credentialsSent ? 'credentials were sent' : 'no credentials were sent';
  const error: UserErrorData = {
    code,
    what: `${facts.method} ${shownUrl(facts.url)}: ${text.problem} (${sent})`,
    where: facts.repository,
    fix: text.fix,
  };
  return { error, kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** The registry's own error code (`NAME_UNKNOWN`), when it has the form of one; nothing else of a body is ever shown. */
export function registryCode(answer: HttpAnswer): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(answer.body.toString('utf8'));
  } catch {
    return undefined;
  }
  const errors = (body as { errors?: unknown } | null)?.errors;
  const code: unknown = Array.isArray(errors) ? (errors[0] as { code?: unknown } | null)?.code : undefined;
  return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : undefined;
}

/** Said always, so that it tells nobody whether there is such a credential. */
const FOR_PROJECTS = 'one that registries.hosts binds to projects serves those only';
const CHECK_CREDENTIAL = `check the credential the operator configured for this registry, and that it may pull this repository (${FOR_PROJECTS})`;
const GIVE_CREDENTIAL = `check repository and tag; if the repository is private, configure a credential for this registry (${FOR_PROJECTS})`;
/** For a registry that gives nothing to anonymous clients. */
export const CONFIGURE_CREDENTIAL: string = `configure a credential for this registry (${FOR_PROJECTS})`;

/** The fault that an unwanted status means. */
export function faultFromStatus(facts: RequestFacts, answer: HttpAnswer, retryAfterMs?: number): Fault {
  const { status } = answer;
  const own = registryCode(answer);
  const problem = own === undefined ? `the registry answered ${status}` : `the registry answered ${status} ${own}`;
  const make = (kind: Kind, code: ErrorCode, fix: string): Fault =>
    fault(facts, kind, code, { problem, fix }, retryAfterMs);

  if (status === 429 || own === 'TOOMANYREQUESTS') {
    return make(
      'throttled',
      'REGISTRY_THROTTLED',
      'wait, ask less often (interval, rateLimit), or use a credential with a higher limit',
    );
  }
  if (status === 401 || status === 403) {
    const code =
      own === 'DENIED' || (status === 403 && own !== 'UNAUTHORIZED') ? 'REGISTRY_DENIED' : 'REGISTRY_UNAUTHORIZED';
    return make('denied', code, facts.credentialsSent ? CHECK_CREDENTIAL : GIVE_CREDENTIAL);
  }
  if (status === 404) {
    const manifest = facts.asked !== 'listing' && own !== 'NAME_UNKNOWN';
    // Some registries answer 404 for what one may not see.
    const fix = facts.credentialsSent ? 'check the name, and that the credential may pull it' : GIVE_CREDENTIAL;
    return make('missing', manifest ? 'MANIFEST_NOT_FOUND' : 'REPOSITORY_NOT_FOUND', fix);
  }
  if (status >= 500) return make('outage', 'REGISTRY_UNAVAILABLE', 'see the status page or the log of the registry');
  if (status >= 300 && status < 400) {
    return make(
      'refused',
      'REGISTRY_SUSPICIOUS',
      'redirects are followed for blobs only; set apiUrl to the address that answers itself',
    );
  }
  return make('outage', 'REGISTRY_INVALID', 'check that apiUrl is the base of a registry API v2');
}

/** An answer that came but is not what the registry API says. */
export function invalidAnswer(facts: RequestFacts, problem: string): Fault {
  return fault(facts, 'outage', 'REGISTRY_INVALID', {
    problem,
    fix: 'check that apiUrl is the base of a registry API v2',
  });
}

/** An answer beyond the limits. */
export function tooLarge(facts: RequestFacts, problem: string): Fault {
  return fault(facts, 'refused', 'REGISTRY_TOO_LARGE', {
    problem,
    fix: 'remove old tags, or use a repository of its own for this image',
  });
}

/** The registry named a place the client must not go to. */
export function suspicious(facts: RequestFacts, problem: string, fix: string): Fault {
  return fault(facts, 'refused', 'REGISTRY_SUSPICIOUS', { problem, fix });
}

/** The host is, or resolves to, an address that is not public, and the operator did not name it. */
export function hostNotAllowed(facts: RequestFacts): Fault {
  return fault(facts, 'refused', 'HOST_NOT_ALLOWED', {
    problem: `${facts.url.hostname} has an address that is not public`,
    fix: 'the operator can name the host in registries.hosts (or its tokenHosts, for a host the registry leads to)',
  });
}

/** The caller's time passed, or the caller went away. */
export function cancelled(facts: RequestFacts): Fault {
  return fault(facts, 'cancelled', 'REGISTRY_TIMEOUT', {
    problem: 'no answer within the time that was left',
    fix: 'see whether the registry is slow, or raise the budget',
  });
}

/** A connection that was cut: worth another try. `UND_ERR_SOCKET` is undici's name for the other side closing early. */
const CUT: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
const TIMEOUT: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
const TLS =
  /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO$)/;

/** What an exchange that rejected means, and whether the same request may be tried again. */
export function faultFromError(
  facts: RequestFacts,
  error: unknown,
): { readonly fault: Fault; readonly again: boolean } {
  const final = (made: Fault): { fault: Fault; again: boolean } => ({ fault: made, again: false });
  if (error instanceof ForbiddenAddressError) return final(hostNotAllowed(facts));
  if (error instanceof BodyTooLargeError) {
    return final(tooLarge(facts, `the answer is larger than ${error.maxBytes} bytes`));
  }
  if (error instanceof BodyEncodingError) return final(invalidAnswer(facts, error.message));
  const code = codeOf(error);
  if (code === undefined) throw error; // not a fault of the network: a bug

  const { host, hostname } = facts.url;
  const unavailable = (problem: string, fix: string): Fault =>
    fault(facts, 'outage', 'REGISTRY_UNAVAILABLE', { problem, fix });
  if (CUT.has(code)) {
    const problem =
      code === 'ECONNREFUSED'
        ? 'the connection was refused'
        : code === 'EAI_AGAIN'
          ? 'DNS did not answer'
          : 'the connection was cut';
    return { fault: unavailable(problem, `check that ${host} can be reached from here`), again: true };
  }
  if (code === 'ENOTFOUND')
    return final(unavailable(`DNS knows no address of ${hostname}`, 'check the host name and the DNS of the cluster'));
  if (TIMEOUT.has(code)) {
    const problem =
      code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
        ? 'the registry stopped answering'
        : 'no connection in time';
    return final(
      fault(facts, 'outage', 'REGISTRY_TIMEOUT', { problem, fix: `check that ${host} can be reached from here` }),
    );
  }
  if (TLS.test(code)) return final(fault(facts, 'outage', 'REGISTRY_TLS', tlsText(code)));
  if (code === 'ERR_INVALID_URL' || code.startsWith('UND_ERR_PRX') || code === 'UND_ERR_ABORTED') {
    return final(
      unavailable(
        'the proxy could not be used, or did not let the request through',
        'check HTTPS_PROXY, HTTP_PROXY and NO_PROXY',
      ),
    );
  }
  if (code.startsWith('HPE_') || code.startsWith('UND_ERR_'))
    return final(invalidAnswer(facts, 'the answer is not HTTP'));
  return final(unavailable(`the connection failed (${code})`, `check that ${host} can be reached from here`));
}

function tlsText(code: string): { readonly problem: string; readonly fix: string } {
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return {
      problem: 'no TLS handshake',
      fix: 'check that the registry speaks https there; for plain http the operator sets insecure and an http apiUrl',
    };
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return {
      problem: `the TLS certificate is not valid now (${code})`,
      fix: 'renew the certificate, or set the clock of this machine right',
    };
  }
  return {
    problem: `the TLS certificate is not trusted (${code})`,
    fix: 'the operator sets caFile of this registry to the certificate of its CA',
  };
}

/** The first error code along `cause` and the parts of an AggregateError (happy eyeballs). */
function codeOf(error: unknown): string | undefined {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return undefined;
}
