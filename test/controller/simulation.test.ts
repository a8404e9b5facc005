import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR, Hour, INTERVAL_MS, LINES, MINUTE, schedule, type Step } from './hour.ts';

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
      const { hints, starts, jumps, changes, commits } = hour.happened;
      const most = Math.ceil(HOUR / (0.9 * INTERVAL_MS)) + 1 + 3 * hints + 2 * starts + 2 * jumps;
      expect([...listings].filter(([, requests]) => requests.length > most)).toEqual([]);
      // Whatever happens to an application, it is asked for eight times at most.
      const refreshes = here.argo.patches.filter(({ body }) => JSON.stringify(body).includes('"hard"'));
      const patches = Map.groupBy(refreshes, ({ application }) => application);
      const mostPatches = 8 * (1 + changes + starts + jumps + hints + commits);
      expect([...patches].filter(([, { length }]) => length > mostPatches)).toEqual([]);

      await hour.mend();
      await here.clock.advance(45 * MINUTE);
      expect(hour.violations).toEqual([]);
      expect(hour.behind).toEqual([]);
      expect(here.log.lines.filter((one) => one.startsWith('error') && !one.includes('refresh-given-up'))).toEqual([]);
      expect(here.argo.patchedWhileOperating).toEqual([]);
    }),
    // A failure is told with its seed, also when there is no time left to make it smaller.
    { numRuns: 30, interruptAfterTimeLimit: 45_000 },
  );
});

const indexOf = (name: string): number => LINES.findIndex((line) => line.name === name);
const broken = (fault: Extract<Step, { kind: 'break' }>['fault'], line: number | 'all', retryAfterS = 0): Step => ({
  kind: 'break',
  fault,
  of: 'all',
  line,
  oneOf: 1,
  retryAfterS,
});
const everybody = LINES.map(({ name }) => name);
const api = ['api-of-a', 'api-of-b'];

test.for<{ readonly name: string; readonly steps: readonly Step[]; readonly concerns: readonly string[] }>([
  { name: 'every registry is down', steps: [broken('outage', 'all')], concerns: everybody },
  { name: 'one repository answers 503', steps: [broken('outage', indexOf('web'))], concerns: ['web'] },
  { name: 'a credential is throttled', steps: [broken('throttled', indexOf('api-of-a'), 300)], concerns: api },
  { name: 'everything is throttled', steps: [broken('throttled', 'all')], concerns: everybody },
  { name: 'a repository is denied', steps: [broken('denied', indexOf('api-of-a'))], concerns: api },
  { name: 'a repository is gone', steps: [broken('missing', indexOf('worker'))], concerns: ['worker'] },
  { name: 'a registry sends what it must not', steps: [broken('refused', indexOf('jobs'))], concerns: ['jobs'] },
  {
    name: 'every second request fails',
    steps: [{ ...broken('outage', 'all'), oneOf: 2 } as Step],
    concerns: everybody,
  },
  {
    name: 'a repository is empty again and again',
    steps: [{ kind: 'empty', line: indexOf('web') }],
    concerns: ['web'],
  },
  { name: 'a list shrinks', steps: [{ kind: 'shrink', line: indexOf('worker') }], concerns: ['worker'] },
  { name: 'the newest tag is removed', steps: [{ kind: 'remove', line: indexOf('api-of-b') }], concerns: ['api-of-b'] },
  { name: 'a digest is pushed again', steps: [{ kind: 'repush', line: indexOf('edge') }], concerns: [] },
  { name: 'every answer takes 45 s', steps: [{ kind: 'slow', ms: 45_000 }], concerns: ['jobs'] },
  { name: 'the Kubernetes API is down', steps: [{ kind: 'kubernetes-down' }], concerns: everybody },
  {
    name: 'a patch of each application is lost',
    steps: [0, 2, 4, 6, 8, 10].map((application) => ({ kind: 'lose-patch', application })),
    concerns: [],
  },
  { name: 'Argo CD is slow', steps: [{ kind: 'argo-slow', ms: 40_000 }], concerns: [] },
  { name: 'it is killed in the middle', steps: [{ kind: 'kill', effects: 150 }], concerns: [] },
  { name: 'it is killed at its start', steps: [{ kind: 'restart' }, { kind: 'kill', effects: 7 }], concerns: [] },
  { name: 'the clock goes back an hour', steps: [{ kind: 'jump', hours: -1 }], concerns: [] },
  { name: 'the clock goes forward an hour', steps: [{ kind: 'jump', hours: 1 }], concerns: [] },
  { name: 'nothing can be written', steps: [{ kind: 'disk-full' }], concerns: [] },
  { name: 'the volume is lost', steps: [{ kind: 'lose-disk' }], concerns: [] },
])(
  'an hour in which $name: only who is concerned has to wait, and nobody gets a worse image',
  async ({ steps, concerns }) => {
    const hour = new Hour();
    await using here = hour.here;
    await hour.begin();
    for (let passed = 0; passed < HOUR; passed += 10 * MINUTE) {
      hour.push();
      for (const step of steps) await hour.happen(step);
      await hour.pass(10 * MINUTE);
      expect(hour.violations).toEqual([]);
      expect(hour.behindWithout(concerns)).toEqual([]);
    }
    await hour.mend();
    await here.clock.advance(25 * MINUTE);
    expect(hour.violations).toEqual([]);
    expect(hour.behind).toEqual([]);
  },
);

test('an older image that a repo-server had kept is put right as soon as that reaches the controller again', async () => {
  const hour = new Hour();
  await using here = hour.here;
  await hour.begin();
  hour.push();
  await hour.pass(5 * MINUTE);
  expect(hour.behind).toEqual([]);
  here.killAfter(0);
  // Each of the two repo-servers renders each application, and the one that did not before has an older answer.
  for (let round = 0; round < 3; round++) {
    for (const name of here.asks.keys()) here.argo.hardRefresh(name);
    await here.clock.advance(MINUTE);
    if (hour.behind.length > 0) break;
    await here.clock.run(here.argo.push('edge-one', 'another'));
  }
  expect(hour.behind).not.toEqual([]);
  await hour.restart();
  for (let round = 0; round < 2; round++) {
    here.argo.hardRefresh('edge-one');
    await here.clock.advance(MINUTE);
  }
  await here.clock.advance(5 * MINUTE);
  expect(hour.behind).toEqual([]);
});
