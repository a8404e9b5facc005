import { selectorFor } from '../strategy/from-spec.ts';
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
  const selector = await selectorFor(job.selection, { rejections: true });
  const { kept, rejected } = selector.preselect(tags);
  const known = await candidates(job, kept, tags, ports);
  const ranking = selector.rank(known.candidates);
  const all: readonly Rejected[] = [...rejected, ...known.rejected, ...ranking.rejected];
  return {
    steps: [`the policy is ${selector.label}`, ...new Set(job.steps)],
    considered: tags.length,
    candidates: ranking.ranked.slice(0, EXPLAINED).map(({ tag }) => tag),
    rejected: all.slice(0, EXPLAINED),
    rejectedTotal: all.length,
  };
}

async function listedTags(job: Job, { store }: Ports): Promise<readonly Tag[]> {
  const listing = await store.listings.get(job.listing);
  return listing === undefined ? [] : ((await store.listings.tags(job.listing, listing.fetchedAt)) ?? []);
}

async function candidates(
  job: Job,
  kept: readonly Tag[],
  listed: readonly Tag[],
  { store }: Ports,
): Promise<{ readonly candidates: readonly Candidate[]; readonly rejected: readonly Rejected[] }> {
  if (job.selection.strategy.kind !== 'newest-build') return { candidates: kept.map((tag) => ({ tag })), rejected: [] };
  const order = job.access.endpoint.tagSortMode;
  if (order !== undefined) return { candidates: dateByOrder(kept, listed, order), rejected: [] };
  const facts = await store.facts.all(job.listing, platformsKey(job.selection.platforms));
  const dated: Candidate[] = [];
  const rejected: Rejected[] = [];
  for (const tag of kept) {
    const fact = facts.get(tag);
    if (fact?.build?.kind === 'built') dated.push({ tag, digest: fact.head.digest, createdMs: fact.build.createdMs });
    else rejected.push({ tag, rule: RULES[fact?.build?.kind ?? 'unread'] });
  }
  return { candidates: dated, rejected };
}

const RULES = {
  'no-platform': 'no image for the wanted platforms',
  undated: 'no readable build date',
  unread: 'build date not read',
} as const;
