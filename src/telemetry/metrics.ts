/** The outcome of one attempt at a registry: an HTTP status, or the code of the fault. */
export type RequestOutcome = number | string;

/**
 * What the controller counts. Labels are registry hosts that the operator configured (others count as `other`), closed sets
 * of words, and AppProjects nowhere: no text of a tenant ever becomes a label.
 */
export interface Metrics {
  registryRequest(host: string, outcome: RequestOutcome, seconds: number, bytes: number): void;
  listing(host: string, outcome: 'complete' | 'unchanged' | 'failed', tags: number): void;
  /** Milliseconds since the epoch of the oldest complete listing of that host among those that are polled. */
  resolveRequest(outcome: 'answered' | 'refused' | 'invalid' | 'unauthorized' | 'overloaded' | 'failed', seconds: number): void;
  decisionMoved(cause: 'poll' | 'webhook' | 'first'): void;
  /** From the listing that showed it to the rendering that acknowledged it. */
  rolledOut(seconds: number): void;
  refresh(event: 'asked' | 'confirmed' | 'retried' | 'failed' | 'dropped'): void;
  fullSync(event: 'started' | 'held' | 'failed'): void;
  webhook(type: string, result: 'accepted' | 'ignored' | 'unauthorized' | 'invalid' | 'unknown'): void;
  /** Sets where the values of gauges come from; asked at each scrape. */
  observe(gauges: GaugeSource): void;
  /** Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Values that are looked up when metrics are scraped. */
export interface GaugeSource {
  decisions?(): { readonly current: number; readonly stale: number };
  registrations?(): number;
  /** By host: seconds since the last complete listing of the repository that waits longest. */
  listingAges?(): ReadonlyMap<string, number>;
  /** By host: polling is paused (throttled or down). */
  pausedHosts?(): ReadonlyMap<string, number>;
  refreshQueue?(): { readonly waiting: number; readonly inFlight: number; readonly oldestSeconds: number; readonly givenUp: number };
  /** Applications in a state people should know of. */
  applicationConditions?(): Readonly<Record<'self-heal-off' | 'last-sync-failed' | 'hooks' | 'stale' | 'failing', number>>;
  storeBytes?(): number;
  kubernetesConnected?(): boolean;
}
