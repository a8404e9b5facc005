import { rankerFor } from '../strategy/by-name.ts';
import type { Candidate, Rejected } from '../strategy/strategy.ts';
import type { Tag } from '../image/reference.ts';
import { dateByOrder } from './build-dates.ts';
import type { Job, Ports } from './job.ts';
import { platformsKey } from './keys.ts';
import type { Explanation } from './resolver.ts';

/** Rejected tags and candidates that are told; the totals say how many there were. */
const EXPLAINED = 200;

/** What `explain` tells of a job, from what the store holds after it ended. Asks nobody. */
export async function explanationOf(job: Job, ports: Ports): Promise<Explanation> {
  const tags = job.followed === undefined ? await listedTags(job, ports) : [job.followed];
  const names = await ports.selectByName(job, tags, EXPLAINED);
  if (names.kind === 'fault') {
    const steps = [...new Set(job.steps ?? []), `the policy could not be evaluated: ${names.fault.error.what}`];
    return { steps, considered: tags.length, candidates: [], rejected: [], rejectedTotal: 0 };
  }
  const known = await candidates(job, names.tags, tags, ports);
  return {
    steps: [`the policy is ${names.label}`, ...new Set(job.steps ?? [])],
    considered: tags.length,
    candidates: known.candidates.slice(0, EXPLAINED),
    rejected: [...names.rejected, ...known.rejected].slice(0, EXPLAINED),
    rejectedTotal: names.rejectedTotal + known.rejected.length,
  };
}

async function listedTags(job: Job, { store }: Ports): Promise<readonly Tag[]> {
  const listing = await store.listings.get(job.listing);
  return listing === undefined ? [] : ((await store.listings.tags(job.listing, listing.fetchedAt)) ?? []);
}

/** Best first, and what facts rejected. */
async function candidates(
  job: Job,
  kept: readonly Tag[],
  listed: readonly Tag[],
  { store }: Ports,
): Promise<{ readonly candidates: readonly Tag[]; readonly rejected: readonly Rejected[] }> {
  const ranker = await rankerFor(job.selection);
  if (ranker.needs !== 'created') return { candidates: kept, rejected: [] };
  const namesOf = (dated: readonly Candidate[]): readonly Tag[] => ranker.rank(dated).ranked.map(({ tag }) => tag);
  const order = job.access.endpoint.tagSortMode;
  if (order !== undefined) return { candidates: namesOf(dateByOrder(kept, listed, order)), rejected: [] };
  const facts = await store.facts.all(job.listing, platformsKey(job.selection.platforms));
  const dated: Candidate[] = [];
  const rejected: Rejected[] = [];
  for (const tag of kept) {
    const fact = facts.get(tag);
    if (fact?.build?.kind === 'built') dated.push({ tag, digest: fact.head.digest, createdMs: fact.build.createdMs });
    else rejected.push({ tag, rule: RULES[fact?.build?.kind ?? 'unread'] });
  }
  return { candidates: namesOf(dated), rejected };
}

const RULES = {
  'no-platform': 'no image for the wanted platforms',
  undated: 'no readable build date',
  unread: 'build date not read',
} as const;
