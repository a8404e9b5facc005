import { parseReference, type Digest, type Tag } from '../image/reference.ts';
import type { Job, Ports } from '../resolve/job.ts';
import { NEVER_CONFIRMED, type StoredDecision } from '../store/store.ts';

/** Images of one application that are looked at. */
const MAX_IMAGES = 1_000;

/**
 * The best image that runs already and satisfies a job's policy: what is left when the store was lost and the registry is
 * away. For newest-build, whose order is not in the names, only one that is the only one.
 *
 * @param images `status.summary.images` of the applications that ask.
 */
export async function runningDecision(
  job: Job,
  images: Iterable<string>,
  ports: Ports,
): Promise<StoredDecision | undefined> {
  const digests = tagsOf(job, images);
  const tags = [...digests.keys()].filter((tag) => !job.wantsDigest || digests.get(tag) !== undefined);
  if (tags.length === 0) return undefined;
  const names = await ports.selectByName(job, tags, 0);
  if (names.kind === 'fault') return undefined;
  const [best, ...others] = names.tags;
  if (best === undefined || (job.selection.strategy.kind === 'newest-build' && others.length > 0)) return undefined;
  const digest = digests.get(best);
  return {
    tag: best,
    ...(digest === undefined ? {} : { digest }),
    movedAt: ports.now(),
    confirmedAt: NEVER_CONFIRMED,
  };
}

/** Tags of the job's repository with their digests; without one where two disagree. */
function tagsOf(job: Job, images: Iterable<string>): ReadonlyMap<Tag, Digest | undefined> {
  const digests = new Map<Tag, Digest | undefined>();
  let seen = 0;
  for (const image of images) {
    if (++seen > MAX_IMAGES) break;
    const reference = parseReference(image);
    if (!reference.ok || reference.value.repository.name !== job.access.repository.name) continue;
    const { slot, digest } = reference.value;
    if (slot.kind !== 'tag') continue;
    const same = !digests.has(slot.tag) || digests.get(slot.tag) === digest;
    digests.set(slot.tag, same ? digest : undefined);
  }
  return digests;
}
