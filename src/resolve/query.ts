import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { Soon } from '../store/soon.ts';
import type { Answer } from '../store/store.ts';
import { admit, type Admitted } from './admit.ts';
import { answerToHold, answerToKeep, type HeldAnswer, held, lastAnswer, type LastAnswer } from './answers.ts';
import { choiceResolution } from './choice.ts';
import { inParallel } from './concurrency.ts';
import { explanationOf } from './explain.ts';
import type { Job, Ports, Settle, Settled } from './job.ts';
import { observed } from './observed.ts';
import { resolutionOf } from './resolution.ts';
import type { Resolution, ResolveQuery } from './resolver.ts';

/** How long somebody with a decision waits for a newer one, in milliseconds. */
const RENEW_FOR_MS = 3_000;
/** Decisions worked on at the same time. Requests are bounded per host by the registry client. */
const JOBS_AT_ONCE = 16;

/** How a query is answered. */
export interface Answering {
  readonly operator: { readonly configuration: OperatorConfiguration; readonly broker: AccessBroker };
  readonly ports: Ports;
  /** Decides each job: by asking and waiting, or from what is known. */
  readonly settle: Settle;
  /** False: who asks only wants to know what would be answered, so it is not kept as given. */
  readonly record: boolean;
  /** Which source of the application asks ({@link placeOf}); absent: it is not known. */
  readonly place?: string | undefined;
  /** A sync of what was answered last runs: the same is answered again. */
  readonly isSyncing?: boolean;
}

/** Answers every ask of a query; asks that share a key are decided once. */
export async function answerQuery(
  query: ResolveQuery,
  { operator, ports, settle, record, place, isSyncing = false }: Answering,
  signal: AbortSignal,
): Promise<readonly Resolution[]> {
  const { who, explain = false } = query;
  const admissions = query.asks.map((ask) => admit(ask, who, operator));
  const admitted = admissions.flatMap((admission) => (admission.kind === 'admitted' ? [admission.admitted] : []));
  const before = await lastAnswers(who.application, admitted, place, ports);
  const holding = new Map<Admitted, HeldAnswer>();
  for (const one of admitted) {
    const answer = answerToHold(one, before.get(one), isSyncing);
    if (answer !== undefined) holding.set(one, answer);
  }
  const undecided = admitted.filter((one) => !holding.has(one));
  const outcomes = await settleAll(jobsOf(undecided, ports.now(), { explain }), (job) => settle(job, signal, who));

  const given: Answer[] = [];
  const resolutions: Resolution[] = [];
  for (const admission of admissions) {
    switch (admission.kind) {
      case 'settled':
        resolutions.push(choiceResolution(admission.ask, admission.choice));
        break;
      case 'refused': {
        const refused: Resolution = { kind: 'refused', error: admission.error, why: admission.error.what, notices: [] };
        resolutions.push(admission.mode === 'observe' ? observed(refused) : refused);
        break;
      }
      case 'admitted': {
        const one = admission.admitted;
        const last = before.get(one);
        const answered = answerOne(one, { held: holding.get(one), outcomes, last }, ports, signal);
        const resolution = answered instanceof Promise ? await answered : answered;
        if (one.mode !== 'observe') given.push(...answerToKeep(one, resolution, last, place));
        const outcome = outcomes.get(one.key);
        const explained =
          explain && outcome !== undefined
            ? { ...resolution, explanation: await explanationOf(outcome.job, ports) }
            : resolution;
        resolutions.push(one.mode === 'observe' ? observed(explained) : explained);
        break;
      }
      default:
        return admission satisfies never;
    }
  }
  if (record && who.application !== '' && given.length > 0) await ports.store.answers.record(who.application, given);
  return resolutions;
}

interface Outcome {
  readonly job: Job;
  readonly settled: Settled;
}

async function lastAnswers(
  application: string,
  admitted: readonly Admitted[],
  place: string | undefined,
  ports: Ports,
): Promise<ReadonlyMap<Admitted, LastAnswer>> {
  const found = new Map<Admitted, LastAnswer>();
  // Without a name (a laptop) there is nobody to remember answers for.
  if (application === '' || admitted.length === 0) return found;
  const answers = await ports.store.answers.last(application);
  for (const one of admitted) {
    const answer = lastAnswer(one, answers, place, ports);
    const last = answer instanceof Promise ? await answer : answer;
    if (last !== undefined) found.set(one, last);
  }
  return found;
}

async function settleAll(
  jobs: readonly Job[],
  settle: (job: Job) => Soon<Settled>,
): Promise<ReadonlyMap<string, Outcome>> {
  const settled = await inParallel(jobs, JOBS_AT_ONCE, settle);
  const outcomes = new Map<string, Outcome>();
  for (const [index, job] of jobs.entries()) outcomes.set(job.key, { job, settled: settled[index] as Settled });
  return outcomes;
}

function answerOne(
  one: Admitted,
  known: {
    readonly held: HeldAnswer | undefined;
    readonly outcomes: ReadonlyMap<string, Outcome>;
    readonly last: LastAnswer | undefined;
  },
  ports: Ports,
  signal: AbortSignal,
): Soon<Resolution> {
  const { outcomes, last } = known;
  if (known.held !== undefined) {
    const [job] = jobsOf([one], ports.now());
    if (job === undefined) throw new Error('no job was made');
    return held(one, known.held, job, ports, signal);
  }
  const outcome = outcomes.get(one.key);
  if (outcome === undefined) throw new Error('a job was not settled');
  return resolutionOf(one, outcome.settled, last?.answer, ports);
}

/** One job for all asks of a key: the shortest interval, and a digest when one of them needs it. */
export function jobsOf(
  admitted: readonly Admitted[],
  startedAt: number,
  { explain = false }: { readonly explain?: boolean } = {},
): readonly Job[] {
  const jobs = new Map<string, Job>();
  for (const one of admitted) {
    const same = jobs.get(one.key);
    jobs.set(one.key, {
      key: one.key,
      listing: one.listing,
      access: one.access,
      selection: one.selection,
      ...(one.project === undefined ? {} : { project: one.project }),
      ...(one.followed === undefined ? {} : { followed: one.followed }),
      onRemoved: one.ask.onRemoved,
      wantsDigest: one.wantsDigest || same?.wantsDigest === true,
      intervalMs: Math.min(one.intervalMs, same?.intervalMs ?? Infinity),
      startedAt,
      patienceMs: RENEW_FOR_MS,
      ...(explain && { steps: [] }),
    });
  }
  return [...jobs.values()];
}
