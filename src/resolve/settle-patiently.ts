import { deadlineOf } from '../registry/time.ts';
import { rest } from './deadline.ts';
import type { Job, Ports, Settled } from './job.ts';
import { settle } from './settle.ts';

/** The longest pause that is waited out. The registry client's own, after a host could not be reached, are shorter. */
const WAIT_OUT_MS = 5_000;

/**
 * As {@link settle}; and a first resolution that met a pause (the host could not be reached a moment ago, or throttles) waits
 * it out and asks once more, when that fits into its time. Who has a decision never waits for that.
 */
export async function settlePatiently(job: Job, ports: Ports, signal: AbortSignal): Promise<Settled> {
  const settled = await settle(job, ports, signal);
  if (settled.kind !== 'fault' || settled.fault.resting !== true || settled.previous !== undefined) return settled;
  const leftMs = settled.fault.retryAfterMs ?? 0;
  if (leftMs <= 0 || leftMs > WAIT_OUT_MS || ports.now() + leftMs >= deadlineOf(signal)) return settled;
  job.steps?.push('waited until the registry may be asked again');
  await rest(leftMs, ports, signal);
  // The fault that it met is over: only one from now on is an answer.
  return signal.aborted ? settled : settle({ ...job, startedAt: ports.now() }, ports, signal);
}
