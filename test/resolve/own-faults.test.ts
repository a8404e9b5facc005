import { expect, test } from 'vitest';
import { selectByNameHere } from '../../src/resolve/in-process.ts';
import type { Job, Ports } from '../../src/resolve/job.ts';
import { decisionKey, listingKey } from '../../src/resolve/keys.ts';
import { settle } from '../../src/resolve/settle.ts';
import { settleKnown } from '../../src/resolve/settle-known.ts';
import { faultOf } from '../support/memory-registry.ts';
import { accessOf, API, ask, codes, inShort, newestBuild, repository, semver, world } from './harness.ts';

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

test('a listing that is read again ends its fault for all, although the first policy on it cannot be evaluated', async () => {
  await using here = await world();
  here.registry.push(API, '1.0.0');
  const access = accessOf(repository(), { application: 'shop' });
  const jobOf = (constraint: string): Job => ({
    key: decisionKey(access, semver(constraint), 'keep'),
    listing: listingKey(access),
    access,
    selection: semver(constraint),
    onRemoved: 'keep',
    wantsDigest: false,
    intervalMs: 0,
    startedAt: here.clock.now(),
    patienceMs: 60_000,
    steps: [],
  });
  let isSlow = false;
  const error = { code: 'FILTER_TOO_SLOW', what: 'slow', where: '', fix: '' } as const;
  const ports: Ports = {
    store: here.store,
    now: here.clock.now,
    sleep: here.clock.sleep,
    random: () => 0.5,
    registry: async () => here.registry,
    selectByName: async (wanted, tags, told) =>
      isSlow && wanted.selection.strategy.kind === 'semver' && wanted.selection.strategy.constraint === '~1.0'
        ? { kind: 'fault', fault: { kind: 'refused', error } }
        : selectByNameHere(wanted, tags, told),
  };
  const settleAll = async (): Promise<void> => {
    const jobs = [jobOf('~1.0'), jobOf('^1')];
    for (const job of jobs) await here.clock.run(settle(job, ports, new AbortController().signal));
    await here.clock.advance(60_000);
  };
  await settleAll();
  here.registry.fault = () => faultOf('outage');
  await settleAll();
  expect(await settleKnown(jobOf('^1'), ports)).toMatchObject({ kind: 'fault' });
  here.registry.fault = () => undefined;
  isSlow = true;
  await settleAll();
  expect(await settleKnown(jobOf('^1'), ports)).toMatchObject({ kind: 'decided', decision: { tag: '1.0.0' } });
});
