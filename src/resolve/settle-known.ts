import { decisionOf } from './decision-of.ts';
import { faultOf, type Job, type Ports, type Settled } from './job.ts';
import { type Soon, whenThere } from '../store/soon.ts';
import type { StoredDecision } from '../store/store.ts';

/**
 * How a job stands by what is known, asking nobody: the decision as it is, with the fault of the last look at the registry
 * when there was one. Undefined: there is no decision, or not with the digest this job wants.
 */
export function settleKnown(job: Job, ports: Ports): Soon<Settled | undefined> {
  return whenThere(decisionOf(job, ports), (stored) => {
    const known = stored?.value;
    if (known === undefined || !isWhole(job, known)) return undefined;
    return whenThere(faultOf(job, ports), (kept): Settled => {
      if (kept !== undefined) return { kind: 'fault', fault: kept.fault, previous: known };
      job.steps?.push(`${known.tag} is the decision; the registry is looked at apart from requests`);
      return { kind: 'decided', decision: known };
    });
  });
}

/** A tag that is gone has no digest to ask for. */
function isWhole(job: Job, decision: StoredDecision): boolean {
  return !job.wantsDigest || decision.digest !== undefined || decision.missing !== undefined;
}
