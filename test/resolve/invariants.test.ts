import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, parseVersion } from '../../src/image/version.ts';
import type { Resolution } from '../../src/resolve/resolver.ts';
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

const allTags = Array.from({ length: 31 }, (_, patch) => `1.0.${patch}`);
const rank = (tag: string): number => Number(tag.split('.')[2]);

/** What an application was given; `refused` for the error of a rule of ours, `nothing` for anything else. */
function given(resolution: Resolution): { readonly tag: string; readonly digest?: string } | 'refused' | 'nothing' {
  if (resolution.kind === 'decided' || resolution.kind === 'stale') return resolution.decision;
  return resolution.kind === 'refused' ? 'refused' : 'nothing';
}

test.for([
  { name: 'semver', policy: semver('~1.0') },
  { name: 'newest-build', policy: newestBuild },
])('whatever happens, $name never takes an answer away, nor gives a lower tag within its key', async ({ policy }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 25 }), async (events) => {
      await using here = await world();
      here.registry.push(API, '1.0.10', { createdMs: 10 });
      let highest = -1;
      for (const event of events) {
        await apply(here, event);
        const answer = given(await here.resolve(ask(policy)));
        // Once answered, only a rule of ours ends it, and as an error.
        expect(highest >= 0 && answer === 'nothing').toBe(false);
        if (typeof answer === 'string') continue;
        expect(rank(answer.tag)).toBeGreaterThanOrEqual(highest);
        highest = rank(answer.tag);
      }
    }),
    { numRuns: 60 },
  );
});

test('with next-best a lower tag comes only after the chosen one was away for ten minutes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        happening.filter(({ kind }) => kind !== 'jump'),
        { minLength: 3, maxLength: 25 },
      ),
      async (events) => {
        await using here = await world();
        here.registry.push(API, '1.0.10');
        const removedAt = new Map<string, number>();
        let last: string | undefined;
        for (const event of events) {
          if (event.kind === 'push') removedAt.delete(`1.0.${event.patch}`);
          const gone = event.kind === 'remove' ? [`1.0.${event.patch}`] : event.kind === 'clear' ? allTags : [];
          for (const tag of gone) removedAt.set(tag, removedAt.get(tag) ?? here.clock.now());
          await apply(here, event);
          const answer = given(await here.resolve(ask(semver('~1.0'), { onRemoved: 'next-best' })));
          if (typeof answer === 'string') continue;
          const fell = last !== undefined && rank(answer.tag) < rank(last);
          const awayMs = here.clock.now() - (removedAt.get(last ?? '') ?? Infinity);
          expect(fell && awayMs < 10 * MINUTE).toBe(false);
          last = answer.tag;
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a followed tag has a digest it was pushed with, never none', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 20 }), async (events) => {
      await using here = await world();
      const pushed = new Set([here.registry.push(API, 'main', { content: 'first' })]);
      let answered = false;
      for (const [index, event] of events.entries()) {
        if (event.kind === 'push') pushed.add(here.registry.push(API, 'main', { content: `again ${index}` }));
        else await apply(here, event);
        const answer = given(await here.resolve(ask(following('main'))));
        expect(answered && answer === 'nothing').toBe(false);
        if (typeof answer === 'string') continue;
        answered = true;
        expect(pushed).toContain(answer.digest);
      }
    }),
    { numRuns: 60 },
  );
});

test('these tests order tags as the strategy does', () => {
  const versions = allTags.map((tag) => parseVersion(tag)).filter((version) => version !== undefined);
  expect(versions.toSorted(compareVersions)).toEqual(versions);
});
