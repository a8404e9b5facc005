import { type Soon, whenThere } from '../store/soon.ts';
import type { StoredDecision, Versioned } from '../store/store.ts';
import type { Job, Ports } from './job.ts';
import { decisionKey } from './keys.ts';

/**
 * The decision of a job's key. A key without one begins with what the same policy with the other `on-removed` has decided:
 * adding or removing that setting proves nothing about a tag, so it must not move an image by itself.
 */
export function decisionOf(job: Job, ports: Ports): Soon<Versioned<StoredDecision> | undefined> {
  return whenThere(ports.store.decisions.get(job.key), (own) => own ?? begunOf(job, ports));
}

async function begunOf(job: Job, { store }: Ports): Promise<Versioned<StoredDecision> | undefined> {
  const other = job.onRemoved === 'keep' ? 'next-best' : 'keep';
  const begun = await store.decisions.get(decisionKey(job.access, job.selection, other));
  if (begun === undefined) return undefined;
  const { missing, ...decision } = begun.value;
  // What was counted under the other setting is no proof under this one.
  const counted = missing === undefined ? {} : { missing: { ...missing, times: 0 } };
  // A conflict means that another process was quicker; either way there is one now.
  const version = await store.decisions.put(job.key, { ...decision, ...counted }, null);
  if (version !== undefined)
    job.steps?.push(`${decision.tag} was decided for the same policy with on-removed ${other}`);
  return store.decisions.get(job.key);
}
