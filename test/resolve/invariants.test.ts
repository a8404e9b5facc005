import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, parseVersion } from '../../src/image/version.ts';
import { faultOf } from '../support/memory-registry.ts';
import { API, ask, following, newestBuild, semver, world, type World } from './harness.ts';

const MINUTE = 60_000;
const KINDS = ['outage', 'throttled', 'denied', 'missing', 'refused', 'cancelled'] as const;

type Happening =
  | { readonly kind: 'push' | 'remove'; readonly patch: number }
  | { readonly kind: 'clear' | 'restart' | 'mend' }
  | { readonly kind: 'break'; readonly fault: (typeof KINDS)[number]; readonly of: 'list' | 'head' | 'all' }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'pass'; readonly minutes: number }
  | { readonly kind: 'jump'; readonly hours: number };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ kind: fc.constantFrom('push' as const, 'remove' as const), patch: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ kind: fc.constantFrom('clear' as const, 'restart' as const, 'mend' as const) }),
  fc.record({
    kind: fc.constant('break' as const),
    fault: fc.constantFrom(...KINDS),
    of: fc.constantFrom('list' as const, 'head' as const, 'all' as const),
  }),
  fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(0, 2_000, 30_000) }),
  fc.record({ kind: fc.constant('pass' as const), minutes: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('jump' as const), hours: fc.constantFrom(-24, -1, 1, 24) }),
);

async function apply(here: World, event: Happening): Promise<void> {
  switch (event.kind) {
    case 'push':
      here.registry.push(API, `1.0.${event.patch}`, { createdMs: event.patch });
      break;
    case 'remove':
      here.registry.remove(API, `1.0.${event.patch}`);
      break;
    case 'clear':
      here.registry.clear(API);
      break;
    case 'restart':
      await here.restart();
      break;
    case 'mend':
      here.registry.fault = () => undefined;
      break;
    case 'break':
      here.registry.fault = ({ kind }) => (event.of === 'all' || kind === event.of ? faultOf(event.fault) : undefined);
      break;
    case 'slow':
      here.registry.latencyMs = event.ms;
      break;
    case 'pass':
      await here.clock.advance(event.minutes * MINUTE);
      break;
    case 'jump':
      here.clock.jump(event.hours * 60 * MINUTE);
      break;
    default:
      event satisfies never;
  }
}

const rank = (tag: string): number => Number(tag.split('.')[2]);

test.for([
  { name: 'semver', policy: semver('~1.0') },
  { name: 'newest-build', policy: newestBuild },
])(
  'whatever happens, $name never gives an application a lower tag within its key, nor takes an answer away silently',
  async ({ policy }) => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 25 }), async (events) => {
        await using here = await world();
        here.registry.push(API, '1.0.10', { createdMs: 10 });
        let highest: string | undefined;
        for (const event of events) {
          await apply(here, event);
          const resolution = await here.resolve(ask(policy));
          if (resolution.kind === 'decided' || resolution.kind === 'stale') {
            const { tag } = resolution.decision;
            if (highest !== undefined) expect(rank(tag)).toBeGreaterThanOrEqual(rank(highest));
            highest = tag;
          } else if (highest !== undefined) {
            // Once answered, only a rule of ours ends it, and as an error.
            expect(resolution).toMatchObject({ kind: 'refused' });
          }
          expect(JSON.stringify(resolution)).not.toContain('"tag":""');
        }
      }),
      { numRuns: 60 },
    );
  },
);

test('with next-best a lower tag comes only after the chosen one was away for ten minutes of the clock', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        happening.filter(({ kind }) => kind !== 'jump'),
        { minLength: 3, maxLength: 25 },
      ),
      async (events) => {
        await using here = await world();
        here.registry.push(API, '1.0.10');
        let last: string | undefined;
        const removedAt = new Map<string, number>();
        for (const event of events) {
          if (event.kind === 'push') removedAt.delete(`1.0.${event.patch}`);
          const gone = event.kind === 'remove' ? [`1.0.${event.patch}`] : event.kind === 'clear' ? allTags : [];
          for (const tag of gone) removedAt.set(tag, removedAt.get(tag) ?? here.clock.now());
          await apply(here, event);
          const resolution = await here.resolve(ask(semver('~1.0'), { onRemoved: 'next-best' }));
          if (!('decision' in resolution)) continue;
          const { tag } = resolution.decision;
          if (last !== undefined && rank(tag) < rank(last)) {
            expect(here.clock.now() - (removedAt.get(last) ?? Infinity)).toBeGreaterThanOrEqual(10 * MINUTE);
          }
          last = tag;
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a followed tag has the digest of a moment at which it was asked, never none', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 20 }), async (events) => {
      await using here = await world();
      const pushed = new Set([here.registry.push(API, 'main', { content: 'first' })]);
      let answered = false;
      for (const [index, event] of events.entries()) {
        if (event.kind === 'push') pushed.add(here.registry.push(API, 'main', { content: `again ${index}` }));
        else await apply(here, event);
        const resolution = await here.resolve(ask(following('main')));
        if ('decision' in resolution) {
          answered = true;
          expect(pushed).toContain(resolution.decision.digest);
        } else if (answered) expect(resolution).toMatchObject({ kind: 'refused' });
      }
    }),
    { numRuns: 60 },
  );
});

const allTags = Array.from({ length: 31 }, (_, patch) => `1.0.${patch}`);

test('the tests compare as the strategy does', () => {
  const versions = allTags.map((tag) => parseVersion(tag)).filter((version) => version !== undefined);
  expect(versions.toSorted(compareVersions)).toEqual(versions);
});
