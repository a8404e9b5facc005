import { expect, test } from 'vitest';
import { faultOf } from '../support/memory-registry.ts';
import { API, ask, codes, inShort, newestBuild, semver, world } from './harness.ts';

test('a policy whose build dates cannot be read says nothing of others on the same listing', async () => {
  await using here = await world();
  const dated = ask(newestBuild, { image: 'dated' });
  const versioned = ask(semver('*'), { image: 'versioned' });
  here.registry.push(API, '1.0.0', { createdMs: 1 });
  await here.resolveAll([dated, versioned]);

  here.registry.push(API, '1.0.1', { createdMs: 2 });
  here.registry.fault = ({ kind }) => (kind === 'list' ? undefined : faultOf('refused'));
  await here.clock.advance(60_000);
  const inShortWithCodes = async (): Promise<readonly (string | readonly string[])[]> =>
    (await here.resolveAll([dated, versioned])).map((resolution) => [inShort(resolution), ...codes(resolution)]);
  const apart = [['stale 1.0.0', 'ANSWER_STALE'], ['1.0.1']];
  expect(await inShortWithCodes()).toEqual(apart);

  // Kept for a while, and for that policy alone.
  const asked = here.registry.requests.length;
  expect(await inShortWithCodes()).toEqual(apart);
  expect(here.registry.requests).toHaveLength(asked);

  here.registry.fault = () => undefined;
  await here.clock.advance(60_000);
  expect((await here.resolveAll([dated, versioned])).map(inShort)).toEqual([
    expect.stringMatching(/^1\.0\.1/) as string,
    '1.0.1',
  ]);
});

test('a listing that cannot be read concerns every policy on it', async () => {
  await using here = await world();
  const [one, two] = [ask(semver('*'), { image: 'one' }), ask(semver('^1'), { image: 'two' })];
  here.registry.push(API, '1.0.0');
  await here.resolveAll([one, two]);
  here.registry.fault = () => faultOf('denied');
  await here.clock.advance(60_000);
  expect((await here.resolveAll([one, two])).map(inShort)).toEqual(['stale 1.0.0', 'stale 1.0.0']);
});
