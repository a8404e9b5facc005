import { decisionOf } from './decision-of.ts';
import { faultOf, type Job, type Ports, type Settled } from './job.ts';
import type { Soon } from '../store/soon.ts';
import type { KeptFault, StoredDecision } from '../store/store.ts';

/**
 * How a job stands by what is known, asking nobody: the decision as it is, with the fault of the last look at the registry
 * when there was one. Undefined: there is no decision, or not with the digest this job wants.
 */
export function settleKnown(job: Job, ports: Ports): Soon<Settled | undefined> {
  const stored = decisionOf(job, ports);
  const fault = faultOf(job, ports);
  if (stored instanceof Promise || fault instanceof Promise)
    return Promise.all([stored, fault]).then(([one, kept]) => settledBy(job, one?.value, kept));
  return settledBy(job, stored?.value, fault);
}

function settledBy(job: Job, known: StoredDecision | undefined, kept: KeptFault | undefined): Settled | undefined {
  if (known === undefined || !isWhole(job, known)) return undefined;
  if (kept !== undefined) return { kind: 'fault', fault: kept.fault, previous: known };
  job.steps?.push(`${known.tag} is the decision; the registry is looked at apart from requests`);
  return { kind: 'decided', decision: known };
}

/** A tag that is gone has no digest to ask for. */
function isWhole(job: Job, decision: StoredDecision): boolean {
  return !job.wantsDigest || decision.digest !== undefined || decision.missing !== undefined;
}
