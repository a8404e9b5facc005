import type { Application } from '../applications/application.ts';
import type { Kubernetes } from '../kubernetes/kubernetes.ts';
import type { Store } from '../store/store.ts';
import type { GaugeSource, Metrics } from '../telemetry/metrics.ts';
import { KeptApplications } from './kept-application.ts';
import { RefreshQueue, type RefreshQueueParts } from './refresh-queue.ts';
import type { ApplicationCondition, Refresher } from './refresher.ts';
import { RollOuts } from './roll-outs.ts';

export interface RefresherParts extends RefreshQueueParts {
  readonly store: Pick<Store, 'documents'>;
  readonly kubernetes: Pick<Kubernetes, 'get' | 'patch'>;
  /** Whether the sync windows of its AppProject let an automated sync begin now. */
  readonly syncWindowAllows: (application: Application) => 'allowed' | 'blocked';
  readonly metrics: Pick<Metrics, 'refresh' | 'rolledOut' | 'fullSync'>;
}

/** A {@link Refresher} with what `metrics.observe` asks. */
export interface ObservedRefresher extends Refresher {
  readonly gauges: Required<Pick<GaugeSource, 'refreshQueue'>>;
}

/** Takes up what an earlier process kept. */
export async function createRefresher(parts: RefresherParts): Promise<ObservedRefresher> {
  const kept = await KeptApplications.open(parts.store, parts.log);
  const rollOuts = new RollOuts(parts, kept);
  const queue = new RefreshQueue(parts, kept, rollOuts);
  return {
    check: (applications, cause, movedAt) => queue.check(applications, cause, movedAt),
    async run(signal) {
      await Promise.all([queue.run(signal), rollOuts.run(signal)]);
    },
    stateOf(application) {
      const state = queue.stateOf(application);
      const why = rollOuts.why(application);
      return state.kind === 'idle' && why !== undefined ? { ...state, why } : state;
    },
    conditionsOf: (application) => new Set<ApplicationCondition>(rollOuts.blocked(application)),
    conditionCounts: () => rollOuts.blockedCounts(),
    gauges: { refreshQueue: () => queue.numbers() },
  };
}
