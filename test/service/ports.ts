import type { Application, Applications } from '../../src/applications/application.ts';
import type { Resolution, ResolveQuery } from '../../src/resolve/resolver.ts';
import { sleepForReal } from '../../src/registry/time.ts';
import type { Time } from '../../src/resolve/deadline.ts';
import type { CallerPorts, Proof, TokenReviewer } from '../../src/service/caller.ts';
import type { PeoplePorts } from '../../src/service/people.ts';
import type { Route, ServiceAnswer } from '../../src/service/exchange.ts';
import { createServiceServer, type ServerLimits, type ServiceServer } from '../../src/service/service-server.ts';
import type { CertificateFiles } from '../../src/service/certificate-files.ts';
import type { Log, LogFields } from '../../src/telemetry/log.ts';

/** A log that keeps its lines. */
export class KeptLog implements Log {
  readonly lines: string[] = [];
  debug = (event: string, fields?: LogFields): void => this.#keep('debug', event, fields);
  info = (event: string, fields?: LogFields): void => this.#keep('info', event, fields);
  warning = (event: string, fields?: LogFields): void => this.#keep('warning', event, fields);
  error = (event: string, fields?: LogFields): void => this.#keep('error', event, fields);

  #keep(level: string, event: string, fields: LogFields = {}): void {
    this.lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
  }
}

export const realTime: Time = { now: Date.now, sleep: sleepForReal };

export interface Running extends AsyncDisposable {
  readonly url: string;
  readonly server: ServiceServer;
  readonly log: KeptLog;
}

export async function serve(
  routes: readonly Route[],
  options: { readonly limits?: Partial<ServerLimits>; readonly tls?: CertificateFiles; readonly time?: Time } = {},
): Promise<Running> {
  const log = new KeptLog();
  const { limits = {}, tls, time = realTime } = options;
  const server = createServiceServer({ name: 'test', routes, limits, log, time, ...(tls && { tls }) });
  const port = await server.listen(0, '127.0.0.1');
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    server,
    log,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** A route whose answers a test decides. */
export function route(
  handle: (body: Buffer, signal: AbortSignal) => Promise<ServiceAnswer>,
  rest: Partial<Route> = {},
): Route {
  return { methods: ['POST'], path: '/do', maxBodyBytes: 1024, open: async () => handle, ...rest };
}

const SIDECAR: Proof = {
  kind: 'authenticated',
  username: 'system:serviceaccount:argocd:argocd-repo-server',
  groups: [],
  uid: '1',
  audience: 'image-resolver',
};

/** Tokens by name. */
export const reviewer: TokenReviewer = async (token) => {
  switch (token) {
    case 'sidecar':
      return SIDECAR;
    case 'stranger':
      return { ...SIDECAR, username: 'system:serviceaccount:team-a:default' };
    // The sidecar's account, but with a token for the API server.
    case 'api-of-sidecar':
      return { ...SIDECAR, audience: 'api' };
    case 'alice':
    case 'admin':
      return { kind: 'authenticated', username: token, groups: ['people'], uid: token, audience: 'api' };
    case 'unclear':
      return { kind: 'unavailable' };
    default:
      return { kind: 'rejected' };
  }
};

export const callers: CallerPorts = {
  reviewer,
  allowedAccounts: new Set(['system:serviceaccount:argocd:argocd-repo-server']),
};

/** Alice may get argocd/shop and argocd/ghost, the admin do everything with every Application. */
export const people: PeoplePorts = {
  controlPlaneNamespace: () => 'argocd',
  mayAccessApplication: async ({ username }, verb, { namespace, name }) => {
    if (name === 'broken') throw new Error('the API is away');
    if (username === 'admin') return true;
    return username === 'alice' && verb === 'get' && namespace === 'argocd' && ['shop', 'ghost'].includes(name);
  },
};

const SOURCE = { repoURL: 'https://git', path: 'app', targetRevision: 'main' };

/** argocd/shop of team-a and team-b/web of team-b, both with that source. */
export const applications: Pick<Applications, 'byInstanceName'> = {
  byInstanceName: (instanceName) => {
    const project = { shop: 'team-a', 'team-b_web': 'team-b' }[instanceName];
    return project === undefined
      ? undefined
      : ({ project, sources: [SOURCE] as Application['sources'] } as Application);
  },
};

export const decided = (query: ResolveQuery): readonly Resolution[] =>
  query.asks.map(() => ({
    kind: 'decided',
    decision: { tag: '1.0.6' as never, movedAt: 1, confirmedAt: 2 },
    why: 'best',
    notices: [],
  }));

/** One request with node's own fetch. */
export async function send(
  url: string,
  options: { readonly token?: string; readonly method?: string; readonly body?: unknown; readonly raw?: string } = {},
): Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }> {
  const { token, body, raw = body === undefined ? undefined : JSON.stringify(body) } = options;
  const response = await fetch(url, {
    method: options.method ?? (raw === undefined ? 'GET' : 'POST'),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(raw !== undefined && { body: raw }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text,
  };
}
