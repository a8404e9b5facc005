/** The outcome of one attempt at a registry: an HTTP status, or the code of the fault. */
export type RequestOutcome = number | string;

/**
 * What the controller counts. Labels are registry hosts that the operator configured (others count as `other`), closed sets
 * of words, and AppProjects nowhere: no text of a tenant ever becomes a label.
 */
export interface Metrics {
  /** One attempt; `bytes` is the size of the answer's body as it came. */
  registryRequest(host: string, outcome: RequestOutcome, seconds: number, bytes: number): void;
  /** `unchanged`: the registry confirmed the last one (304). `tags`: how many there are; not looked at when it failed. */
  listing(host: string, outcome: 'complete' | 'unchanged' | 'failed', tags: number): void;
  /** One request of a sidecar: what became of it, and how long it took. */
  resolveRequest(
    outcome: 'answered' | 'refused' | 'invalid' | 'unauthorized' | 'overloaded' | 'failed',
    seconds: number,
  ): void;
  decisionMoved(cause: 'poll' | 'webhook' | 'first'): void;
  /** From the listing that showed it to the rendering that acknowledged it. */
  rolledOut(seconds: number): void;
  refresh(event: 'asked' | 'confirmed' | 'retried' | 'failed' | 'dropped'): void;
  fullSync(event: 'started' | 'held' | 'failed'): void;
  /** An Event on an Application; `dropped`: there were too many at once. */
  applicationEvent(result: 'written' | 'failed' | 'dropped'): void;
  /** `type` as in the path; one that is no known type counts as `other`. */
  webhook(
    type: string,
    result: 'accepted' | 'ignored' | 'unauthorized' | 'invalid' | 'unknown' | 'throttled' | 'unavailable',
  ): void;
  /** Says where values of gauges come from; they are asked at each scrape. Of several for one gauge the last is asked. */
  observe(gauges: GaugeSource): void;
  /** Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * What keeps an image from rolling out: automated without selfHeal and the image moved; the last sync failed at this
 * revision; the manifests carry hooks, which Argo CD does not run for an image-only change; what is served is stale; an
 * image cannot be resolved at all.
 */
export type ApplicationCondition = 'self-heal-off' | 'last-sync-failed' | 'hooks' | 'stale' | 'failing';

/** Values that are looked up when metrics are scraped. A gauge that nobody gives is left out. */
export interface GaugeSource {
  /** Each decision is one or the other. */
  decisions?(): { readonly current: number; readonly stale: number };
  registrations?(): number;
  /** By host: seconds since the last complete listing of the repository that waits longest. */
  listingAges?(): ReadonlyMap<string, number>;
  /** By host that is throttled or down: seconds until it is asked again. */
  pausedHosts?(): ReadonlyMap<string, number>;
  refreshQueue?(): {
    readonly waiting: number;
    readonly inFlight: number;
    readonly oldestSeconds: number;
    readonly givenUp: number;
  };
  /** How many Applications are in each of the conditions that people should know of. */
  applicationConditions?(): Readonly<Record<ApplicationCondition, number>>;
  storeBytes?(): number;
  /** False: the store's files cannot be used, what is decided is in memory only and lost at the next start. */
  storePersistent?(): boolean;
  /** False: the operator's files as they are now are not valid, and those before are in force. */
  configurationCurrent?(): boolean;
  kubernetesConnected?(): boolean;
}
