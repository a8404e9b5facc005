import type { UserErrorData } from '../error/user-error.ts';
import type { Soon } from '../store/soon.ts';
import { NEVER_CONFIRMED, type Answer, type Decision, type StoredDecision } from '../store/store.ts';
import type { Tag } from '../image/reference.ts';
import type { Admitted } from './admit.ts';
import type { Ports, Settled } from './job.ts';
import { isDecidedFrom } from './keys.ts';
import type { Resolution } from './resolver.ts';
import { faultError, imageText, keptNotice, nothingError, nothingNotice, notThereYet, staleNotice } from './wording.ts';

type Fault = Extract<Settled, { kind: 'fault' }>;

/** What was answered last to asks that come again, and from which decision. */
const decidedBefore = new WeakMap<Admitted, { readonly stored: StoredDecision; readonly resolution: Resolution }>();

/**
 * The answer to one ask, from how its job ended and what its application was given before.
 *
 * @param answer the application's last answer for this image, whatever rights it was obtained with.
 */
export function resolutionOf(
  admitted: Admitted,
  settled: Settled,
  answer: Answer | undefined,
  ports: Ports,
): Soon<Resolution> {
  switch (settled.kind) {
    case 'decided': {
      const before = decidedBefore.get(admitted);
      if (before?.stored === settled.decision) return before.resolution;
      const resolution = decided(admitted, settled.decision);
      decidedBefore.set(admitted, { stored: settled.decision, resolution });
      return resolution;
    }
    case 'nothing':
      return nothing(admitted, nothingError(admitted, settled), answer);
    case 'fault':
      return faulty(admitted, settled, answer, ports);
    default:
      return settled satisfies never;
  }
}

function decided(admitted: Admitted, stored: StoredDecision): Resolution {
  const { notices } = admitted;
  const decision = shown(admitted, stored);
  const image = imageText(admitted, decision);
  if (stored.missing === undefined)
    return { kind: 'decided', decision, why: `${image} is what the policy selects`, notices };
  const why = `${image} is kept, although the registry no longer offers it`;
  return { kind: 'decided', decision, why, notices: [...notices, keptNotice(admitted, decision)] };
}

/** Without what the ask does not need: a digest that happens to be known of a tag. */
export function shown(admitted: Admitted, { tag, digest, movedAt, confirmedAt }: Decision): Decision {
  return { tag, ...(admitted.wantsDigest && digest !== undefined ? { digest } : {}), movedAt, confirmedAt };
}

/** A new key without candidate: an error for whoever had an answer before; a warning for whoever never had one. */
function nothing(admitted: Admitted, error: UserErrorData, answer: Answer | undefined): Resolution {
  const { notices, ask } = admitted;
  if (answer !== undefined || ask.onUnsatisfied === 'error')
    return { kind: 'unsatisfied', error, why: error.what, notices };
  return {
    kind: 'as-in-git',
    reason: 'unsatisfied',
    why: error.what,
    notices: [...notices, nothingNotice(admitted, error)],
  };
}

async function faulty(
  admitted: Admitted,
  settled: Fault,
  answer: Answer | undefined,
  ports: Ports,
): Promise<Resolution> {
  const { fault } = settled;
  const { notices } = admitted;
  const error = faultError(admitted, fault);
  const decision = await lastKnownGood(admitted, settled, answer, ports);
  if (decision !== undefined) {
    const gone = fault.error.code === 'MANIFEST_NOT_FOUND';
    const notice = gone ? keptNotice(admitted, decision) : staleNotice(admitted, decision, fault, ports.now());
    const why = `${imageText(admitted, decision)} is the last known good answer`;
    return { kind: 'stale', decision, why, notices: [...notices, notice] };
  }
  // A digest policy whose tag is not there (yet) is a policy that nothing satisfies.
  if (admitted.followed !== undefined && fault.error.code === 'MANIFEST_NOT_FOUND')
    return nothing(admitted, notThereYet(admitted, admitted.followed, fault), answer);
  return { kind: fault.kind === 'refused' ? 'refused' : 'failed', error, why: error.what, notices };
}

/** What may be served although the registry could not be asked; undefined: nothing. */
async function lastKnownGood(
  admitted: Admitted,
  settled: Fault,
  answer: Answer | undefined,
  ports: Ports,
): Promise<Decision | undefined> {
  const { previous, fault } = settled;
  const usable = (decision: Decision): boolean => !admitted.wantsDigest || decision.digest !== undefined;
  const own =
    answer !== undefined && (await answersAsk(admitted, answer, ports)) && usable(answer.decision)
      ? answer.decision
      : undefined;
  // Lost rights are no outage (and some registries say 404 for them), and a registry that leads astray is not to be
  // trusted with anything new: only who held an answer keeps it.
  const ownOnly = fault.kind === 'denied' || fault.kind === 'missing' || fault.kind === 'refused';
  const unusable = ownOnly || previous === undefined || !usable(previous);
  // What merely runs is for those who have nothing better.
  const decision = unusable || (own !== undefined && previous.confirmedAt === NEVER_CONFIRMED) ? own : previous;
  return decision === undefined ? undefined : shown(admitted, decision);
}

/** Whether an earlier answer may stand for this ask: obtained with the same rights, and within what the policy says now. */
export async function answersAsk(admitted: Admitted, answer: Answer, ports: Ports): Promise<boolean> {
  if (!isDecidedFrom(answer.key, admitted.listing)) return false;
  return answer.key === admitted.key || (await satisfiesByName(admitted, answer.decision.tag, ports));
}

/** Nothing is known of dates, so for newest-build the filters decide. */
async function satisfiesByName(admitted: Admitted, tag: Tag, ports: Ports): Promise<boolean> {
  const names = await ports.selectByName(admitted, [tag], 0);
  return names.kind === 'selected' && names.tags.length > 0;
}
