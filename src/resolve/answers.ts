import type { Answer } from '../store/store.ts';
import type { Admitted } from './admit.ts';
import { headOf } from './evaluate.ts';
import type { Job, Ports } from './job.ts';
import { isDecidedFrom } from './keys.ts';
import { shown } from './resolution.ts';
import type { Resolution } from './resolver.ts';
import { faultError, frozenElsewhereError } from './wording.ts';

/** How exactly it is kept when an answer was last confirmed, in milliseconds: it is read when the registry is away, and a write costs. */
const CONFIRMED_PRECISION_MS = 10 * 60 * 1000;

/** In mode freeze, what the application was answered last: it is held, whatever the policy says now. */
export function frozenAnswer(one: Admitted, answers: ReadonlyMap<string, Answer>): Answer | undefined {
  return one.mode === 'freeze' ? answers.get(one.ask.image) : undefined;
}

/** A frozen answer. Never one that was obtained with other rights: that is an error, because moving would be none the better. */
export async function held(
  one: Admitted,
  answer: Answer,
  job: Job,
  ports: Ports,
  signal: AbortSignal,
): Promise<Resolution> {
  const { notices } = one;
  if (!isDecidedFrom(answer.key, one.listing)) {
    const error = frozenElsewhereError(one);
    return { kind: 'failed', error, why: error.what, notices };
  }
  const { decision } = answer;
  const why = 'decisions of this application are frozen';
  if (!one.wantsDigest || decision.digest !== undefined) {
    return { kind: 'held', decision: shown(one, decision), why, notices };
  }
  // The output was changed to hold a digest after the freeze: the tag stays, and its digest is looked up once.
  const head = await headOf(job, decision.tag, ports, signal);
  if (head.kind === 'fault') {
    const error = faultError(one, head.fault);
    return { kind: 'failed', error, why: error.what, notices };
  }
  return { kind: 'held', decision: { ...decision, digest: head.digest }, why, notices };
}

/** What was given, when it has to be remembered: it differs from before, or was confirmed long after. */
export function answerToKeep(
  one: Admitted,
  resolution: Resolution,
  answers: ReadonlyMap<string, Answer>,
): readonly Answer[] {
  if (resolution.kind !== 'decided' && resolution.kind !== 'stale' && resolution.kind !== 'held') return [];
  const { decision } = resolution;
  const { image } = one.ask;
  const before = answers.get(image);
  const key = resolution.kind === 'held' && before !== undefined ? before.key : one.key;
  const same =
    before?.key === key && before.decision.tag === decision.tag && before.decision.digest === decision.digest;
  if (same && decision.confirmedAt - before.decision.confirmedAt < CONFIRMED_PRECISION_MS) return [];
  return [{ image, scope: one.access.scope, key, decision }];
}
