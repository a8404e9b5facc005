import { expect, test } from 'vitest';
import type { Ask } from '../../src/resolve/resolver.ts';
import { API, ask, inShort, newestBuild, repository, semver } from '../resolve/harness.ts';
import { faultOf } from '../support/memory-registry.ts';
import { freshWorld, type FreshWorld } from './world.ts';

// A fault that is met after the listing was read is one tag's, or one policy's, and nobody else's.

const MINUTE = 60_000;
const OTHER = 'registry.example.com/acme/web';

/** Two applications with one repository each on one host, decided and polled. */
async function settled(): Promise<FreshWorld> {
  const here = await freshWorld();
  here.registry.pushAll(API, ['1.0.0', '2.0.0']);
  here.registry.push(OTHER, '1.0.0');
  here.applications.set('other');
  await here.generate('other', [ask(semver('^1'), { repository: repository(OTHER) })]);
  return here;
}

/** Two applications of one listing, of which one needs digests, decided and polled. Answers what they ask. */
async function pinnedAndPlain(here: FreshWorld): Promise<{ readonly pinned: Ask; readonly plain: Ask }> {
  const [pinned, plain] = [ask(semver('^2'), { output: 'tag@digest' }), ask(semver('^1'))];
  here.applications.set('pinned');
  await here.generate('pinned', [pinned]);
  here.applications.set('plain');
  await here.generate('plain', [plain]);
  here.start();
  await here.clock.advance(5 * MINUTE);
  return { pinned, plain };
}

const listingsOf = (here: FreshWorld, name: string): number =>
  here.registry.requests.filter(({ kind, repository: of }) => kind === 'list' && of === name).length;
const rested = (here: FreshWorld): boolean => here.events.some(({ event }) => event === 'registry-rests');

test.for(['outage', 'cancelled'] as const)(
  'the manifest of one tag (%s) keeps no other policy on the listing from moving, and slows nobody down',
  async (kind) => {
    await using here = await settled();
    const { pinned, plain } = await pinnedAndPlain(here);
    here.registry.pushAll(API, ['2.0.1', '1.0.1']);
    here.registry.fault = ({ kind: asked, tag }) => (asked === 'head' && tag === '2.0.1' ? faultOf(kind) : undefined);
    const before = [listingsOf(here, API), listingsOf(here, OTHER)];
    await here.clock.advance(20 * MINUTE);
    expect((await here.generate('plain', [plain])).map(inShort)).toEqual(['1.0.1']);
    expect((await here.generate('pinned', [pinned])).map(inShort)).toEqual(['stale 2.0.0']);
    expect(rested(here)).toBe(false);
    const after = [listingsOf(here, API), listingsOf(here, OTHER)];
    for (const [n, count] of after.entries()) expect(count - (before[n] ?? 0)).toBeGreaterThanOrEqual(9);
    here.registry.fault = () => undefined;
    await here.clock.advance(3 * MINUTE);
    expect((await here.generate('pinned', [pinned])).map(inShort)).toEqual(['2.0.1']);
  },
);

test('a tag whose build date cannot be read, or is not read in time, does not rest the host', async () => {
  await using here = await settled();
  here.applications.set('dated');
  await here.generate('dated', [ask(newestBuild)]);
  here.start();
  await here.clock.advance(5 * MINUTE);
  for (const kind of ['outage', 'cancelled'] as const) {
    here.registry.push(API, `3.0.0-${kind}`, { createdMs: 1 });
    here.registry.fault = ({ tag }) => (tag === `3.0.0-${kind}` ? faultOf(kind) : undefined);
    const before = listingsOf(here, OTHER);
    await here.clock.advance(20 * MINUTE);
    expect(listingsOf(here, OTHER) - before).toBeGreaterThanOrEqual(9);
    expect((await here.generate('dated', [ask(newestBuild)])).map(inShort)).toEqual([
      expect.stringMatching(/^stale /) as string,
    ]);
  }
  expect(rested(here)).toBe(false);
});

test('429 for one tag rests the credential, whatever came before it', async () => {
  await using here = await settled();
  here.applications.set('pinned');
  await here.generate('pinned', [ask(semver('^2'), { output: 'tag@digest' })]);
  here.start();
  await here.clock.advance(5 * MINUTE);
  here.registry.fault = ({ tag }) => (tag === '2.0.0' ? faultOf('throttled') : undefined);
  await here.clock.advance(5 * MINUTE);
  expect(here.events.filter(({ event }) => event === 'registry-rests')).toMatchObject([
    { fields: { kind: 'throttled' } },
  ]);
});

test('a decision that fails by one tag is told of its own applications, and of no other on the listing', async () => {
  await using here = await settled();
  const { plain } = await pinnedAndPlain(here);
  const failing = (application: string): string | undefined =>
    here.freshness.standings(application).get(plain.image)?.failing?.fault.error.code;
  here.registry.fault = ({ kind }) => (kind === 'head' ? faultOf('outage') : undefined);
  await here.clock.advance(5 * MINUTE);
  expect([failing('pinned'), failing('plain')]).toEqual(['REGISTRY_UNAVAILABLE', undefined]);
  expect(here.freshness.gauges.decisions()).toEqual({ current: 2, stale: 1 });

  // The listing concerns both.
  here.registry.fault = () => faultOf('denied');
  await here.clock.advance(5 * MINUTE);
  expect([failing('pinned'), failing('plain')]).toEqual(['REGISTRY_DENIED', 'REGISTRY_DENIED']);

  here.registry.fault = () => undefined;
  await here.clock.advance(30 * MINUTE);
  expect([failing('pinned'), failing('plain')]).toEqual([undefined, undefined]);
  const looks = here.events.filter(({ event, fields }) => event.startsWith('look-') && fields?.['repository'] === API);
  expect(looks.map(({ event }) => event)).toEqual(['look-failed', 'look-failed', 'look-recovered']);
});
