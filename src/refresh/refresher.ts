/** Why an application is looked at; the first is the most urgent. */
export type RefreshCause = 'webhook' | 'user' | 'first' | 'poll' | 'start' | 'cached-manifest' | 'unknown';

/** How refreshing an application stands. For `status`. Times are milliseconds since the epoch. */
export interface RefreshState {
  readonly kind: 'idle' | 'waiting' | 'asked' | 'given-up';
  readonly since?: number;
  readonly attempts: number;
  /** Why it waits or was given up: a sentence. */
  readonly why?: string;
}

/** What people should know of an application, because Argo CD will not simply roll its images out. */
export type ApplicationCondition = 'self-heal-off' | 'last-sync-failed' | 'hooks' | 'stale' | 'failing';

/** Refreshes exactly the applications whose images changed, until that is known to have worked. */
export interface Refresher {
  /**
   * These applications (instance names) may have to be rendered again: each is compared first.
   *
   * @param movedAt when the decision moved, milliseconds since the epoch: the time from then to its rendering is measured.
   */
  check(applications: Iterable<string>, cause: RefreshCause, movedAt?: number): void;
  /** Works until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  stateOf(application: string): RefreshState;
  conditionsOf(application: string): ReadonlySet<ApplicationCondition>;
  /** How many applications are in each of the conditions that {@link conditionsOf} tells, now; cheap. */
  conditionCounts(): Readonly<Partial<Record<ApplicationCondition, number>>>;
}
