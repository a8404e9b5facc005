import type { Applications } from '../applications/application.ts';
import type { Freshness, Standing } from '../freshness/freshness.ts';
import type { Refresher } from '../refresh/refresher.ts';
import type { RegisteredAnswer, Registrations } from '../registrations/registration.ts';
import { placeAmong } from '../registrations/sources.ts';
import type { ApplicationStatus, ImageStatus, SourceStatus } from '../remote/status.ts';
import { otherAnswers, ownAnswer } from '../resolve/answers.ts';
import { policyInWords } from '../resolve/policy-in-words.ts';
import type { Decision } from '../store/store.ts';

export interface StatusSources {
  readonly applications: Pick<Applications, 'byInstanceName'>;
  readonly registrations: Pick<Registrations, 'of'>;
  readonly freshness: Pick<Freshness, 'standings'>;
  readonly refresher: Pick<Refresher, 'stateOf' | 'conditionsOf'>;
  /** What is kept for an application, by image; `AnswerStore.last` is one. */
  readonly answers: (instanceName: string) => Promise<ReadonlyMap<string, { readonly decision: Decision }>>;
}

/**
 * All that is known of one application.
 *
 * @param shown `namespace/name`.
 */
export async function statusOf(
  instanceName: string,
  shown: string,
  sources: StatusSources,
): Promise<ApplicationStatus> {
  const registrations = sources.registrations.of(instanceName);
  const application = sources.applications.byInstanceName(instanceName);
  const project = application?.project ?? registrations.at(-1)?.project;
  const standings = sources.freshness.standings(instanceName);
  const kept = registrations.length === 0 ? new Map<string, never>() : await sources.answers(instanceName);
  const described = registrations.map((registration): SourceStatus => {
    const { source, revision, answeredAt, answers, parametersFingerprint } = registration;
    const place = placeAmong(application, source, parametersFingerprint);
    return {
      ...source,
      revision,
      answeredAt,
      images: answers.map((answer) => {
        const named = { answers: kept, image: answer.ask.image, place };
        return imageStatus(answer, standings, ownAnswer(named) ?? otherAnswers(named)[0]);
      }),
    };
  });
  return {
    application: shown,
    ...(project !== undefined && { project }),
    sources: described,
    refresh: sources.refresher.stateOf(instanceName),
    conditions: [...sources.refresher.conditionsOf(instanceName)].sort(),
  };
}

function imageStatus(
  { ask, given }: RegisteredAnswer,
  standings: ReadonlyMap<string, Standing>,
  answer: { readonly decision: Decision } | undefined,
): ImageStatus {
  const standing = standings.get(ask.image);
  const { failing } = standing ?? {};
  return {
    image: ask.image,
    label: ask.label,
    repository: ask.repository.name,
    policy: policyInWords(ask),
    given,
    ...(answer !== undefined && { decision: plain(answer.decision) }),
    ...(standing?.lastCompleteAt !== undefined && { lastCompleteAt: standing.lastCompleteAt }),
    ...(standing?.nextLookAt !== undefined && { nextLookAt: standing.nextLookAt }),
    ...(standing !== undefined && { intervalMs: standing.intervalMs }),
    ...(failing !== undefined && {
      failing: { since: failing.since, code: failing.fault.error.code, what: failing.fault.error.what },
    }),
  };
}

/** Without what a store may keep beside it. */
function plain({ tag, digest, movedAt, confirmedAt }: Decision): Decision {
  return { tag, ...(digest !== undefined && { digest }), movedAt, confirmedAt };
}
