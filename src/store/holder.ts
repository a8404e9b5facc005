import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { startTimeOf } from '../render/start-time.ts';

// Who holds a lease: `<space> <pid> <start time>`, and more that nobody reads. A space is where pids mean the same: a
// host's boot and a pid namespace. Containers that share a store have spaces of their own.

/** This process as a holder. */
export function ownHolder(): string {
  return `${ownSpace()} ${process.pid} ${startTimeOf('self') ?? ''}`;
}

/** Whether a holder has provably ended. Of one in another space nothing is known. */
export function isGone(holder: string): boolean {
  const [space, pid, start] = holder.split(' ');
  if (pid === undefined || !start || space !== ownSpace() || space === UNKNOWN) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return true;
  }
  // The pid may be another's by now. One that is hidden (hidepid) is there, and nothing is known of it.
  const now = startTimeOf(pid);
  return now !== undefined && now !== start;
}

const UNKNOWN = '?';

function ownSpace(): string {
  try {
    // A /proc of another namespace (mounted from the host, say) would tell of other processes under our numbers.
    if (readlinkSync('/proc/self') !== String(process.pid)) return UNKNOWN;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${hostname()}/${boot}/${readlinkSync('/proc/self/ns/pid')}`.replaceAll(' ', '_');
  } catch {
    return UNKNOWN;
  }
}
