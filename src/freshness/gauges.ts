import type { GaugeSource } from '../telemetry/metrics.ts';
import type { Rests } from './rests.ts';
import { failingOf, isUsed } from './target.ts';
import type { WatchList } from './watch-list.ts';

/** What freshness shows at each scrape. */
export type FreshnessGauges = Required<Pick<GaugeSource, 'decisions' | 'listingAges' | 'pausedHosts'>>;

/** @param steadyNow the time that rests are told in. */
export function freshnessGauges(
  list: WatchList,
  rests: Rests,
  now: () => number,
  steadyNow: () => number,
): FreshnessGauges {
  return {
    decisions() {
      let current = 0;
      let stale = 0;
      for (const followed of list.decisions()) {
        if (!followed.decided || followed.uses.size === 0) continue;
        if (failingOf(followed) === undefined && rests.holding(followed.target) === undefined) current += 1;
        else stale += 1;
      }
      return { current, stale };
    },
    listingAges() {
      const ages = new Map<string, number>();
      for (const target of list.targets()) {
        if (target.tag !== undefined || target.lastCompleteAt === undefined || !isUsed(target)) continue;
        noteLongest(ages, target.access.endpoint.host, now() - target.lastCompleteAt);
      }
      return ages;
    },
    pausedHosts() {
      const paused = new Map<string, number>();
      for (const { host, until } of rests.all()) noteLongest(paused, host, until - steadyNow());
      return paused;
    },
  };
}

function noteLongest(times: Map<string, number>, host: string, ms: number): void {
  times.set(host, Math.max(ms / 1000, times.get(host) ?? 0));
}
