import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import type { AccessBroker } from '../registry/access.ts';
import type { Registration } from '../registrations/registration.ts';
import { admit, type Admitted } from '../resolve/admit.ts';
import { headLease, listingLease } from '../resolve/keys.ts';
import type { Ask } from '../resolve/resolver.ts';
import type { DecisionKey } from '../store/store.ts';
import type { Followed, Target, Use } from './target.ts';

/** `0s` means every time somebody asks; who looks by himself needs a time in between. */
const SHORTEST_INTERVAL_MS = 1_000;

export interface Operator {
  readonly configuration: OperatorConfiguration;
  readonly broker: AccessBroker;
}

interface Held {
  /** Of each registration. */
  readonly answers: readonly Registration['answers'][];
  readonly asks: ReadonlySet<Ask>;
  readonly project: string | undefined;
  readonly uses: readonly Use[];
}

/**
 * What has to be looked at, and for whom: made from registrations by the same rules as requests are. It changes by what
 * changes; nothing is worked out anew for a look.
 */
export class WatchList {
  readonly #operator: () => Operator;
  readonly #held = new Map<string, Held>();
  readonly #targets = new Map<string, Target>();
  readonly #decisions = new Map<DecisionKey, Followed>();
  readonly #byRepository = new Map<string, Set<Target>>();
  /** Told of decisions that nobody followed before. */
  readonly #added: (followed: Followed) => void;

  constructor(operator: () => Operator, added: (followed: Followed) => void) {
    this.#operator = operator;
    this.#added = added;
  }

  targets(): Iterable<Target> {
    return this.#targets.values();
  }

  decisions(): Iterable<Followed> {
    return this.#decisions.values();
  }

  decision(key: DecisionKey): Followed | undefined {
    return this.#decisions.get(key);
  }

  usesOf(application: string): readonly Use[] {
    return this.#held.get(application)?.uses ?? [];
  }

  ofRepository(name: string): ReadonlySet<Target> {
    return this.#byRepository.get(name) ?? new Set();
  }

  /**
   * Takes over what an application uses now; false: it is what it was.
   *
   * @param options.anew the operator may have changed something.
   */
  put(
    application: string,
    registrations: readonly Registration[],
    { anew = false }: { readonly anew?: boolean } = {},
  ): boolean {
    const project = registrations[0]?.project;
    const before = this.#held.get(application);
    const known = anew || before?.project !== project ? undefined : before;
    const answers = registrations.map((registration) => registration.answers);
    // What is registered again unchanged is the same list, so that most generations change nothing here.
    if (known !== undefined && sameItems(known.answers, answers)) return false;
    const asks = new Set(answers.flatMap((list) => list.map(({ ask }) => ask)));
    // Equal asks are one object.
    const isUnchanged = known !== undefined && sameSet(known.asks, asks);
    const uses = isUnchanged ? known.uses : registrations.flatMap((registration) => this.#usesOf(registration));
    if (registrations.length === 0) this.#held.delete(application);
    else this.#held.set(application, { answers, asks, project, uses });
    if (isUnchanged) return false;
    for (const use of before?.uses ?? []) this.#leave(use);
    return true;
  }

  /** Lets go of a target (or decisions of it) that nobody uses. Answers whether it is gone. */
  dropUnused(target: Target): boolean {
    for (const followed of target.decisions.values()) {
      if (followed.uses.size > 0) continue;
      target.decisions.delete(followed.key);
      this.#decisions.delete(followed.key);
    }
    if (target.decisions.size > 0) {
      target.intervalMs = intervalOf(target);
      return false;
    }
    this.#targets.delete(target.id);
    for (const name of target.repositories) {
      const targets = this.#byRepository.get(name);
      targets?.delete(target);
      if (targets?.size === 0) this.#byRepository.delete(name);
    }
    return true;
  }

  #usesOf({ application, project, answers }: Registration): readonly Use[] {
    const who = { application, ...(project === undefined ? {} : { project }) };
    return answers.flatMap(({ ask }) => {
      const admission = admit(ask, who, this.#operator());
      if (admission.kind !== 'admitted') return [];
      const { admitted } = admission;
      const followed = this.#followed(admitted);
      const { wantsDigest } = admitted;
      const intervalMs = Math.max(admitted.intervalMs, SHORTEST_INTERVAL_MS);
      const use: Use = { ...who, ask, wantsDigest, intervalMs, followed };
      followed.uses.add(use);
      followed.target.intervalMs = Math.min(followed.target.intervalMs, intervalMs);
      this.#nameTarget(followed.target, ask.repository.name);
      return [use];
    });
  }

  #followed(admitted: Admitted): Followed {
    const target = this.#target(admitted);
    const known = this.#decisions.get(admitted.key);
    if (known !== undefined) {
      known.access = admitted.access;
      return known;
    }
    const { key, access, selection, ask } = admitted;
    const followed: Followed = {
      key,
      target,
      access,
      selection,
      onRemoved: ask.onRemoved,
      uses: new Set(),
      decided: false,
    };
    this.#decisions.set(key, followed);
    target.decisions.set(key, followed);
    this.#added(followed);
    return followed;
  }

  #target({ access, listing, followed: tag }: Admitted): Target {
    const id = tag === undefined ? listingLease(listing) : headLease(listing, tag);
    const known = this.#targets.get(id);
    if (known !== undefined) {
      // The operator may have changed what is in no key: limits, the secret behind a name.
      known.access = access;
      return known;
    }
    const target: Target = {
      id,
      listing,
      ...(tag === undefined ? {} : { tag }),
      access,
      repositories: new Set(),
      decisions: new Map(),
      intervalMs: Infinity,
      looking: false,
      failures: 0,
      awaited: new Map(),
    };
    this.#targets.set(id, target);
    this.#nameTarget(target, access.repository.name);
    return target;
  }

  #nameTarget(target: Target, name: string): void {
    if (target.repositories.has(name)) return;
    target.repositories.add(name);
    const targets = this.#byRepository.get(name) ?? new Set<Target>();
    targets.add(target);
    this.#byRepository.set(name, targets);
  }

  /** The target stays until its next look: who uses it is often back at once, with the next query of a generation. */
  #leave(use: Use): void {
    use.followed.uses.delete(use);
  }
}

function intervalOf(target: Target): number {
  let shortest = Infinity;
  for (const { uses } of target.decisions.values()) {
    for (const { intervalMs } of uses) shortest = Math.min(shortest, intervalMs);
  }
  return shortest;
}

function sameItems<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

function sameSet<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): boolean {
  if (one.size !== other.size) return false;
  for (const item of one) if (!other.has(item)) return false;
  return true;
}
