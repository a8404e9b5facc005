import { Gauge, type Registry } from 'prom-client';
import { listed, OTHER } from './labels.ts';
import type { GaugeSource } from './metrics.ts';

/** A value with its labels. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A gauge whose values are asked for at each scrape. */
interface Definition<K extends keyof GaugeSource> {
  readonly from: K;
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** What the gauge shows of what its source said. */
  samples(value: ReturnType<NonNullable<GaugeSource[K]>>, hosts: ReadonlySet<string>): readonly Sample[];
}

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

/** Keeps the types of one definition together while they stand in one list. */
const define = <K extends keyof GaugeSource>(definition: Definition<K>): Definition<K> => definition;

const DEFINITIONS = [
  define({
    from: 'decisions',
    name: 'image_resolver_decisions',
    help: 'Decisions that are kept, by state: stale ones could not be confirmed in time.',
    labels: ['state'],
    samples: ({ current, stale }) => [
      { labels: { state: 'current' }, value: current },
      { labels: { state: 'stale' }, value: stale },
    ],
  }),
  define({
    from: 'registrations',
    name: 'image_resolver_registrations',
    help: 'Sources of Applications whose images are followed.',
    samples: one,
  }),
  define({
    from: 'listingAges',
    name: 'image_resolver_listing_age_seconds',
    help: 'Time since the last complete listing of the repository that waits longest.',
    labels: ['host'],
    samples: byHost,
  }),
  define({
    from: 'pausedHosts',
    name: 'image_resolver_registry_pause_seconds',
    help: 'Time until a registry that is throttled or down is asked again; no sample when it is not paused.',
    labels: ['host'],
    samples: byHost,
  }),
  define({
    from: 'refreshQueue',
    name: 'image_resolver_refresh_queue_applications',
    help: 'Applications to refresh: waiting for their turn, or asked and not yet confirmed.',
    labels: ['state'],
    samples: ({ waiting, inFlight }) => [
      { labels: { state: 'waiting' }, value: waiting },
      { labels: { state: 'in-flight' }, value: inFlight },
    ],
  }),
  define({
    from: 'refreshQueue',
    name: 'image_resolver_refresh_queue_oldest_seconds',
    help: 'How long the oldest entry of the refresh queue has been there; 0 when it is empty.',
    samples: ({ oldestSeconds }) => one(oldestSeconds),
  }),
  define({
    from: 'refreshQueue',
    name: 'image_resolver_refresh_given_up_applications',
    help: 'Applications that were asked to refresh again and again without effect.',
    samples: ({ givenUp }) => one(givenUp),
  }),
  define({
    from: 'applicationConditions',
    name: 'image_resolver_applications',
    help: 'Applications in a condition that keeps images from rolling out.',
    labels: ['condition'],
    samples: (conditions) => Object.entries(conditions).map(([condition, value]) => ({ labels: { condition }, value })),
  }),
  define({ from: 'storeBytes', name: 'image_resolver_store_size_bytes', help: "Size of the store's files.", samples: one }),
  define({
    from: 'storePersistent',
    name: 'image_resolver_store_persistent',
    help: '1 if what is decided is kept in files, 0 if it is in memory only and the next start loses it.',
    samples: flag,
  }),
  define({
    from: 'configurationCurrent',
    name: 'image_resolver_configuration_current',
    help: "1 if the operator's files as they are now are in force, 0 if they are not valid and those before are.",
    samples: flag,
  }),
  define({
    from: 'kubernetesConnected',
    name: 'image_resolver_kubernetes_connected',
    help: '1 if Applications are followed at the Kubernetes API, 0 if that has failed and is tried again.',
    samples: flag,
  }),
] as const;

/**
 * Registers every gauge of a {@link GaugeSource}. One whose source fails is left out of that scrape and told to `failed`:
 * the others are most needed when something fails.
 */
export function addGauges(
  registry: Registry,
  options: { readonly sources: readonly GaugeSource[]; knownHosts(): ReadonlySet<string>; failed(): void },
): void {
  for (const definition of DEFINITIONS) addGauge(registry, definition as Definition<keyof GaugeSource>, options);
}

function addGauge<K extends keyof GaugeSource>(
  registry: Registry,
  definition: Definition<K>,
  { sources, knownHosts, failed }: Parameters<typeof addGauges>[1],
): void {
  const { from, name, help, labels = [], samples } = definition;
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect: () => {
      // With the last value of what is gone (a host, a source) an alert would never end.
      gauge.remove();
      gauge.reset();
      if (labels.length === 0) gauge.remove();
      try {
        const source = sources.findLast((each) => each[from] !== undefined);
        if (source === undefined) return;
        const value = (source[from] as () => Parameters<typeof samples>[0])();
        for (const sample of samples(value, knownHosts())) gauge.set({ ...sample.labels }, sample.value);
      } catch {
        failed();
      }
    },
  });
}

export { OTHER };
