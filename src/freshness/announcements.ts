import type { Registrations } from '../registrations/registration.ts';
import type { Ask } from '../resolve/resolver.ts';
import type { DecisionMove } from '../store/observed-store.ts';
import type { Decision, DecisionKey } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { MoveCause, Moved } from './freshness.ts';
import type { Followed } from './target.ts';
import type { WatchList } from './watch-list.ts';

export interface AnnouncementsOptions {
  readonly registrations: Registrations;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Tells whom it concerns that there is something new for them. */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  readonly #list: WatchList;
  readonly #moved = new Set<(moved: Moved) => void>();
  readonly #recovered = new Set<(applications: readonly string[]) => void>();
  /** Keys whose decision moved in a work that is not over yet. */
  readonly #justMoved = new Set<DecisionKey>();

  constructor(options: AnnouncementsOptions, list: WatchList) {
    this.#options = options;
    this.#list = list;
  }

  onMoved(listener: (moved: Moved) => void): () => void {
    this.#moved.add(listener);
    return () => this.#moved.delete(listener);
  }

  onRecovered(listener: (applications: readonly string[]) => void): () => void {
    this.#recovered.add(listener);
    return () => this.#recovered.delete(listener);
  }

  moved(move: DecisionMove, cause: MoveCause): void {
    const { log, metrics } = this.#options;
    this.#justMoved.add(move.key);
    const followed = this.#list.decision(move.key);
    const applications = new Set<string>();
    if (followed !== undefined) {
      followed.decided = true;
      for (const { application } of followed.uses) applications.add(application);
      const from = move.from === undefined ? {} : { from: text(move.from) };
      const repository = followed.access.repository.name;
      log.info('decision-moved', { repository, ...from, to: text(move.to), cause, applications: applications.size });
    }
    metrics.decisionMoved(cause === 'user' ? 'poll' : cause);
    for (const listener of this.#moved) listener({ move, cause, applications: [...applications] });
  }

  /** Whether a work that is over now moved the decision. Answers once. */
  hasMoved(key: DecisionKey): boolean {
    return this.#justMoved.delete(key);
  }

  /** There is an image: who was given an error for it may ask again. */
  settled({ uses }: Followed): void {
    const applications = new Set<string>();
    for (const { application, ask } of uses) {
      if (!applications.has(application) && this.failedAsks(application).has(ask)) applications.add(application);
    }
    if (applications.size > 0) this.recovered([...applications]);
  }

  recovered(applications: readonly string[]): void {
    for (const listener of this.#recovered) listener(applications);
  }

  /** What an application was given an error for. Two of its sources may give one image different policies. */
  failedAsks(application: string): ReadonlySet<Ask> {
    const failed = this.#options.registrations
      .of(application)
      .flatMap(({ answers }) => answers.filter(({ given }) => given.kind === 'error').map(({ ask }) => ask));
    return new Set(failed);
  }
}

function text({ tag, digest }: Decision): string {
  return digest === undefined ? tag : `${tag}@${digest}`;
}
