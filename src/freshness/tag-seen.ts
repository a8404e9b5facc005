import type { Tag } from '../image/reference.ts';
import type { Store } from '../store/store.ts';
import type { TagSeen, Target } from './target.ts';

/** What the store holds of a tag. */
export async function tagSeen(target: Target, tag: Tag, store: Store): Promise<TagSeen> {
  const digest = (await store.facts.head(target.listing, tag))?.digest;
  if (target.tag !== undefined) return { listed: true, digest };
  const listing = await store.listings.get(target.listing);
  const tags = listing === undefined ? undefined : await store.listings.tags(target.listing, listing.fetchedAt);
  return { listed: tags?.includes(tag) === true, digest };
}

/** Whether a look showed what a hint said. A list may lag behind the event that tells of it. */
export async function isShown(target: Target, tag: Tag, before: TagSeen, store: Store): Promise<boolean> {
  const after = await tagSeen(target, tag, store);
  if (!after.listed) return false;
  if (!before.listed) return true;
  if (after.digest !== before.digest) return true;
  return !(await dependsOnDigest(target, tag, store));
}

/** Whether it matters what a tag that is listed already points at. */
async function dependsOnDigest(target: Target, tag: Tag, store: Store): Promise<boolean> {
  if (target.tag !== undefined) return true;
  for (const { key, selection, uses } of target.decisions.values()) {
    if (selection.strategy.kind === 'newest-build') return true;
    const wantsDigest = [...uses].some((use) => use.wantsDigest);
    if (wantsDigest && (await store.decisions.get(key))?.value.tag === tag) return true;
  }
  return false;
}
