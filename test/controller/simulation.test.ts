import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR, Hour, INTERVAL_MS, MINUTE, schedule } from './hour.ts';

// An hour of a whole controller under faults that come in any order; then everything is mended, something is pushed, and
// every application has to get it.

test('whatever happens in an hour, nobody gets a worse image, and afterwards everybody gets the newest', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async (steps) => {
      const hour = new Hour();
      await using here = hour.here;
      await hour.begin();
      expect(hour.behind).toEqual([]);
      const asked = here.registry.requests.length;
      const began = process.hrtime.bigint();
      let passed = 0;
      for (const { step: what, pauseMs } of steps) {
        await hour.happen(what);
        const pause = Math.min(pauseMs, HOUR - passed);
        passed += pause;
        await hour.pass(pause);
      }
      await hour.pass(HOUR - passed);
      expect(hour.violations).toEqual([]);
      const listings = Map.groupBy(
        here.registry.requests.slice(asked).filter(({ kind }) => kind === 'list'),
        ({ repository: name, scope }) => `${name} as ${scope}`,
      );
      const { hints, starts, jumps } = hour.happened;
      const most = Math.ceil(HOUR / (0.9 * INTERVAL_MS)) + 1 + 3 * hints + 2 * starts + 2 * jumps;
      for (const [key, requests] of listings) expect(requests.length, key).toBeLessThanOrEqual(most);
      if (process.env['SIM'])
        console.log(
          steps.length,
          (Number(process.hrtime.bigint() - began) / 1e6) | 0,
          [...listings.values()].map((l) => l.length).join(),
          most,
          here.argo.patches.length,
        );

      await hour.mend();
      await here.clock.advance(45 * MINUTE);
      expect(hour.violations).toEqual([]);
      expect(hour.behind).toEqual([]);
      expect(here.log.lines.filter((one) => one.startsWith('error') && !one.includes('refresh-given-up'))).toEqual([]);
      expect(here.argo.patchedWhileOperating).toEqual([]);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 10), interruptAfterTimeLimit: 120_000 },
  );
});
