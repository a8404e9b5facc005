import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MINUTE, SECOND, World } from './harness.ts';

/** Something that happens, and how long it is before the next thing. */
type Step =
  | { readonly kind: 'move'; readonly image: string }
  | { readonly kind: 'kill'; readonly endsAt: number }
  | {
      readonly kind:
        | 'operate'
        | 'push'
        | 'cached-push'
        | 'lose'
        | 'overlook'
        | 'fault'
        | 'fail'
        | 'heal'
        | 'user'
        | 'repeat';
      readonly at: number;
    };

const APPLICATIONS = ['one', 'two', 'three', 'four'];

const steps: fc.Arbitrary<{ readonly step: Step; readonly pauseMs: number }[]> = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('move' as const), image: fc.constantFrom('api', 'web') }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('kill' as const), endsAt: fc.nat(30) }) },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constantFrom(
            'operate',
            'push',
            'cached-push',
            'lose',
            'overlook',
            'fault',
            'fail',
            'heal',
            'user',
            'repeat',
          ),
          at: fc.nat(APPLICATIONS.length - 1),
        }),
      },
    ),
    pauseMs: fc.constantFrom(0, 1, 50, 300, 700, 5 * SECOND, 100 * SECOND),
  }),
  { maxLength: 25 },
);

let moves = 0;

async function happen(here: World, step: Step): Promise<void> {
  switch (step.kind) {
    case 'move':
      here.move(step.image, `1.0.${++moves}`);
      return;
    case 'kill':
      here.kill();
      await here.start(step.endsAt);
      return;
    default: {
      const name = APPLICATIONS[step.at] ?? '';
      const behaviour = here.argo.behaviourOf(name);
      if (step.kind === 'operate' && here.argo.byInstanceName(name)?.operating === false) here.argo.operate(name);
      if (step.kind === 'push') await here.argo.push(name, `commit-${++moves}`);
      if (step.kind === 'cached-push') await here.argo.push(name, `commit-${++moves}`, 'cache');
      if (step.kind === 'lose') behaviour.losesPatches = 1;
      if (step.kind === 'overlook') behaviour.overlooks = 1;
      if (step.kind === 'fault') behaviour.faults.push(500);
      if (step.kind === 'fail') behaviour.brokenBy = 'broken';
      if (step.kind === 'heal') behaviour.brokenBy = undefined;
      if (step.kind === 'user') here.argo.hardRefresh(name);
      if (step.kind === 'repeat') here.argo.repeat(name);
    }
  }
}

test('whatever happens and whenever it is killed, in the end nobody is rendered with an image of before', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (happenings) => {
      const here = new World();
      here.compareMs = 20;
      here.decisions.set('api', '1').set('web', '1');
      for (const [at, name] of APPLICATIONS.entries()) {
        await here.add(
          { name, ...(at % 2 === 0 && { automated: { selfHeal: true, prune: true } }) },
          at < 2 ? 'api' : 'web',
        );
      }
      await here.start();
      for (const { step, pauseMs } of happenings) {
        await happen(here, step);
        await here.clock.advance(pauseMs);
      }
      here.kill();
      await here.start();
      await here.clock.advance(60 * MINUTE);
      const givenUp = APPLICATIONS.filter((name) => here.refresher.stateOf(name).kind === 'given-up');
      expect(here.outdated.filter((name) => !givenUp.includes(name))).toEqual([]);
      expect(givenUp.filter((name) => here.argo.behaviourOf(name).brokenBy === undefined)).toEqual([]);
      expect(here.argo.patchedWhileOperating).toEqual([]);
      expect(here.logged.filter(({ event }) => event === 'refresh-bug')).toEqual([]);
      const working = APPLICATIONS.filter((name) => !givenUp.includes(name));
      expect(working.map((name) => here.refresher.stateOf(name).kind)).toEqual(working.map(() => 'idle'));
      here.kill();
    }),
    { numRuns: 150 },
  );
});

test.for([
  { name: 'all goes well', behaviour: {}, live: 'api:1.0.1', kept: 0 },
  { name: 'the sync fails', behaviour: { syncFails: true }, live: 'api:1.0.0', kept: 1 },
  { name: 'the annotation is overlooked', behaviour: { overlooks: 1 }, live: 'api:1.0.1', kept: 0 },
])(
  'killed before and after each of its effects, the next process ends what was begun; $name',
  async ({ behaviour, live, kept }) => {
    let endsAt = 0;
    let wasReached = true;
    while (wasReached) {
      endsAt += 1;
      const here = new World();
      here.decisions.set('api', '1.0.0');
      await here.add({ name: 'one', automated: { selfHeal: false, prune: true } }, 'api', behaviour);
      await here.add({ name: 'two' }, 'api');
      here.full.add('one');
      here.limits.fullSyncProjects = ['*'];
      await here.start(endsAt);
      here.move('api', '1.0.1', 'webhook');
      await here.clock.advance(30 * SECOND);
      wasReached = here.life.isOver;
      here.kill();
      await here.start();
      await here.clock.advance(10 * MINUTE);
      expect(here.outdated, `killed at ${endsAt}`).toEqual([]);
      expect(here.argo.liveOf('one'), `killed at ${endsAt}`).toBe(live);
      expect(here.operations, `killed at ${endsAt}`).toHaveLength(1);
      expect(here.kept, `killed at ${endsAt}`).toBe(kept);
    }
    expect(endsAt).toBeGreaterThan(20);
  },
);
