import type { Digest, Tag } from '../image/reference.ts';
import type { BuildFact, Fault } from '../registry/sources.ts';
import { isSince } from '../store/freshness.ts';
import type { KeptBuild, SeenDigest } from '../store/store.ts';
import type { Candidate, Rejected, Selector } from '../strategy/strategy.ts';
import { inParallel } from './concurrency.ts';
import type { Job, Ports } from './job.ts';
import { platformsKey } from './keys.ts';

/** Up to this many candidates are all asked for at every listing, because tags are pushed again. */
const ASK_ALL_UP_TO = 20;

/** Candidates with their dates; or, when one that could win could not be read, why not. Never a part. */
export type Dated =
  | { readonly kind: 'dated'; readonly candidates: readonly Candidate[]; readonly rejected: readonly Rejected[] }
  | { readonly kind: 'unreadable'; readonly fault: Fault; readonly unread: readonly Tag[] };

interface TagFacts {
  readonly head: SeenDigest;
  readonly build?: KeptBuild;
}

/**
 * The build dates of the candidates of one listing. Dates are kept by digest as they arrive, so that a call that runs out
 * of time gets further next time. New tags are always read; known ones are asked again (HEAD) when there are few, else the
 * winner alone, and so on until the winner is one that was asked since the listing.
 *
 * @param listedAt when the listing was fetched: digests seen since then are not asked for again.
 */
export async function dateCandidates(
  job: Job,
  tags: readonly Tag[],
  selector: Pick<Selector, 'rank'>,
  listedAt: number,
  ports: Ports,
  signal: AbortSignal,
): Promise<Dated> {
  const reader = new FactReader(job, ports, signal);
  await reader.load();
  const isOld = (tag: Tag): boolean => !reader.wasSeenSince(tag, listedAt);
  await reader.readAll(tags.filter((tag) => !reader.knows(tag) || (tags.length <= ASK_ALL_UP_TO && isOld(tag))));
  for (;;) {
    const dated = reader.result(tags);
    if (dated.kind === 'unreadable') return dated;
    const best = selector.rank(dated.candidates).best?.tag;
    if (best === undefined || !isOld(best)) return dated;
    await reader.readAll([best]);
  }
}

/** What is known of tags, in the store and from the registry. */
class FactReader {
  readonly #job: Job;
  readonly #ports: Ports;
  readonly #signal: AbortSignal;
  readonly #platforms: string;
  readonly #facts = new Map<string, TagFacts>();
  readonly #asked = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #faults = new Map<string, Fault>();

  constructor(job: Job, ports: Ports, signal: AbortSignal) {
    this.#job = job;
    this.#ports = ports;
    this.#signal = signal;
    this.#platforms = platformsKey(job.selection.platforms);
  }

  async load(): Promise<void> {
    for (const [tag, facts] of await this.#ports.store.facts.all(this.#job.listing, this.#platforms)) {
      this.#facts.set(tag, facts);
    }
  }

  knows(tag: Tag): boolean {
    return this.#facts.get(tag)?.build !== undefined;
  }

  /** Asked in this call, or by somebody else since then. */
  wasSeenSince(tag: Tag, since: number): boolean {
    const seenAt = this.#facts.get(tag)?.head.seenAt;
    return this.#asked.has(tag) || (seenAt !== undefined && isSince(seenAt, since, this.#ports.now()));
  }

  async readAll(tags: readonly Tag[]): Promise<void> {
    if (tags.length > 1) this.#job.steps?.push(`asked for the images behind ${tags.length} tags`);
    let hopeless = false;
    await inParallel(tags, this.#job.access.endpoint.concurrency, async (tag) => {
      // After an outage the rest would only fail the same way, each in its own time.
      if (hopeless) return;
      this.#asked.add(tag);
      const fault = await this.#read(tag);
      if (fault === undefined) return;
      this.#faults.set(tag, fault);
      hopeless = fault.kind !== 'missing' && fault.kind !== 'refused';
    });
  }

  /** Candidates of these tags, or the tags that lack a fact. */
  result(tags: readonly Tag[]): Dated {
    const candidates: Candidate[] = [];
    const rejected: Rejected[] = [];
    const unread: Tag[] = [];
    for (const tag of tags) {
      const facts = this.#facts.get(tag);
      if (this.#gone.has(tag)) rejected.push({ tag, rule: 'listed, but the registry has no manifest of it' });
      else if (facts?.build === undefined || this.#faults.has(tag)) unread.push(tag);
      else if (facts.build.kind === 'built') {
        candidates.push({ tag, digest: facts.head.digest, createdMs: facts.build.createdMs });
      } else rejected.push({ tag, rule: RULES[facts.build.kind] });
    }
    if (unread.length === 0) return { kind: 'dated', candidates, rejected };
    // The first by the list, not by time: many fail at once, and equal faults give equal text.
    const fault = tags.map((tag) => this.#faults.get(tag)).find((one) => one !== undefined);
    if (fault === undefined) throw new Error('a tag was neither read nor failed');
    return { kind: 'unreadable', fault, unread };
  }

  /** Reads what is new of a tag; the fault, when that was not possible. */
  async #read(tag: Tag): Promise<Fault | undefined> {
    const { access, selection } = this.#job;
    const client = await this.#ports.registry();
    const seenAt = this.#ports.now();
    if (!this.#facts.has(tag)) {
      const { head, built } = await client.inspect(access, tag, selection.platforms, this.#signal);
      if (head.kind === 'failed') return this.#goneOr(tag, head.fault);
      return this.#keep(tag, { digest: head.digest, seenAt }, built);
    }
    const head = await client.head(access, tag, this.#signal);
    if (head.kind === 'failed') return this.#goneOr(tag, head.fault);
    return this.#keep(tag, { digest: head.digest, seenAt }, undefined);
  }

  /** A manifest that is not there is an answer: the tag can't be pulled, so it can't be chosen. */
  #goneOr(tag: Tag, fault: Fault): Fault | undefined {
    if (fault.kind !== 'missing') return fault;
    this.#gone.add(tag);
    return undefined;
  }

  async #keep(tag: Tag, head: SeenDigest, fact: BuildFact | undefined): Promise<Fault | undefined> {
    const { facts } = this.#ports.store;
    await facts.putHead(this.#job.listing, tag, head);
    const build = await this.#buildOf(head.digest, fact);
    if (build.kind === 'failed') {
      this.#facts.set(tag, { head });
      return build.fault;
    }
    this.#facts.set(tag, { head, build });
    return undefined;
  }

  async #buildOf(digest: Digest, fact: BuildFact | undefined): Promise<BuildFact> {
    const { access, listing, selection } = this.#job;
    const { facts } = this.#ports.store;
    if (fact === undefined) {
      const known = await facts.build(listing, digest, this.#platforms);
      if (known !== undefined) return known;
    }
    const client = await this.#ports.registry();
    const build = fact ?? (await client.built(access, digest, selection.platforms, this.#signal));
    if (build.kind !== 'failed') await facts.putBuild(listing, digest, this.#platforms, build);
    return build;
  }
}

const RULES: Readonly<Record<'no-platform' | 'undated', string>> = {
  'no-platform': 'no image for the wanted platforms',
  undated: 'no readable build date',
};

/** registries.conf `tagsortmode`: the list's order stands for dates, and nothing is asked. */
export function dateByOrder(
  tags: readonly Tag[],
  listed: readonly Tag[],
  mode: 'latest-first' | 'latest-last',
): readonly Candidate[] {
  const position = new Map(listed.map((tag, index) => [tag, index]));
  const sign = mode === 'latest-first' ? -1 : 1;
  return tags.map((tag) => ({ tag, createdMs: sign * (position.get(tag) ?? 0) }));
}
