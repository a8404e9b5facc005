import { expect, test } from 'vitest';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import { cachedStore } from '../../src/store/cached-store.ts';
import { API, ask, inShort, newestBuild, selection, semver, world, type World } from './harness.ts';

// Tags that did not change are not ranked again.

interface Counted extends World {
  ranked: number;
}

async function counting(): Promise<Counted> {
  const here = await world();
  here.store = cachedStore(here.store, { decisions: 10, answers: 10, listings: 10, tagBytes: 10_000 }, here.clock.now);
  const self = Object.assign(here, { ranked: 0 });
  here.selectByName = (...of) => {
    self.ranked += 1;
    return selectByNameHere(...of);
  };
  return self;
}

test.for([
  { name: 'semver', selected: semver('*') },
  { name: 'alphabetical', selected: selection({ kind: 'alphabetical' }) },
])('a listing with the same tags confirms a $name decision, and another one moves it', async ({ selected }) => {
  for (const etags of [false, true]) {
    await using here = await counting();
    here.registry.etags = etags;
    here.registry.pushAll(API, ['1.0.0', '1.0.1']);
    for (let n = 0; n < 4; n++) {
      expect(inShort(await here.resolve(ask(selected)))).toBe('1.0.1');
      await here.clock.advance(60_000);
    }
    expect([here.ranked, here.registry.count('list')]).toEqual([1, 4]);
    const resolution = await here.resolve(ask(selected));
    expect(resolution).toMatchObject({ decision: { confirmedAt: here.clock.now() } });
    here.registry.push(API, '1.0.2');
    await here.clock.advance(60_000);
    expect(inShort(await here.resolve(ask(selected)))).toBe('1.0.2');
    here.registry.remove(API, '1.0.2');
    await here.clock.advance(60_000);
    // What is missing is counted by every listing.
    for (const _ of [1, 2]) {
      expect(inShort(await here.resolve(ask(selected)))).toBe('1.0.2');
      await here.clock.advance(60_000);
    }
    expect(here.ranked).toBe(4);
  }
});

test('a digest is followed although the tags are the same', async () => {
  await using here = await counting();
  const pinned = ask(semver('*'), { output: 'tag@digest' });
  here.registry.push(API, '1.0.0', { content: 'one' });
  await here.resolve(pinned);
  const digest = here.registry.push(API, '1.0.0', { content: 'two' });
  await here.clock.advance(60_000);
  expect(await here.resolve(pinned)).toMatchObject({
    decision: { digest, movedAt: here.clock.now(), confirmedAt: here.clock.now() },
  });
  expect(here.ranked).toBe(1);
});

test('a policy that was not evaluated from the tags is, when they are listed again', async () => {
  await using here = await counting();
  here.registry.pushAll(API, ['1.0.0', '2.0.0']);
  await here.resolve(ask(semver('^1')));
  await here.clock.advance(60_000);
  here.registry.push(API, '1.0.1');
  await here.resolve(ask(semver('^2')));
  await here.clock.advance(60_000);
  expect(inShort(await here.resolve(ask(semver('^1'))))).toBe('1.0.1');
});

test('newest-build ranks by what is behind the tags, so the same tags say nothing', async () => {
  await using here = await counting();
  here.registry.push(API, 'a', { createdMs: 2 });
  here.registry.push(API, 'b', { createdMs: 1 });
  await here.resolve(ask(newestBuild));
  here.registry.push(API, 'b', { createdMs: 3 });
  await here.clock.advance(60_000);
  expect(await here.resolve(ask(newestBuild))).toMatchObject({ decision: { tag: 'b' } });
});
