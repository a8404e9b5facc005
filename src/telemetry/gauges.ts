import { Gauge, type Registry } from 'prom-client';
import { listed } from './labels.ts';
import type { ApplicationCondition, GaugeSource } from './metrics.ts';

/** A value with its labels. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge whose values are asked for at each scrape. */
interface Definition {
  /** The function of a source that it needs. */
  readonly from: keyof GaugeSource;
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** What it shows of a source that has that function. */
  readonly samples: (source: GaugeSource, hosts: ReadonlySet<string>) => readonly Sample[];
}

function samplesOf<T>(value: T | undefined, samples: (value: T) => readonly Sample[]): readonly Sample[] {
  return value === undefined ? [] : samples(value);
}

const CONDITIONS: readonly ApplicationCondition[] = ['self-heal-off', 'last-sync-failed', 'hooks', 'stale', 'failing'];

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];
const flag = (value: boolean): readonly Sample[] => one(value ? 1 : 0);

/** Of the hosts that have no name of their own, the worst one counts. */
function byHost(values: ReadonlyMap<string, number>, hosts: ReadonlySet<string>): readonly Sample[] {
  const worst = new Map<string, number>();
  for (const [host, value] of values) {
    const label = listed(host, hosts);
    worst.set(label, Math.max(value, worst.get(label) ?? value));
  }
  return [...worst].map(([host, value]) => ({ labels: { host }, value }));
}

const DEFINITIONS: readonly Definition[] = [
  {
    from: 'decisions',
    name: 'image_resolver_decisions',
    help: 'Decisions that are kept, by state: stale ones could not be confirmed in time.',
    labels: ['state'],
    samples: (source) =>
      samplesOf(source.decisions?.(), ({ current, stale }) => [
        { labels: { state: 'current' }, value: current },
        { labels: { state: 'stale' }, value: stale },
      ]),
  },
  {
    from: 'registrations',
    name: 'image_resolver_registrations',
    help: 'Sources of Applications whose images are followed.',
    samples: (source) => samplesOf(source.registrations?.(), one),
  },
  {
    from: 'listingAges',
    name: 'image_resolver_listing_age_seconds',
    help: 'Time since the last complete listing of the repository that waits longest.',
    labels: ['host'],
    samples: (source, hosts) => samplesOf(source.listingAges?.(), (values) => byHost(values, hosts)),
  },
  {
    from: 'pausedHosts',
    name: 'image_resolver_registry_pause_seconds',
    help: 'Time until a registry that is throttled or down is asked again; no sample when it is not paused.',
    labels: ['host'],
    samples: (source, hosts) => samplesOf(source.pausedHosts?.(), (values) => byHost(values, hosts)),
  },
  {
    from: 'refreshQueue',
    name: 'image_resolver_refresh_queue_applications',
    help: 'Applications to refresh: waiting for their turn, or asked and not yet confirmed.',
    labels: ['state'],
    samples: (source) =>
      samplesOf(source.refreshQueue?.(), ({ waiting, inFlight }) => [
        { labels: { state: 'waiting' }, value: waiting },
        { labels: { state: 'in-flight' }, value: inFlight },
      ]),
  },
  {
    from: 'refreshQueue',
    name: 'image_resolver_refresh_queue_oldest_seconds',
    help: 'How long the oldest entry of the refresh queue has been there; 0 when it is empty.',
    samples: (source) => samplesOf(source.refreshQueue?.(), ({ oldestSeconds }) => one(oldestSeconds)),
  },
  {
    from: 'refreshQueue',
    name: 'image_resolver_refresh_given_up_applications',
    help: 'Applications that were asked to refresh again and again without effect.',
    samples: (source) => samplesOf(source.refreshQueue?.(), ({ givenUp }) => one(givenUp)),
  },
  {
    from: 'applicationConditions',
    name: 'image_resolver_applications',
    help: 'Applications in a condition that keeps images from rolling out.',
    labels: ['condition'],
    samples: (source) =>
      samplesOf(source.applicationConditions?.(), (conditions) =>
        CONDITIONS.map((condition) => ({ labels: { condition }, value: conditions[condition] })),
      ),
  },
  {
    from: 'storeBytes',
    name: 'image_resolver_store_size_bytes',
    help: "Size of the store's files.",
    samples: (source) => samplesOf(source.storeBytes?.(), one),
  },
  {
    from: 'storePersistent',
    name: 'image_resolver_store_persistent',
    help: '1 if what is decided is kept in files, 0 if it is in memory only and the next start loses it.',
    samples: (source) => samplesOf(source.storePersistent?.(), flag),
  },
  {
    from: 'configurationCurrent',
    name: 'image_resolver_configuration_current',
    help: "1 if the operator's files as they are now are in force, 0 if they are not valid and those before are.",
    samples: (source) => samplesOf(source.configurationCurrent?.(), flag),
  },
  {
    from: 'kubernetesConnected',
    name: 'image_resolver_kubernetes_connected',
    help: '1 if Applications are followed at the Kubernetes API, 0 if that has failed and is tried again.',
    samples: (source) => samplesOf(source.kubernetesConnected?.(), flag),
  },
];

export interface GaugeOptions {
  /** Read at each scrape; of several for one gauge the last is asked. */
  readonly sources: readonly GaugeSource[];
  readonly knownHosts: () => ReadonlySet<string>;
  readonly failed: () => void;
}

/**
 * Registers every gauge of a {@link GaugeSource}. One whose source fails is left out of that scrape and told to `failed`:
 * the others are most needed when something fails.
 */
export function addGauges(registry: Registry, options: GaugeOptions): void {
  for (const definition of DEFINITIONS) addGauge(registry, definition, options);
}

function addGauge(
  registry: Registry,
  { from, name, help, labels = [], samples }: Definition,
  { sources, knownHosts, failed }: GaugeOptions,
): void {
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect: () => {
      // What is gone (a host, a source) must not stay with its last value: an alert would never end.
      gauge.reset();
      if (labels.length === 0) gauge.remove();
      try {
        const source = sources.findLast((each) => each[from] !== undefined);
        if (source === undefined) return;
        for (const sample of samples(source, knownHosts())) gauge.set({ ...sample.labels }, sample.value);
      } catch {
        failed();
      }
    },
  });
}
