import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import { listingKey, decisionKey } from '../../src/resolve/keys.ts';
import type { Job, Ports } from '../../src/resolve/job.ts';
import { settle } from '../../src/resolve/settle.ts';
import { NEVER_CONFIRMED } from '../../src/store/store.ts';
import { faultOf } from '../support/memory-registry.ts';
import { accessOf, API, repository, semver, world, type World } from './harness.ts';

/** A first decision above a floor. */
async function firstAbove(here: World, floor: string): Promise<string> {
  const access = accessOf(repository(), { application: 'shop' });
  const selection = semver('~1.0');
  const job: Job = {
    key: decisionKey(access, selection, 'keep'),
    listing: listingKey(access),
    access,
    selection,
    onRemoved: 'keep',
    wantsDigest: false,
    intervalMs: 30_000,
    startedAt: here.clock.now(),
    patienceMs: 3_000,
    floor: { tag: floor as Tag, movedAt: here.clock.now(), confirmedAt: NEVER_CONFIRMED },
    steps: [],
  };
  const ports: Ports = {
    store: here.store,
    now: here.clock.now,
    sleep: here.clock.sleep,
    random: () => 0.5,
    selectByName: selectByNameHere,
    registry: async () => here.registry,
  };
  const settled = await here.clock.run(settle(job, ports, new AbortController().signal));
  return settled.kind === 'decided' ? settled.decision.tag : settled.kind;
}

test.for([
  { name: 'a floor that is listed changes nothing', floor: '1.0.4', hidden: [], want: '1.0.5' },
  { name: 'a floor that is there and not listed is kept', floor: '1.0.9', hidden: ['1.0.9'], want: '1.0.9' },
  { name: 'a lower floor that is not listed gives way', floor: '1.0.1', hidden: ['1.0.1'], want: '1.0.5' },
  { name: 'a floor that the registry does not have is none', floor: '1.0.99', hidden: [], want: '1.0.5' },
])('$name', async ({ floor, hidden, want }) => {
  await using here = await world();
  here.registry.pushAll(API, ['1.0.4', '1.0.5', ...hidden]);
  const list = here.registry.list.bind(here.registry);
  here.registry.list = async (...of) => {
    const listing = await list(...of);
    const isShown = (tag: Tag): boolean => !(hidden as readonly string[]).includes(tag);
    return listing.kind === 'complete' ? { ...listing, tags: listing.tags.filter(isShown) } : listing;
  };
  expect(await firstAbove(here, floor)).toBe(want);
});

test('the registry is asked once whether the floor is there', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.9');
  here.registry.list = async () => ({ kind: 'complete', tags: ['1.0.5' as Tag] });
  expect(await firstAbove(here, '1.0.9')).toBe('1.0.9');
  expect(here.registry.requests).toMatchObject([{ kind: 'head', tag: '1.0.9' }]);
});

test.for(['outage', 'throttled', 'denied', 'cancelled'] as const)(
  'while nobody says whether the floor is there (%s), nothing lower is decided',
  async (kind) => {
    await using here = await world();
    here.registry.pushAll(API, ['1.0.5', '1.0.9']);
    here.registry.list = async () => ({ kind: 'complete', tags: ['1.0.5' as Tag] });
    here.registry.fault = () => faultOf(kind);
    expect(await firstAbove(here, '1.0.9')).toBe('fault');
    here.registry.fault = () => undefined;
    await here.clock.advance(60_000);
    expect(await firstAbove(here, '1.0.9')).toBe('1.0.9');
  },
);
