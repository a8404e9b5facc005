import type { Applications } from '../applications/application.ts';
import { UserError } from '../error/user-error.ts';
import type { User } from '../kubernetes/kubernetes.ts';
import type { RegisteringQuery, Registrations } from '../registrations/registration.ts';
import { MAX_REQUEST_BYTES, PATHS, type ResolveAnswer } from '../remote/protocol.ts';
import { startDeadline, type Time } from '../resolve/deadline.ts';
import type { Resolution, ResolveQuery } from '../resolve/resolver.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { applicationNameOf } from './application-name.ts';
import { callerOf, type CallerPorts, isAnswer } from './caller.ts';
import { json, Refusal, type Route, type ServiceAnswer } from './exchange.ts';
import { checkMayGet, may, type PeoplePorts } from './people.ts';
import { claimOf, projectMismatch } from './project-claim.ts';
import { readQuery } from './read-query.ts';

/** The longest a query is worked on for who asks, in milliseconds: a first resolution waits up to 10 s. */
const MAX_BUDGET_MS = 15_000;

export interface ResolvePorts extends CallerPorts, PeoplePorts {
  readonly applications: Pick<Applications, 'byInstanceName'>;
  readonly registrations: Pick<Registrations, 'of'>;
  /** Answers every ask of a query. The signal carries the deadline. */
  readonly answer: (query: ResolveQuery, signal: AbortSignal) => Promise<readonly Resolution[]>;
  /** Registers what a generation was given, before it hears it. */
  readonly record: (query: RegisteringQuery, resolutions: readonly Resolution[]) => Promise<void>;
  readonly metrics: Pick<Metrics, 'resolveRequest'>;
  readonly log: Log;
  readonly time: Time;
}

/** `POST /v1/resolve`: what images are these? For sidecars, and for people who want it explained. */
export function resolveEndpoint(ports: ResolvePorts): Route {
  return {
    methods: ['POST'],
    path: PATHS.resolve,
    maxBodyBytes: MAX_REQUEST_BYTES,
    async open(head, signal) {
      const caller = await callerOf(head, ports, signal);
      if (isAnswer(caller)) return caller;
      return async (body, during) => {
        const query = readQuery(body);
        return caller.kind === 'sidecar'
          ? forSidecar(query, ports, during)
          : forPerson(query, caller.user, ports, during);
      };
    },
    told: (answer, seconds) => ports.metrics.resolveRequest(outcomeOf(answer), seconds),
  };
}

async function forSidecar(asked: ResolveQuery, ports: ResolvePorts, signal: AbortSignal): Promise<ServiceAnswer> {
  const claim = claimOf(asked.who, asked.generation?.source ?? asked.source, ports.applications);
  if (claim === 'other-project') return mismatched(asked);
  const query = claim === 'other-application' ? onlyLooking(asked) : asked;
  const answered = await answers(query, ports, signal);
  const { generation } = query;
  // Whoever gets hold of the sidecar's token must not learn which tags there are: that is told to people, about what is theirs.
  const resolutions = answered.map(unexplained);
  if (generation !== undefined && query.explain !== true) {
    try {
      const registering = { ...query, generation };
      if (!signal.aborted) await ports.record(registering, resolutions);
      // Nobody heard it. What its sidecar made of that is not known, so it has to ask again.
      if (signal.aborted) await ports.record(registering, resolutions.map(unheard));
    } catch (error) {
      // Its images are right all the same; the next generation registers again.
      ports.log.error('registration-failed', { application: query.who.application, error: String(error) });
    }
  }
  return json({ resolutions } satisfies ResolveAnswer);
}

async function forPerson(
  query: ResolveQuery,
  user: User,
  ports: ResolvePorts,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  if (query.explain !== true || query.generation !== undefined)
    throw new Refusal(403, 'people may only ask for explanations; generations ask with the token of the sidecar');
  const name = applicationNameOf(query.who.application, ports.controlPlaneNamespace());
  if (name === undefined) throw new Refusal(400, 'who.application names no Application');
  await checkMayGet(user, name, ports, signal);
  const known = ports.applications.byInstanceName(query.who.application);
  if (known === undefined) throw new Refusal(404, 'the controller knows no such Application');
  if (claimOf(query.who, undefined, ports.applications) !== 'possible') return mismatched(query);
  const who = { application: query.who.application, project: known.project };
  const uses = repositoriesOf(query.who.application, ports);
  const isAllTheirs = query.asks.every(({ repository }) => uses.has(repository.name));
  const showsAll = isAllTheirs || (await may(user, 'update', name, ports, signal));
  const answered = await answers({ ...query, who }, ports, signal);
  const resolutions = showsAll
    ? answered
    : answered.map((resolution, index) => {
        const repository = query.asks[index]?.repository.name ?? '';
        return uses.has(repository) ? resolution : withoutTags(resolution, repository);
      });
  return json({ resolutions } satisfies ResolveAnswer);
}

/** What is asked is free, and the credentials are the operator's: who only sees an Application must not list by it what it does not use. */
function withoutTags({ explanation, ...resolution }: Resolution, repository: string): Resolution {
  if (explanation === undefined) return resolution;
  const reason = `no generation of this Application asked for ${repository} yet, and you may not update it`;
  return { ...resolution, why: `${resolution.why} (which tags there are is not told: ${reason})` };
}

function repositoriesOf(application: string, { registrations }: ResolvePorts): ReadonlySet<string> {
  const answered = registrations.of(application).flatMap(({ answers: given }) => given);
  return new Set(answered.map(({ ask }) => ask.repository.name));
}

/** Nothing is kept under the name of an Application that it is not. */
function onlyLooking({ generation: _generation, ...query }: ResolveQuery): ResolveQuery {
  return { ...query, preview: true };
}

function unexplained(resolution: Resolution): Resolution {
  if (resolution.explanation === undefined) return resolution;
  const { explanation: _explanation, ...rest } = resolution;
  return rest;
}

function unheard(): Resolution {
  const what = 'the generation did not wait for the answer';
  const error = { code: 'CONTROLLER_UNREACHABLE', what, where: 'controller', fix: 'refresh again' } as const;
  return { kind: 'failed', error, why: what, notices: [] };
}

function mismatched(query: ResolveQuery): ServiceAnswer {
  const resolutions = query.asks.map((ask) => projectMismatch(query.who, ask));
  return { ...json({ resolutions } satisfies ResolveAnswer), outcome: 'refused' };
}

async function answers(query: ResolveQuery, ports: ResolvePorts, signal: AbortSignal): Promise<readonly Resolution[]> {
  const budgetMs = Math.min(query.budgetMs, MAX_BUDGET_MS);
  using budget = startDeadline(budgetMs, ports.time, signal);
  try {
    return await ports.answer({ ...query, budgetMs }, budget.signal);
  } catch (error) {
    // A filter that is no regular expression: a generation with one error fails as a whole, and places it itself.
    if (!(error instanceof UserError)) throw error;
    const data = error.toData();
    return query.asks.map(() => ({ kind: 'failed', error: data, why: data.what, notices: [] }));
  }
}

function outcomeOf({ status, outcome }: ServiceAnswer): Parameters<Metrics['resolveRequest']>[0] {
  if (outcome === 'refused' || outcome === 'unauthorized') return outcome;
  if (status < 300) return 'answered';
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'refused';
  if (status === 503) return 'overloaded';
  return status < 500 ? 'invalid' : 'failed';
}
