import { expect, test } from 'vitest';
import { API, ask, inShort, semver } from '../resolve/harness.ts';
import { freshWorld } from './world.ts';

const HOUR = 3_600_000;
const POLICY = ask(semver('~1.0'));

test('while a sync runs, whatever is rendered of its revision has the images that it began with', async () => {
  await using here = await freshWorld();
  const rendered = async (revision = 'r1', policy = POLICY): Promise<string> => {
    const [resolution] = await here.generate('shop', [policy], { generation: { revision } });
    if (resolution === undefined) throw new Error('nothing was answered');
    return inShort(resolution);
  };
  here.applications.set('shop');
  here.registry.pushAll(API, ['1.0.5', '2.0.0']);
  expect(await rendered()).toBe('1.0.5');
  here.start();
  here.applications.set('shop', { operating: true });
  here.registry.push(API, '1.0.6');
  await here.clock.advance(HOUR);
  expect(await rendered()).toBe('held 1.0.5');
  // What differs is told when the sync is over.
  expect(await here.comparison.outdated('shop')).toMatchObject({ kind: 'image', images: [{ to: '1.0.6' }] });
  // Somebody changed the policy: that is not what is synced.
  expect(await rendered('r1', ask(semver('~2.0')))).toBe('2.0.0');
  expect(await rendered('r2')).toBe('1.0.6');
  here.applications.set('shop', { operating: false });
  expect(await rendered()).toBe('1.0.6');
});
