import { expect, test } from 'vitest';
import type { Ask } from '../../src/resolve/resolver.ts';
import { API, ask, following, inShort, semver } from '../resolve/harness.ts';
import { digestOf, faultOf } from '../support/memory-registry.ts';
import { freshWorld, type FreshWorld } from '../freshness/world.ts';
import { SOURCE } from './known-applications.ts';

const MINUTE = 60_000;
const api = ask(semver('~1.0'));

/** An application that was rendered with 1.0.0, and a registry that has 1.0.1 by now, which is known. */
async function moved(asks: readonly Ask[] = [api]): Promise<FreshWorld> {
  const here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  here.applications.set('scout');
  await here.generate('shop', asks);
  await here.generate('scout', [api]);
  here.registry.push(API, '1.0.1');
  here.start();
  await here.clock.advance(5 * MINUTE);
  return here;
}

test('an image that moved is outdated until it is rendered again, and no registry is asked', async () => {
  await using here = await moved();
  const before = here.registry.requests.length;
  const outdated = { kind: 'image', images: [{ label: 'api', from: '1.0.0', to: '1.0.1', policy: 'semver ~1.0' }] };
  expect(await here.comparison.outdated('shop')).toEqual(outdated);
  const [registration] = here.registrations.of('shop');
  if (registration === undefined) throw new Error('not registered');
  expect(await here.comparison.outdatedImages(registration)).toEqual(outdated);
  expect(here.registry.requests).toHaveLength(before);
  await here.generate('shop', [api]);
  expect(await here.comparison.outdated('shop')).toBeUndefined();
});

test('comparing gives nobody anything: what freeze would hold stays what was given', async () => {
  await using here = await moved();
  await here.comparison.outdated('shop');
  here.modes = [{ application: 'argocd/shop', mode: 'freeze' }];
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  here.modes = [];
  expect(await here.comparison.outdated('shop')).toMatchObject({ kind: 'image' });
});

test('what is only observed, pinned or left as in Git is never outdated', async () => {
  await using here = await moved([
    ask(semver('~1.0'), { image: 'p', choice: { kind: 'pin', tag: '1.0.0' as never } }),
    ask(semver('~1.0'), { image: 'n', choice: { kind: 'none' } }),
  ]);
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  here.modes = [{ application: 'argocd/scout', mode: 'observe' }];
  await here.generate('scout', [api]);
  here.registry.push(API, '1.0.2');
  await here.clock.advance(5 * MINUTE);
  expect(await here.comparison.outdated('scout')).toBeUndefined();
});

test('a digest counts where it is written', async () => {
  await using here = await freshWorld();
  here.registry.push(API, 'production', { content: 'one' });
  here.applications.set('shop');
  here.applications.set('tag-only');
  await here.generate('shop', [ask(following('production'))]);
  await here.generate('tag-only', [ask(following('production'), { output: 'tag' })]);
  here.start();
  await here.clock.advance(1_000);
  here.registry.push(API, 'production', { content: 'two' });
  await here.clock.advance(5 * MINUTE);
  const from = `production@${digestOf('one')}`;
  const to = `production@${digestOf('two')}`;
  expect(await here.comparison.outdated('shop')).toEqual({
    kind: 'image',
    images: [{ label: 'api', from, to, policy: 'digest production' }],
  });
  expect(await here.comparison.outdated('tag-only')).toBeUndefined();
});

test('an error is outdated when there is an image at last; one that is still unknown is none', async () => {
  await using here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop');
  await here.generate('shop', [api]);
  await here.clock.advance(5 * MINUTE);
  // Another policy that the last answer satisfies, while the registry is down: nothing is decided for it.
  const changed = ask(semver('^1'), { onUnsatisfied: 'error' });
  here.registry.fault = ({ repository: name }) => faultOf('denied', name);
  await here.clock.run(here.generate('shop', [changed]));
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  here.applications.set('new');
  await here.clock.run(here.generate('new', [changed]));
  expect(here.registrations.of('new')[0]?.answers[0]?.given.kind).toBe('error');
  expect(await here.comparison.outdated('new')).toBeUndefined();
  here.registry.fault = () => undefined;
  here.start();
  await here.clock.advance(25 * MINUTE);
  expect(await here.comparison.outdated('new')).toMatchObject({ images: [{ from: 'REGISTRY_DENIED', to: '1.0.0' }] });
});

test('an older answer that could be given again is no image while nothing is decided', async () => {
  await using here = await freshWorld();
  here.registry.pushAll(API, ['0.9.0', '1.0.0']);
  here.applications.set('shop');
  await here.generate('shop', [api]);
  await here.clock.advance(5 * MINUTE);
  here.registry.remove(API, '1.0.0');
  // Another policy, which the older answer satisfies and nothing that is listed.
  await here.generate('shop', [ask(semver('^1'))]);
  expect(here.registrations.of('shop')[0]?.answers[0]?.given).toEqual({ kind: 'error', code: 'TAG_NOT_FOUND' });
  expect(await here.comparison.outdated('shop')).toBeUndefined();
});

/** Rendered at A, then at B, as Argo CD shows it. */
async function rendered(revisions: readonly string[]): Promise<FreshWorld> {
  const here = await freshWorld();
  here.registry.push(API, '1.0.0');
  here.applications.set('shop', { revisions: [] });
  here.start();
  await here.clock.advance(1_000);
  for (const revision of revisions) {
    await here.generate('shop', [api], { generation: { revision } });
    await here.clock.advance(500);
    here.applications.set('shop', { revisions: [revision] });
    await here.clock.advance(MINUTE);
  }
  return here;
}

test('a revision that comes from the cache is told 15 s later, and not when a generation follows', async () => {
  await using here = await rendered(['A', 'B']);
  expect(here.overdue).toEqual([]);
  here.applications.set('shop', { revisions: ['A'] });
  await here.clock.advance(14_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  await here.clock.advance(3_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
  await here.generate('shop', [api], { generation: { revision: 'A' } });
  expect(await here.comparison.outdated('shop')).toBeUndefined();
});

test('a spec that changed back is told too; one whose generation came just before we saw it is not', async () => {
  await using here = await rendered(['A']);
  await here.generate('shop', [api], { generation: { revision: 'A' } });
  await here.clock.advance(1_500);
  here.applications.set('shop', { specFingerprint: 'spec 2' });
  await here.clock.advance(MINUTE);
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  expect(here.registrations.of('shop')[0]?.specFingerprint).toBe('spec 2');
  here.applications.set('shop', { specFingerprint: 'spec 1' });
  await here.clock.advance(MINUTE);
  expect(await here.comparison.outdated('shop')).toEqual({ kind: 'cached-manifest' });
});

test('two changes soon after each other: the second one is told in its own time', async () => {
  await using here = await rendered(['A']);
  await here.generate('shop', [api], { generation: { revision: 'B' } });
  here.applications.set('shop', { revisions: ['B'] });
  await here.clock.advance(10_000);
  here.applications.set('shop', { revisions: ['A'] });
  await here.clock.advance(10_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  await here.clock.advance(7_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
});

test('back to a revision right after another one was rendered: that generation was not for it', async () => {
  await using here = await rendered(['A']);
  await here.generate('shop', [api], { generation: { revision: 'B' } });
  await here.clock.advance(100);
  here.applications.set('shop', { revisions: ['B'] });
  await here.clock.advance(400);
  here.applications.set('shop', { revisions: ['A'] });
  await here.clock.advance(17_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
});

test.for([
  { name: 'that was rendered after we saw it', aheadMs: -300 },
  { name: 'that was rendered before we saw it', aheadMs: 300 },
])('back to a spec right after another one $name: that generation was not for it', async ({ aheadMs }) => {
  await using here = await rendered(['A']);
  const generate = async (): Promise<unknown> => here.generate('shop', [api], { generation: { revision: 'A' } });
  if (aheadMs > 0) await generate();
  await here.clock.advance(Math.max(aheadMs, 0));
  here.applications.set('shop', { specFingerprint: 'spec 2' });
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  await here.clock.advance(Math.max(-aheadMs, 0));
  if (aheadMs < 0) await generate();
  await here.clock.advance(1_000);
  here.applications.set('shop', { specFingerprint: 'spec 1' });
  await here.clock.advance(14_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  await here.clock.advance(3_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
});

test('an operation’s generation of another revision says nothing of the one that is shown', async () => {
  await using here = await rendered(['R0', 'R1']);
  here.registry.push(API, '1.0.1');
  here.applications.set('shop', { operating: true });
  await here.clock.advance(5 * MINUTE);
  await here.generate('shop', [api], { generation: { revision: 'R0' } });
  await here.clock.advance(MINUTE);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  here.applications.set('shop', { operating: false, reconciledAt: 'after the operation' });
  await here.clock.advance(17_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
  await here.generate('shop', [api], { generation: { revision: 'R1' } });
  expect(await here.comparison.outdated('shop')).toBeUndefined();
});

test('a commit that takes long to render is not told; what is never shown is, 90 s later', async () => {
  await using here = await rendered(['A']);
  await here.generate('shop', [api], { generation: { revision: 'B' } });
  await here.clock.advance(80_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  here.applications.set('shop', { revisions: ['B'], reconciledAt: 'with B' });
  await here.clock.advance(5 * MINUTE);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  // A person asked for the manifests of another revision.
  await here.generate('shop', [api], { generation: { revision: 'A' } });
  await here.clock.advance(88_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  await here.clock.advance(17_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
});

test('with generate paths a revision that was never rendered took over the manifests; one that was did not', async () => {
  await using here = await rendered(['A']);
  here.applications.set('shop', { hasGeneratePaths: true, revisions: ['B'] });
  await here.clock.advance(MINUTE);
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  expect(here.registrations.of('shop')[0]).toMatchObject({ revision: 'B', earlierRevisions: ['A'] });
  await here.generate('shop', [api], { generation: { revision: 'C' } });
  here.applications.set('shop', { revisions: ['C'] });
  await here.clock.advance(MINUTE);
  here.applications.set('shop', { revisions: ['B'] });
  await here.clock.advance(MINUTE);
  expect(await here.comparison.outdated('shop')).toEqual({ kind: 'cached-manifest' });
});

test('what changed while we were away is told after the start', async () => {
  await using here = await rendered(['A', 'B']);
  await here.restart();
  here.applications.set('shop', { revisions: ['A'] });
  here.start();
  await here.clock.advance(17_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'cached-manifest' }, ['shop']]);
});

test('who failed because the controller was away is told when it is back, and not who got through since', async () => {
  await using here = await rendered(['A']);
  const comparisonError = 'failed: CONTROLLER_UNREACHABLE  the controller cannot be asked';
  here.applications.set('shop', { comparisonError, revisions: [] });
  await here.restart();
  here.start();
  await here.clock.advance(32_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'unknown' }, ['shop']]);
  await here.generate('shop', [api], { generation: { revision: 'A' } });
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  here.applications.set('shop', { comparisonError: undefined as never, revisions: ['A'] });
  await here.clock.advance(MINUTE);
  here.applications.set('shop', { comparisonError });
  await here.clock.advance(28_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, ['shop']]);
  await here.clock.advance(4_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'unknown' }, ['shop', 'shop']]);
});

test('an application that names the plugin and never asked anything is told 30 s after all are known', async () => {
  await using here = await freshWorld();
  here.applications.complete = false;
  here.applications.set('shop', { sources: [{ ...SOURCE, plugin: 'image-resolver-v1.2' }] });
  here.applications.set('plain', { sources: [SOURCE] });
  here.applications.set('foreign', { sources: [{ ...SOURCE, plugin: 'other' }] });
  here.start();
  await here.clock.advance(5 * MINUTE);
  here.applications.complete = true;
  await here.clock.advance(28_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([undefined, []]);
  await here.clock.advance(4_000);
  expect([await here.comparison.outdated('shop'), here.overdue]).toEqual([{ kind: 'unknown' }, ['shop']]);
  expect(await here.comparison.outdated('plain')).toBeUndefined();
  here.applications.set('late');
  await here.clock.advance(32_000);
  expect(here.overdue).toEqual(['shop', 'late']);
});

test('a freeze holds for each source of an application what that source was given, and nothing is to be refreshed', async () => {
  await using here = await freshWorld();
  here.registry.pushAll(API, ['1.0.0', '2.0.0']);
  const canary = { ...SOURCE, path: 'canary' };
  here.applications.set('shop', { sources: [SOURCE, canary] });
  const generateBoth = async (): Promise<readonly string[]> => [
    ...(await here.generate('shop', [ask(semver('~1.0'))])).map(inShort),
    ...(await here.generate('shop', [ask(semver('~2.0'))], { generation: { source: canary } })).map(inShort),
  ];
  expect(await generateBoth()).toEqual(['1.0.0', '2.0.0']);
  here.modes = [{ mode: 'freeze' }];
  expect(await here.comparison.outdated('shop')).toBeUndefined();
  expect(await generateBoth()).toEqual(['held 1.0.0', 'held 2.0.0']);
});
