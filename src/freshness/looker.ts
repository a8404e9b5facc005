import type { Applications } from '../applications/application.ts';
import type { Tag } from '../image/reference.ts';
import type { Fault } from '../registry/sources.ts';
import { startDeadline } from '../resolve/deadline.ts';
import { headOf } from '../resolve/evaluate.ts';
import type { Job, Ports } from '../resolve/job.ts';
import { settle } from '../resolve/settle.ts';
import { isOfPolicy, troubleOf } from '../resolve/trouble.ts';
import type { Store, StoredDecision } from '../store/store.ts';
import type { Announcements } from './announcements.ts';
import { runningDecision } from './running-image.ts';
import { failingOf, followedOf, type Followed, type Target } from './target.ts';

/** How long one decision may take, in milliseconds. */
export const PATIENCE_MS = 60_000;
/** Up to this many candidates newest-build asks for all of them anyway. */
const ALL_ARE_ASKED_UP_TO = 20;
/** Applications whose running images are looked at for a first decision. */
const APPLICATIONS_FOR_FLOOR = 20;

/** How one look ended. */
export interface Looked {
  /** What concerns the whole target. What concerns one decision is kept with that one. */
  readonly fault?: Fault;
  /** The listing (or digest) itself was read. */
  readonly complete: boolean;
}

/** Looks at one target. */
export class Looker {
  readonly #applications: Applications;
  readonly #announcements: Announcements;

  constructor(applications: Applications, announcements: Announcements) {
    this.#applications = applications;
    this.#announcements = announcements;
  }

  /**
   * One listing for all decisions from it: the first that is settled makes it, the others find it.
   *
   * @param hinted tags that somebody says were pushed.
   */
  async look(target: Target, hinted: ReadonlySet<Tag>, ports: Ports, stop: AbortSignal): Promise<Looked> {
    const begunAt = ports.now();
    let fault: Fault | undefined;
    let complete = false;
    for (const followed of inOrder(target)) {
      if (stop.aborted) break;
      const job = await this.#withFloor(jobOf(followed, begunAt), followed, ports);
      // Who has a decision is as patient as the job says; who has none, as long as the signal lets it.
      using deadline = followed.decided ? undefined : startDeadline(PATIENCE_MS, ports, stop);
      const signal = deadline?.signal ?? stop;
      await askHinted(job, hinted, ports, signal);
      const settled = await settle(job, ports, signal);
      const moved = this.#announcements.hasMoved(followed.key);
      complete ||= (await readAt(job, ports.store)) >= begunAt;
      if (settled.kind === 'fault') {
        if (concernsAll(settled.fault, complete)) {
          fault = settled.fault;
          break;
        }
        followed.failing = { since: followed.failing?.since ?? ports.now(), fault: settled.fault };
        continue;
      }
      const wasFailing = failingOf(followed) !== undefined;
      delete followed.failing;
      followed.decided = settled.kind === 'decided';
      if (followed.decided && wasFailing && !moved) this.#announcements.settled(followed);
    }
    return { complete, ...(fault === undefined ? {} : { fault }) };
  }

  /** The best that these applications run already and that satisfies the job's policy. */
  async running(job: Job, applications: Iterable<string>, ports: Ports): Promise<StoredDecision | undefined> {
    const images: string[] = [];
    for (const name of applications) images.push(...(this.#applications.byInstanceName(name)?.liveImages ?? []));
    return images.length === 0 ? undefined : runningDecision(job, images, ports);
  }

  async #withFloor(job: Job, followed: Followed, ports: Ports): Promise<Job> {
    if (followed.decided) return job;
    const applications = new Set<string>();
    for (const { application } of followed.uses) {
      if (applications.add(application).size >= APPLICATIONS_FOR_FLOOR) break;
    }
    const floor = await this.running(job, applications, ports);
    return floor === undefined ? job : { ...job, floor };
  }
}

/** Whether the other decisions of the target would only fail the same way. */
function concernsAll(fault: Fault, wasRead: boolean): boolean {
  return troubleOf(fault, wasRead) !== undefined || (!wasRead && !isOfPolicy(fault));
}

/** A decision as the resolver is asked for it. Nothing that was learnt before the look began is new enough. */
export function jobOf({ key, target, access, selection, onRemoved, uses }: Followed, startedAt: number): Job {
  let wantsDigest = false;
  for (const use of uses) wantsDigest ||= use.wantsDigest;
  const [first] = uses;
  return {
    key,
    listing: target.listing,
    access,
    selection,
    ...(first?.project === undefined ? {} : { project: first.project }),
    ...followedOf(target),
    onRemoved,
    wantsDigest,
    intervalMs: 0,
    startedAt,
    patienceMs: PATIENCE_MS,
  };
}

/** When the listing, or the digest of a followed tag, was read last; 0: never. */
export async function readAt({ listing, followed }: Pick<Job, 'listing' | 'followed'>, store: Store): Promise<number> {
  if (followed === undefined) return (await store.listings.get(listing))?.fetchedAt ?? 0;
  return (await store.facts.head(listing, followed))?.seenAt ?? 0;
}

/** newest-build asks for few of many tags. One that somebody says was pushed again is one of them. */
async function askHinted(job: Job, hinted: ReadonlySet<Tag>, ports: Ports, signal: AbortSignal): Promise<void> {
  if (hinted.size === 0 || job.selection.strategy.kind !== 'newest-build') return;
  const listing = await ports.store.listings.get(job.listing);
  if (listing === undefined || listing.count <= ALL_ARE_ASKED_UP_TO) return;
  for (const tag of hinted) {
    const head = await headOf(job, tag, ports, signal);
    // Who tells of a push tells of deletions too.
    if (head.kind === 'fault' && head.fault.kind !== 'missing') return;
  }
}

/** What reads names only first: dates may take long to get. */
function inOrder(target: Target): readonly Followed[] {
  const isSlow = ({ selection }: Followed): number => (selection.strategy.kind === 'newest-build' ? 1 : 0);
  return [...target.decisions.values()].sort((a, b) => isSlow(a) - isSlow(b));
}
